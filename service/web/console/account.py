"""One's own account: language, password, second factor, sessions."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Form, Request
from starlette.responses import Response

from service.accounts.members import LANGUAGES
from service.accounts.second_factor import Proposal
from service.errors import InvalidInput
from service.web.console.access import SignedIn, Visit
from service.web.console.aside import hashing
from service.web.console.clocks import clock_of
from service.web.console.cookies import AskerOf, forget, renew, token_of
from service.web.console.pages import console_router
from service.web.console.qr import qr_of
from service.web.console.sign_in import Code, Password

router = console_router()

LANGUAGE_NAMES = {"en": "English", "es": "Español"}
"""Each in itself, for who does not read the others."""
Word = Annotated[str, Form(max_length=64)]


@router.get("/account")
def show_account(request: Request, visit: SignedIn) -> Response:
    """Show the member's own account."""
    core, member, clock = visit.core, visit.member, clock_of(visit)
    here = core.sessions.id_of(token_of(request, core))
    sessions = [
        {
            "id": each.id,
            "browser": each.browser,
            "started": clock.at(each.started_ms),
            "seen": clock.at(each.seen_ms),
            "here": each.id == here,
        }
        for each in core.sessions.of(member.id)
    ]
    return visit.page(
        "account",
        member=member,
        clinics=[core.clinics[each].name for each in member.clinics if each in core.clinics],
        languages=[(each, LANGUAGE_NAMES[each]) for each in LANGUAGES],
        codes_left=core.second_factor.codes_left(member.id),
        required=core.sign_in.required,
        sessions=sessions,
        clock=clock,
    )


@router.post("/account/language")
def change_language(visit: SignedIn, language: Word = "") -> Response:
    """Show the console in another language from now on."""
    if language in LANGUAGES:
        visit.core.accounts.change_language(visit.member.id, language, source=visit.source)
    return visit.to("account", done="saved")


@router.get("/account/password")
def ask_for_password(visit: SignedIn) -> Response:
    """Ask for a new password."""
    return visit.page("account_password", faults=[])


@router.post("/account/password")
async def change_password(
    visit: SignedIn, asker: AskerOf, current: Password = "", password: Password = ""
) -> Response:
    """Choose another password; every other session is over."""
    change = visit.core.own_account.change_password
    try:
        token = await hashing(change, visit.member, current, password, asker)
    except InvalidInput as fault:
        return visit.page("account_password", 422, faults=visit.faults(fault))
    answer = visit.to("account", done="password")
    renew(answer, visit.core, token)
    return answer


@router.get("/account/second-factor")
def show_second_factor(visit: SignedIn) -> Response:
    """Show what to put into an app."""
    return _proposed(visit, visit.core.second_factor.propose(visit.member))


def _proposed(visit: Visit, proposal: Proposal, fault: InvalidInput | None = None) -> Response:
    return visit.page(
        "account_factor",
        422 if fault else 200,
        proposal=proposal,
        qr=qr_of(proposal.uri),
        faults=visit.faults(fault),
    )


@router.post("/account/second-factor")
async def set_second_factor(
    visit: SignedIn,
    asker: AskerOf,
    current: Password = "",
    sealed: Annotated[str, Form(max_length=1024)] = "",
    code: Code = "",
) -> Response:
    """Set it up; the recovery codes are shown once, and every other session is over."""
    core, member = visit.core, visit.member
    change = core.own_account.set_second_factor
    try:
        token, codes = await hashing(change, member, current, sealed, code, asker)
    except InvalidInput as fault:
        factor = core.second_factor
        old = fault.code == "proposal_old"
        proposal = factor.propose(member) if old else _again(visit, sealed)
        return _proposed(visit, proposal, fault)
    answer = _codes(_renewed(visit, token), codes)
    renew(answer, core, token)
    return answer


def _again(visit: Visit, sealed: str) -> Proposal:
    """The secret that the app has already; a new one where the form was meddled with."""
    factor = visit.core.second_factor
    try:
        return factor.proposed(visit.member, sealed)
    except InvalidInput:
        return factor.propose(visit.member)


def _renewed(visit: Visit, token: str) -> Visit:
    """The visit with its new session: the forms of the page are to carry its token."""
    session = visit.core.sessions.find(token)
    return Visit(visit.request, visit.core, session) if session else visit


def _codes(visit: Visit, codes: list[str]) -> Response:
    return visit.page("recovery_codes", codes=codes, to="account")


@router.get("/account/second-factor/remove")
def ask_to_remove(visit: SignedIn) -> Response:
    """Ask whether to do without a second factor."""
    return _sure(visit, "remove")


def _sure(
    visit: Visit, what: Literal["remove", "codes"], fault: InvalidInput | None = None
) -> Response:
    """Ask whether to do it, and for the password, which a session alone does not know."""
    status = 422 if fault else 200
    return visit.page("account_sure", status, faults=visit.faults(fault), what=what)


@router.post("/account/second-factor/remove")
async def remove_second_factor(visit: SignedIn, asker: AskerOf, current: Password = "") -> Response:
    """Do without a second factor, where that is allowed."""
    remove = visit.core.own_account.remove_second_factor
    try:
        token = await hashing(remove, visit.member, current, asker)
    except InvalidInput as fault:
        return _sure(visit, "remove", fault)
    answer = visit.to("account", done="factor_removed")
    renew(answer, visit.core, token)
    return answer


@router.get("/account/codes")
def ask_for_codes(visit: SignedIn) -> Response:
    """Ask whether to make new recovery codes."""
    return _sure(visit, "codes")


@router.post("/account/codes")
async def renew_codes(visit: SignedIn, asker: AskerOf, current: Password = "") -> Response:
    """Make new recovery codes, shown once; those from before are worthless."""
    renewed = visit.core.own_account.renew_codes
    try:
        codes = await hashing(renewed, visit.member, current, asker)
    except InvalidInput as fault:
        return _sure(visit, "codes", fault)
    return _codes(visit, codes)


@router.post("/account/sessions/end")
def end_session(visit: SignedIn, session: Word = "") -> Response:
    """End one of the member's own sessions, on whatever machine it is used."""
    visit.core.sessions.end_one(visit.member.id, session)
    return visit.to("account", done="session_ended")


@router.post("/account/sessions/end-all")
def end_sessions(visit: SignedIn) -> Response:
    """Sign out everywhere, here too."""
    visit.core.sessions.end_all(visit.member.id)
    answer = visit.to("sign-in", done="signed_out")
    forget(answer, visit.core)
    return answer
