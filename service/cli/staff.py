"""`aftervisit staff`: who may sign in to the console; the first member comes from here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from service.accounts.roles import RIGHTS, Role
from service.cli.output import as_json, emit, examples, terminal

if TYPE_CHECKING:
    from service.accounts.invitations import Sent
    from service.accounts.members import Member
    from service.bootstrap import Core

_ROLES = tuple(role.value for role in Role)
_WHO = click.argument("member")
_CLINIC = click.option(
    "--clinic",
    "clinics",
    multiple=True,
    metavar="ID",
    help="Whose patients they see; repeat it for several. [default: every clinic's]",
)


@click.group()
def staff() -> None:
    """Say who may sign in to the console, and what they may do there.

    A MEMBER is named by e-mail address or id.
    """


@staff.command(
    epilog=examples(
        'aftervisit staff invite ana@clinic.example --name "Ana Lopez" --role admin',
        "aftervisit staff invite ben@clinic.example --name Ben --role staff --clinic riverside",
    )
)
@click.argument("email")
@click.option("--name", required=True, help="As other members see it.")
@click.option("--role", type=click.Choice(_ROLES), required=True, help="What they may.")
@_CLINIC
@click.option("--language", type=click.Choice(("en", "es")), default="en", show_default=True)
@as_json
def invite(
    email: str, name: str, role: str, clinics: tuple[str, ...], language: str, as_json: bool
) -> None:
    """Invite a member, by a link that lets them choose a password: once, within 72 hours.

    It goes by e-mail where that is set up. Whoever has the link can choose the password.
    """
    from service.cli.opening import opened, operator  # noqa: PLC0415 - --help needs none of it

    with opened() as core:
        sent = core.invitations.invite(
            email=email,
            name=name,
            role=role,
            clinics=clinics,
            language=language,
            source=operator(),
        )
    _tell_link(sent, as_json=as_json)


def _tell_link(sent: Sent, *, as_json: bool) -> None:
    if as_json:
        emit({**row(sent.member), "link": sent.link, "mailed": sent.mailed})
        return
    way = "It is on its way by e-mail, too." if sent.mailed else "Hand it over in person."
    click.echo(f"{sent.link}\nThis link lets {sent.member.name} choose a password, once. {way}")


@staff.command("list", epilog=examples("aftervisit staff list --json"))
@as_json
def list_members(as_json: bool) -> None:
    """List the members."""
    from service.cli.opening import opened  # noqa: PLC0415

    with opened() as core:
        found = core.accounts.all()
    if as_json:
        emit([row(member) for member in found])
        return
    from service.cli.staff_cards import table  # noqa: PLC0415 - a tenth of a second

    terminal().print(table([row(member) for member in found]))


@staff.command(
    short_help="Show the roles, or give a member another.",
    epilog=examples(
        "aftervisit staff roles",
        "aftervisit staff roles ben@clinic.example --role author",
        "aftervisit staff roles ben@clinic.example --clinic riverside --clinic hillside",
    ),
)
@click.argument("member", required=False)
@click.option("--role", type=click.Choice(_ROLES), help="From now on. [default: as it is]")
@click.option(
    "--clinic",
    "clinics",
    multiple=True,
    metavar="ID",
    help="Whose patients they see from now on. [default: as it is]",
)
@click.option("--every-clinic", is_flag=True, help="They see all patients from now on.")
@as_json
def roles(
    member: str | None,
    role: str | None,
    clinics: tuple[str, ...],
    every_clinic: bool,
    as_json: bool,
) -> None:
    """Show what each role may; with a MEMBER, give them another role or other clinics.

    They have to sign in again.
    """
    if member is None:
        _tell_roles(as_json=as_json)
        return
    if every_clinic and clinics:
        raise click.UsageError("Give --clinic or --every-clinic, not both.")
    from service.cli.opening import opened, operator  # noqa: PLC0415

    with opened() as core:
        known = _found(core, member)
        changed = core.accounts.change_access(
            known.id,
            role=role or known.role,
            clinics=() if every_clinic else clinics or known.clinics,
            source=operator(),
        )
    where = ", ".join(changed.clinics) or "every clinic"
    _tell(changed, f"{changed.name} is {changed.role} for {where}.", as_json=as_json)


def _tell_roles(*, as_json: bool) -> None:
    told = {role.value: sorted(right.value for right in RIGHTS[role]) for role in Role}
    if as_json:
        emit([{"role": role, "rights": rights} for role, rights in told.items()])
        return
    for role, rights in told.items():
        click.echo(f"{role:8}{', '.join(rights).replace('_', ' ')}")


@staff.command(epilog=examples("aftervisit staff disable ben@clinic.example"))
@_WHO
@as_json
def disable(member: str, as_json: bool) -> None:
    """Let a member in no more, from this moment; what they did stays in the audit."""
    from service.cli.opening import opened, operator  # noqa: PLC0415

    with opened() as core:
        changed = core.accounts.disable(_found(core, member).id, source=operator())
    _tell(changed, f"{changed.name} cannot sign in any more.", as_json=as_json)


@staff.command(epilog=examples("aftervisit staff enable ben@clinic.example"))
@_WHO
@as_json
def enable(member: str, as_json: bool) -> None:
    """Let a member in again."""
    from service.cli.opening import opened, operator  # noqa: PLC0415

    with opened() as core:
        changed = core.accounts.enable(_found(core, member).id, source=operator())
    _tell(changed, f"{changed.name} can sign in again.", as_json=as_json)


@staff.command(
    short_help="Make a link for a new password.",
    epilog=examples(
        "aftervisit staff reset ben@clinic.example",
        "aftervisit staff reset ben@clinic.example --second-factor",
    ),
)
@_WHO
@click.option(
    "--second-factor",
    is_flag=True,
    help="Also remove it, where phone and recovery codes are lost. Make sure who asks.",
)
@as_json
def reset(member: str, second_factor: bool, as_json: bool) -> None:
    """Make a link that lets a member choose a new password; invite again who never did.

    The link before it is dead. It goes by e-mail where that is set up.
    """
    from service.cli.opening import opened, operator  # noqa: PLC0415

    with opened() as core:
        found = _found(core, member)
        if second_factor:
            core.second_factor.remove(found, by=operator())
        sent = core.invitations.send_again(found.id, source=operator())
    _tell_link(sent, as_json=as_json)


def _found(core: Core, who: str) -> Member:
    return core.accounts.find_by_email(who) if "@" in who else core.accounts.load(who)


def _tell(member: Member, sentence: str, *, as_json: bool) -> None:
    if as_json:
        emit(row(member))
    else:
        click.echo(sentence)


def row(member: Member) -> dict[str, object]:
    """A member as JSON has them."""
    from service.clock import from_ms  # noqa: PLC0415

    at = member.signed_in_ms
    return {
        "member": member.id,
        "name": member.name,
        "email": member.email,
        "role": member.role.value,
        "clinics": list(member.clinics) or None,
        "language": member.language,
        "standing": member.standing,
        "second_factor": member.second_factor,
        "signed_in": None if at is None else from_ms(at).isoformat(timespec="seconds"),
    }
