"""Members of staff, for administrators: invite, change what they may, disable, send links.

An administrator of some clinics sees and makes members of these clinics alone; nobody else exists
for them, so that nobody gives away more than they have.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from service.accounts.accounts import read_email, read_language, read_name, read_role
from service.accounts.invitations import Sent
from service.accounts.members import LANGUAGES, Member
from service.accounts.roles import Role
from service.errors import InvalidInput, NotFound, require_all
from service.web.console.access import Administers, Visit
from service.web.console.account import LANGUAGE_NAMES, Word
from service.web.console.clocks import Clock, clock_of
from service.web.console.pages import console_router
from service.web.console.sign_in import Email

router = console_router()

Clinics = Annotated[list[str], Form(default_factory=list, max_length=500)]
Name = Annotated[str, Form(max_length=200)]


def _member(visit: Visit, identifier: str) -> Member:
    """A member that the visitor may change.

    Raises:
        NotFound: there is none, or they are of another clinic.
    """
    found = visit.core.accounts.load(identifier)
    if not visit.member.oversees(found.clinics):
        raise NotFound("There is no such member of staff.")
    return found


def _require_own(visit: Visit, clinics: list[str]) -> None:
    if not visit.member.oversees(tuple(clinics)):
        raise InvalidInput("clinics", "clinics_needed", "Choose one or more of your clinics.")


def _options(visit: Visit) -> dict[str, object]:
    """What there is to choose from."""
    say = visit.say("members")
    return {
        "roles": [(role.value, say[f"role_{role}"]) for role in Role],
        "clinics": [(clinic.id, clinic.name) for clinic in visit.clinics],
        "languages": [(each, LANGUAGE_NAMES[each]) for each in LANGUAGES],
    }


@router.get("/members")
def list_members(visit: Administers) -> Response:
    """List those of the visitor's clinics."""
    names = {clinic.id: clinic.name for clinic in visit.core.clinics.values()}
    clock = clock_of(visit)
    rows = [
        {
            "member": member,
            "clinics": ", ".join(names.get(each, each) for each in member.clinics),
            "signed_in": _signed_in(clock, member),
        }
        for member in visit.core.accounts.all()
        if visit.member.oversees(member.clinics)
    ]
    return visit.page("members", rows=rows, clock=clock)


def _signed_in(clock: Clock, member: Member) -> str:
    return "" if member.signed_in_ms is None else clock.at(member.signed_in_ms)


@router.get("/members/new")
def ask_for_member(visit: Administers) -> Response:
    """Ask whom to invite."""
    typed = {"email": "", "name": "", "role": "staff", "clinics": (), "language": visit.language}
    return visit.page("member_new", typed=typed, faults=[], options=_options(visit))


@router.post("/members")
def invite(
    visit: Administers,
    clinics: Clinics,
    email: Email = "",
    name: Name = "",
    role: Word = "",
    language: Word = "en",
) -> Response:
    """Invite a member; the link is shown where no e-mail can be sent."""
    try:
        require_all(
            lambda: read_name(name),
            lambda: read_email(email),
            lambda: read_role(role),
            lambda: _require_own(visit, clinics),
            lambda: read_language(language),
        )
        sent = visit.core.invitations.invite(
            email=email,
            name=name,
            role=role,
            clinics=clinics,
            language=language,
            source=visit.source,
            inviter=visit.member,
        )
    except InvalidInput as fault:
        typed = {"email": email, "name": name, "role": role, "language": language}
        return visit.page(
            "member_new",
            422,
            typed={**typed, "clinics": clinics},
            faults=visit.faults(fault),
            options=_options(visit),
        )
    return _sent(visit, sent, "members", "invited")


def _sent(visit: Visit, sent: Sent, path: str, done: str) -> Response:
    if sent.mailed:
        return visit.to(path, done=done)
    return visit.page("member_link", member=sent.member, link=sent.link)


@router.get("/members/{member}")
def show_member(visit: Administers, member: str) -> Response:
    """Show one member."""
    return _shown(visit, _member(visit, member))


def _shown(visit: Visit, member: Member, fault: InvalidInput | None = None) -> Response:
    clock = clock_of(visit)
    return visit.page(
        "member",
        422 if fault else 200,
        member=member,
        signed_in=_signed_in(clock, member),
        clock=clock,
        sessions=len(visit.core.sessions.of(member.id)),
        faults=visit.faults(fault),
        options=_options(visit),
    )


@router.post("/members/{member}/access")
def change_access(visit: Administers, member: str, clinics: Clinics, role: Word = "") -> Response:
    """Change what a member may, and whose patients they see; they sign in again."""
    found = _member(visit, member)
    try:
        _require_own(visit, clinics)
        visit.core.accounts.change_access(member, role=role, clinics=clinics, source=visit.source)
    except InvalidInput as fault:
        return _shown(visit, found, fault)
    return visit.to(f"members/{member}", done="saved")


@router.post("/members/{member}/disable")
def disable(visit: Administers, member: str) -> Response:
    """Let a member in no more, from this moment."""
    found = _member(visit, member)
    try:
        visit.core.accounts.disable(member, source=visit.source)
    except InvalidInput as fault:
        return _shown(visit, found, fault)
    return visit.to(f"members/{member}", done="disabled")


@router.post("/members/{member}/enable")
def enable(visit: Administers, member: str) -> Response:
    """Let a member in again."""
    _member(visit, member)
    visit.core.accounts.enable(member, source=visit.source)
    return visit.to(f"members/{member}", done="enabled")


@router.post("/members/{member}/link")
def send_link(visit: Administers, member: str) -> Response:
    """Send another invitation, or a link to choose a new password."""
    found = _member(visit, member)
    if found.id == visit.member.id:  # with their password only: the session may be stolen
        return visit.to("account/password")
    try:
        sent = visit.core.invitations.send_again(member, source=visit.source)
    except InvalidInput as fault:
        return _shown(visit, found, fault)
    return _sent(visit, sent, f"members/{member}", "link_sent")


@router.post("/members/{member}/second-factor")
def remove_second_factor(visit: Administers, member: str) -> Response:
    """Take the second factor off an account whose phone and codes are lost."""
    found = _member(visit, member)
    if found.id == visit.member.id:  # as above, and where one is required not at all
        return visit.to("account/second-factor/remove")
    visit.core.second_factor.remove(found, by=visit.source)
    return visit.to(f"members/{member}", done="factor_removed")


@router.post("/members/{member}/sessions")
def end_sessions(visit: Administers, member: str) -> Response:
    """Sign a member out everywhere."""
    found = _member(visit, member)
    visit.core.sessions.end_all(found.id, source=visit.source)
    return visit.to(f"members/{member}", done="signed_out")
