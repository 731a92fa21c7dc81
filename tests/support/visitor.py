"""A browser at the console, with nothing but its cookies: fills in the forms that a page shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie

import httpx

from tests.support.web import Site

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


@dataclass
class Visitor:
    """Keeps cookies as a browser does that reaches the site by https.

    Attributes:
        address: where it connects from, as the proxy tells.
        set_cookies: the ``Set-Cookie`` headers of the last answer, as they came.
    """

    site: Site
    address: str = "192.0.2.1"
    language: str = "en"
    cookies: dict[str, str] = field(default_factory=dict)
    set_cookies: list[str] = field(default_factory=list)

    def ask(
        self, method: str, path: str, form: dict[str, str] | None = None, **headers: str
    ) -> httpx.Response:
        """Ask for an address below ``/console/``, following nothing."""
        told = {
            "user-agent": FIREFOX,
            "accept-language": self.language,
            "sec-fetch-site": "same-origin" if form is not None else "none",
            "x-forwarded-for": self.address,
            "cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        url = f"{self.site.url}/console/{path}"
        answer = httpx.request(method, url, data=form, headers=told)
        self.set_cookies = answer.headers.get_list("set-cookie")
        for line in self.set_cookies:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return answer

    def see(self, path: str) -> httpx.Response:
        """A page, and wherever it leads."""
        answer = self.ask("GET", path)
        while answer.status_code == 303:
            answer = self.ask("GET", _below(answer))
        return answer

    def fill(self, path: str, action: str = "", **typed: str) -> httpx.Response:
        """Fill in the form of a page that leads to an address, or its one form, and send it."""
        page = self.see(path)
        assert page.status_code in {200, 422}, page.status_code
        return self.send(page, action, **typed)

    def send(self, page: httpx.Response, action: str = "", **typed: str) -> httpx.Response:
        """Fill in a form of a page that is open, and send it; follows nothing."""
        found = [form for form in forms_of(page.text) if form.action.endswith(action)]
        assert len(found) == 1, [form.action for form in found]
        assert set(typed) <= set(found[0].fields), found[0].fields
        there = str(page.url.join(found[0].action)) if found[0].action else str(page.url)
        return self.ask("POST", there.partition("/console/")[2], {**found[0].fields, **typed})


def _below(answer: httpx.Response) -> str:
    return str(answer.url.join(answer.headers["location"])).partition("/console/")[2]


@dataclass
class Form:
    """A form of a page: where it goes, and what its fields hold."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(told.get("action", "")))
        if not self.found:
            return
        fields = self.found[-1].fields
        if tag == "input" and told.get("type") in {"checkbox", "radio"}:
            if "checked" in told or told["name"] not in fields:
                fields[told["name"]] = told["value"] if "checked" in told else ""
        elif tag in {"input", "textarea"} and "name" in told:
            fields[told["name"]] = told.get("value", "")
        elif tag == "select":
            self._select = told["name"]
        elif tag == "option" and ("selected" in told or self._select not in fields):
            fields[self._select] = told["value"]


def forms_of(html: str) -> list[Form]:
    """The forms of a page, in their order."""
    parser = _Forms()
    parser.feed(html)
    return parser.found
