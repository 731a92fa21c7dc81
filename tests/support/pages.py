"""What stands on a page, as somebody reads it."""

from __future__ import annotations

import re
from html import unescape

import httpx

_UNSEEN = re.compile(r"(?s)<(script|style|head)\b.*?</\1>")
_MARKUP = re.compile(r"<[^>]+>")


def text_of(html: str) -> str:
    """The words of a page on one line, without its markup; hyphens that do not break are plain."""
    seen = _MARKUP.sub(" ", _UNSEEN.sub(" ", html))
    return " ".join(unescape(seen).replace("\u2011", "-").split())


def shown(answer: httpx.Response, status: int = 200) -> str:
    """The words of a page that came with a status."""
    assert answer.status_code == status, answer.text
    return text_of(answer.text)


def summary_of(answer: httpx.Response) -> list[tuple[str, str]]:
    """What the summary above a form tells: the field and the words of each fault, in its order."""
    (summary,) = re.findall(
        r'<div class="notice bad" role="alert".*?</div>', answer.text, re.DOTALL
    )
    return re.findall(r'<li><a href="#(\w+)">([^<]+)</a>', summary)


def hidden_fields(answer: httpx.Response, action: str) -> dict[str, str]:
    """The hidden fields of the form that leads to an address, without the session's token."""
    form = next(f for f in re.findall(r"<form.*?</form>", answer.text, re.DOTALL) if action in f)
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in found if name != "form_token"}
