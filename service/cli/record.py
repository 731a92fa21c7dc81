"""`aftervisit patients change`, `export` and `erase`: what is held of one patient."""

from __future__ import annotations

import sys

import click

from service.cli.output import as_json, emit, examples
from service.errors import InvalidInput

_ID = click.argument("patient")


@click.command(
    short_help="Change a patient's language, zone, bedtime or channel.",
    epilog=examples(
        "aftervisit patients change 0j4zz670ccqp --timezone America/New_York",
        "aftervisit patients change 0j4zz670ccqp --language es --bedtime 21:30",
        "aftervisit patients change 0j4zz670ccqp --prefers email",
    ),
)
@_ID
@click.option("--language", default="", metavar="CODE", help="Language of the messages: en, es.")
@click.option("--timezone", default="", metavar="ZONE", help="Such as America/New_York.")
@click.option("--bedtime", default="", metavar="HH:MM", help="Usual bedtime.")
@click.option(
    "--prefers",
    default="",
    metavar="CHANNEL",
    help="sms or email, as far as the patient agreed to it; either: each message by its own.",
)
@as_json
def change(patient: str, as_json: bool, **details: str) -> None:
    """Change what a patient told about themselves.

    What is still to come is planned anew; nothing is sent twice. In another time zone the state
    on record counts no more, and the strictest quiet hours hold.
    """
    from service.cli.opening import opened, operator  # noqa: PLC0415 - --help needs none of it
    from service.staff.details import Details  # noqa: PLC0415

    with opened() as core:
        changed = core.details.change(patient, Details(**details), source=operator())
    if as_json:
        emit({"patient": patient, "changed": list(changed)})
    else:
        click.echo(f"Changed: {', '.join(changed)}" if changed else "Nothing was different.")


@click.command(
    short_help="Print all that is held about a patient, as JSON.",
    epilog=examples("aftervisit patients export 0j4zz670ccqp > ana.json"),
)
@_ID
def export(patient: str) -> None:
    """Print all that is held about a patient, decrypted, as JSON.

    It is what the patient downloads from their own page. Hand it to nobody else.
    """
    from service.cli.opening import opened  # noqa: PLC0415

    with opened() as core:
        emit(core.holdings.of(patient))


@click.command(
    short_help="Erase a patient for good.",
    epilog=examples(
        "aftervisit patients erase 0j4zz670ccqp", "aftervisit patients erase 0j4zz670ccqp --yes"
    ),
)
@_ID
@click.option("--yes", is_flag=True, help="Do not ask first.")
@as_json
def erase(patient: str, yes: bool, as_json: bool) -> None:
    """Erase a patient for good: contact, series, history, and whom consents were of.

    Nothing brings it back. Opt-outs of the phone and the mailbox stay, so that a list with them on
    it writes to nobody; of consents it stays that there were some, to which wording and when.
    """
    from service.cli.opening import opened, operator  # noqa: PLC0415

    with opened() as core:
        core.patients.load(patient)
        if not yes:
            _confirm(patient)
        erased = core.erasure.erase(patient, source=operator())
    if as_json:
        emit(
            {
                "patient": patient,
                "ended": list(erased.subscriptions),
                "consents_kept": erased.consents,
            }
        )
    else:
        click.echo(f"Erased: {patient}")


def _confirm(patient: str) -> None:
    if not sys.stdin.isatty():
        raise InvalidInput(
            "yes", "not_confirmed", "Erasing cannot be undone. Add --yes where nobody can be asked."
        )
    click.confirm(f"Erase {patient} for good? Nothing brings it back.", abort=True, err=True)
