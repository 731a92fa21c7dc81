"""A member of staff at the console, over real HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

import httpx

from service.accounts.members import Member
from service.accounts.roles import Role
from service.web.console.access import FORM_TOKEN, cookie_name
from tests.support.web import Site

PASSWORD = "a long enough pass phrase"
_numbers = count(1)


@dataclass(frozen=True)
class Desk:
    """A browser in which a member is signed in; it follows no redirect by itself."""

    site: Site
    member: Member
    token: str

    @property
    def form_token(self) -> str:
        """What every form of theirs carries."""
        session = self.site.core.sessions.find(self.token)
        assert session is not None, "the session is over"
        return session.csrf

    @property
    def cookie(self) -> str:
        """The header of the same name."""
        return f"{cookie_name(self.site.core)}={self.token}"

    def is_signed_in(self) -> bool:
        """Whether the session goes on."""
        return self.site.core.sessions.find(self.token) is not None

    def request(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Ask for an address of the site as a browser on a page of ours would."""
        told = {"cookie": self.cookie, **(headers or {"sec-fetch-site": "same-origin"})}
        return self.site.client.request(method, path, data=form, headers=told)

    def get(self, path: str) -> httpx.Response:
        """A page; ``path`` is below ``/console/``."""
        return self.request("GET", f"/console/{path}")

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form, and do not follow where it leads."""
        form = {FORM_TOKEN: self.form_token, **fields}
        return self.request("POST", f"/console/{path}", form)

    def follow(self, path: str, **fields: str) -> httpx.Response:
        """Send a form, and go where it leads."""
        answer = self.post(path, **fields)
        assert answer.status_code == 303, answer.text
        return self.request("GET", str(answer.url.join(answer.headers["location"])))


def signed_in(site: Site, role: Role = Role.STAFF, *clinics: str, language: str = "en") -> Desk:
    """A new member of a role, signed in; of every clinic, or of those named."""
    member = _member(site, role, clinics, language)
    token = site.core.sessions.start(member.id)
    return Desk(site, member, token)


def _member(site: Site, role: Role, clinics: tuple[str, ...], language: str) -> Member:
    number = next(_numbers)
    return site.core.accounts.create(
        email=f"{role.value}{number}@clinic.example",
        name=f"{role.value.title()} {number}",
        role=role,
        clinics=clinics,
        language=language,
        password=PASSWORD,
        source="test",
    )
