"""`aftervisit patients`: find, show, pause, resume, stop, from a shell; see also ``record``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from service.cli.options import WholeNumber, read_date
from service.cli.output import as_json, emit, examples, note, terminal
from service.cli.record import change, erase, export
from service.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.bootstrap import Core
    from service.reporting.people import People, Person
    from service.store.records import Channel

_ID = click.argument("patient")
_SERIES = click.option(
    "--series", default=None, metavar="NAME", help="This series only. [default: all of them]"
)


@click.group()
def patients() -> None:
    """Find patients, show, change or erase one, pause, resume or stop their messages.

    What is shown is patient data: mind who sees your screen, and where the output goes.
    """


for command in (change, export, erase):
    patients.add_command(command)


@patients.command("list", epilog=examples("aftervisit patients list --limit 20"))
@click.option(
    "--limit", type=WholeNumber(1, 100_000), default=200, show_default=True, help="At most."
)
@as_json
def list_patients(limit: int, as_json: bool) -> None:
    """List patients with their series; no phone numbers, no mailboxes."""
    from service.cli.opening import opened  # noqa: PLC0415 - --help needs none of it

    with opened() as core:
        found, more = _people(core).some(limit)
    _print_rows(found, as_json=as_json)
    if more:
        note(f"There are more than {limit}; raise --limit, or use `aftervisit patients find`.")


@patients.command(
    short_help="Find who uses a phone number or a mailbox, or has a name.",
    epilog=examples(
        'aftervisit patients find --phone "(503) 555-0142"',
        "aftervisit patients find --email ana@example.org --json",
        "aftervisit patients find --name Ana",
    ),
)
@click.option("--phone", default="", metavar="NUMBER", help="Mobile number.")
@click.option("--email", default="", metavar="ADDRESS", help="Mailbox.")
@click.option("--name", default="", metavar="NAME", help="Whole given name, in any case.")
@click.option(
    "--country", default="US", show_default=True, help="Of a number without a country code."
)
@as_json
def find(phone: str, email: str, name: str, country: str, as_json: bool) -> None:
    """Find the patients who use a phone number or a mailbox, or who have a name.

    Families may share an address. Of a name that many have, the hundred newest are shown.
    Exits with 1 where there is none.
    """
    from service.cli.opening import opened  # noqa: PLC0415

    if name:
        if phone or email:
            raise InvalidInput("name", "address_missing", "Give a name or an address, not both.")
        with opened() as core:
            named = core.finding.named(name, size=100).found
            found = _people(core).those(each.contact.id for each in named)
        what = "name"
    else:
        channel, address = _address(phone, email, country)
        with opened() as core:
            found = _people(core).at(channel, address)
        what = "phone number" if channel == "sms" else "mailbox"
    if not found:
        raise NotFound(f"No patient has this {what}. Check it, or enrol them.")
    _print_rows(found, as_json=as_json)


@patients.command(
    short_help="Enter everybody in the lists that staff search.",
    epilog=examples("aftervisit patients relist"),
)
@as_json
def relist(as_json: bool) -> None:
    """Enter in the lists that staff search whoever is missing there; while everything goes on.

    Needed once after an update during which parts of the older release went on enrolling.
    """
    from service.cli.opening import opened  # noqa: PLC0415

    with opened() as core:
        entered = core.listing.run(lambda count: note(f"{count:,} patients looked at"))
    if as_json:
        emit({"entered": entered})
    else:
        click.echo(f"{entered:,} patients were missing, and are listed now.")


@patients.command(epilog=examples("aftervisit patients show 0j4zz670ccqp"))
@_ID
@as_json
def show(patient: str, as_json: bool) -> None:
    """Show one patient: contact, consent on record, opt-outs, series.

    PATIENT is an id; `aftervisit patients find` gives it for a phone number or a mailbox.
    """
    from service.cli.opening import opened  # noqa: PLC0415
    from service.reporting.people import record  # noqa: PLC0415

    with opened() as core:
        people = _people(core)
        person, consents = people.person(patient), people.evidence(patient)
    if as_json:
        emit({**record(person), "consents": consents})
        return
    from service.cli.people import card  # noqa: PLC0415

    terminal().print(card(person, consents))


@patients.command(
    short_help="Pause a patient's messages until they are resumed.",
    epilog=examples(
        "aftervisit patients pause 0j4zz670ccqp",
        "aftervisit patients pause 0j4zz670ccqp --series restless-legs",
        "aftervisit patients pause 0j4zz670ccqp --until 2026-06-01",
    ),
)
@_ID
@_SERIES
@click.option(
    "--until",
    default="",
    metavar="DATE",
    help="Go on by themselves on that day. [default: when resumed]",
)
@as_json
def pause(patient: str, series: str | None, until: str, as_json: bool) -> None:
    """Pause a patient's messages until a day, or until they are resumed.

    Nothing is sent to say so, and no opt-out is recorded; for that, see `stop`.
    """
    from service.cli.opening import opened, operator  # noqa: PLC0415

    day = read_date("until", until) if until.strip() else None
    with opened() as core:
        moved = core.staff.pause(patient, series=series, source=operator(), until=day)
    _print_moved(patient, "paused", moved, as_json=as_json)


@patients.command(epilog=examples("aftervisit patients resume 0j4zz670ccqp"))
@_ID
@_SERIES
@as_json
def resume(patient: str, series: str | None, as_json: bool) -> None:
    """Resume a patient's paused messages.

    What came due meanwhile follows the series' own rule: at most one message a day.
    """
    from service.cli.opening import opened, operator  # noqa: PLC0415

    with opened() as core:
        moved = core.staff.resume(patient, series=series, source=operator())
    _print_moved(patient, "resumed", moved, as_json=as_json)


@patients.command(
    short_help="Undo a stop of one series that staff made by mistake.",
    epilog=examples("aftervisit patients restart 0j4zz670ccqp --series restless-legs"),
)
@_ID
@click.option("--series", required=True, metavar="NAME", help="The series that was stopped.")
@as_json
def restart(patient: str, series: str, as_json: bool) -> None:
    """Undo a stop of one series that staff made in the console, within seven days.

    It goes on where it was, at most one message a day. What the patient has stopped stays so, and
    so does a series after whose stop they opted out. It does not undo `stop`.
    """
    from service.cli.opening import opened, operator  # noqa: PLC0415

    with opened() as core:
        subscription = core.restarting.restart_series(patient, series, source=operator())
    _print_moved(patient, "restarted", [subscription], as_json=as_json)


@patients.command(epilog=examples("aftervisit patients stop 0j4zz670ccqp"))
@_ID
@as_json
def stop(patient: str, as_json: bool) -> None:
    """Stop all messages to a patient's phone and mailbox, for good.

    Whoever shares the phone or the mailbox gets nothing there either, and is named. No
    confirmation is sent, and the patient's own START does not undo it.
    """
    from service.cli.opening import opened, operator  # noqa: PLC0415

    with opened() as core:
        stopped = core.staff.stop(patient, source=operator())
    if as_json:
        emit(
            {
                "patient": patient,
                "suppressed": list(stopped.channels),
                "ended": list(stopped.ended),
                "sharing": {channel: list(ids) for channel, ids in stopped.sharing.items()},
            }
        )
        return
    words = {"sms": "texts", "email": "e-mail"}
    click.echo(f"Stopped for {patient}: {' and '.join(words[c] for c in stopped.channels)}.")
    for channel, others in stopped.sharing.items():
        click.echo(f"Shared, so {words[channel]} stopped for these too: {', '.join(others)}")
    if stopped.ended:
        click.echo(f"Ended: {', '.join(stopped.ended)}")


def _people(core: Core) -> People:
    from service.reporting.people import People  # noqa: PLC0415

    return People(core.patients, core.suppressions)


def _address(phone: str, email: str, country: str) -> tuple[Channel, str]:
    from messages.addresses import AddressError, parse_email, parse_phone  # noqa: PLC0415

    if bool(phone) == bool(email):
        raise InvalidInput("phone", "address_missing", "Give --phone, --email or --name.")
    try:
        return ("sms", parse_phone(phone, country)) if phone else ("email", parse_email(email))
    except AddressError as error:
        raise InvalidInput("phone" if phone else "email", error.code, str(error)) from None


def _print_rows(found: Sequence[Person], *, as_json: bool) -> None:
    from service.reporting.people import row  # noqa: PLC0415

    if as_json:
        emit([row(person) for person in found])
        return
    from service.cli.people import table  # noqa: PLC0415

    terminal().print(table(found))


def _print_moved(patient: str, word: str, moved: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        emit({"patient": patient, word: list(moved)})
    else:
        click.echo(f"{word.capitalize()}: {', '.join(moved)}")
