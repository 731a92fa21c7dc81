"""Who is at the console, and whether they may do what they ask for.

Every route of the console takes a `Visit`, through one of the annotations below, each of which
names the right that it needs. The annotation looks the session up, refuses what its member may not
do, and checks of every request that may change something that a page of ours sent it: by
``Sec-Fetch-Site`` or ``Origin``, and by the session's token in the form (OWASP ASVS 5.0, 3.5).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from service.accounts.members import Member
from service.accounts.roles import Right
from service.accounts.sessions import Session
from service.bootstrap import Core
from service.clinics import Clinic
from service.errors import InvalidInput, NotFound
from service.web.console.pages import CONSOLE, console_page
from service.web.language import words
from service.web.pages import root_of
from service.web.same_origin import from_own_page

FORM_TOKEN: Final = "form_token"  # noqa: S105 - a name
"""Name of the hidden field that every form of the console carries (``parts.form_token``)."""
_SAFE: Final = frozenset({"GET", "HEAD"})


class NotSignedIn(Exception):
    """There is no session, or it is over; the answer leads to the sign-in."""


class NotAllowed(Exception):
    """The member may not do this, or the request came from no page of ours."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A signed-in member asking for something."""

    request: Request
    core: Core
    session: Session

    @property
    def member(self) -> Member:
        """Who it is."""
        return self.session.member

    @property
    def language(self) -> str:
        """The language of the member's pages."""
        return self.member.language

    @property
    def source(self) -> str:
        """Who acts, as use cases and the audit want it."""
        return self.member.source

    @property
    def clinics(self) -> list[Clinic]:
        """The clinics that the member sees."""
        return [each for each in self.core.clinics.values() if self.member.sees(each.id)]

    def say(self, page: str) -> Mapping[str, str]:
        """The words of a page of the console, in the member's language."""
        return words(self.language)[f"console_{page}"]

    def require_clinic(self, clinic: str) -> None:
        """Refuse what belongs to a clinic that the member does not see, as if it did not exist.

        Raises:
            NotFound: it is none of theirs.
        """
        if not self.member.sees(clinic):
            raise NotFound("There is nothing here of a clinic that you see.")

    def page(self, name: str, status: int = 200, **values: object) -> Response:
        """A page of a template; it gets the visit as ``visit``."""
        return console_page(self.request, self.language, name, status, visit=self, **values)

    def faults(self, fault: InvalidInput | None) -> list[Mapping[str, str]]:
        """What to tell of wrong input, in the member's language: ``field`` and ``text`` of each.

        A field is told of once, by the first thing that is wrong with it.
        """
        say, told = self.say("faults"), dict[str, Mapping[str, str]]()
        for each in fault.every if fault else ():
            text = say.get(each.code, str(each))
            told.setdefault(each.field, {"field": each.field, "text": text})
        return list(told.values())

    def to(self, path: str, done: str = "") -> Response:
        """To another page of the console, after a form.

        Args:
            path: below ``/console/``.
            done: key of the notice that the page is to show, without its ``done_``.
        """
        told = f"?done={done}" if done else ""
        return RedirectResponse(f"{root_of(self.request)}{CONSOLE}/{path}{told}", 303)


@dataclass(frozen=True, slots=True)
class Needs:
    """Lets those pass who have a right; the tests read it from every route of the console.

    Attributes:
        right: None where being signed in is enough.
    """

    right: Right | None

    async def __call__(self, request: Request) -> Visit:
        """The visit.

        Raises:
            NotSignedIn: nobody is signed in.
            NotAllowed: the member lacks the right, or no page of ours sent the form.
        """
        core: Core = request.app.state.core
        token = request.cookies.get(cookie_name(core), "")
        session = await run_in_threadpool(core.sessions.find, token) if token else None
        if session is None:
            raise NotSignedIn
        # Before anything of a form is read, which may hold a file.
        if self.right is not None and not session.member.may(self.right):
            raise NotAllowed
        if request.method not in _SAFE:
            await _require_own_form(request, session.csrf)
        visit = Visit(request, core, session)
        request.state.visit = visit  # so that an error's page keeps the navigation
        return visit


async def _require_own_form(request: Request, expected: str) -> None:
    if not from_own_page(request):
        raise NotAllowed
    told = (await request.form()).get(FORM_TOKEN, "")
    # Half a pair of UTF-16, which some charset of a form comes to, is no token either.
    given = told.encode(errors="replace") if isinstance(told, str) else b""
    if not hmac.compare_digest(given, expected.encode()):
        raise NotAllowed


def cookie_name(core: Core) -> str:
    """Name of the session's cookie.

    Browsers keep a ``__Host-`` cookie to this host and to https (RFC 6265bis, 4.1.3.2), and so
    take none over plain http, which is for loopback only.
    """
    https = core.settings.public_base.startswith("https:")
    return "__Host-aftervisit" if https else "aftervisit"


SignedIn = Annotated[Visit, Depends(Needs(None))]
SeesPatients = Annotated[Visit, Depends(Needs(Right.SEE_PATIENTS))]
ChangesPatients = Annotated[Visit, Depends(Needs(Right.CHANGE_PATIENTS))]
SeesContent = Annotated[Visit, Depends(Needs(Right.SEE_CONTENT))]
ChangesSeries = Annotated[Visit, Depends(Needs(Right.CHANGE_SERIES))]
SeesInsight = Annotated[Visit, Depends(Needs(Right.SEE_INSIGHT))]
SeesAudit = Annotated[Visit, Depends(Needs(Right.SEE_AUDIT))]
Administers = Annotated[Visit, Depends(Needs(Right.ADMINISTER))]
