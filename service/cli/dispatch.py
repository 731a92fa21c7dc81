"""`aftervisit dispatch`: senders, set-aside deliveries, and what an outage left, from a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from service.cli import dispatch_views as views
from service.cli.options import WholeNumber
from service.cli.output import as_json, emit, examples, terminal
from service.errors import InvalidInput

if TYPE_CHECKING:
    from service.dispatch.dead_letters import DeadLetters, Retried
    from service.reporting.backlog import Policy


@click.group()
def dispatch() -> None:
    """See how sending stands, and set going again what was stopped or set aside."""


@dispatch.command(
    epilog=examples("aftervisit dispatch status", "aftervisit dispatch status --json")
)
@as_json
def status(as_json: bool) -> None:
    """Show how sending stands: what waits, is under way, in question or set aside."""
    from service.cli.opening import opened  # noqa: PLC0415 - --help needs none of it

    with opened() as core:
        found = core.statuses.now()
    if as_json:
        emit(views.status(found))
    else:
        terminal().print(views.status_table(found))


@dispatch.command(
    epilog=examples("aftervisit dispatch senders", "aftervisit dispatch senders --json")
)
@as_json
def senders(as_json: bool) -> None:
    """List the senders: their rate, today's count, and whether a provider refuses them."""
    from service.cli.opening import opened  # noqa: PLC0415 - --help needs none of it

    with opened() as core:
        found = core.sender_list.all()
    if as_json:
        emit([views.sender(sender) for sender in found])
    else:
        terminal().print(views.senders(found))


@dispatch.command(epilog=examples("aftervisit dispatch resume +15035550142"))
@click.argument("sender")
@as_json
def resume(sender: str, as_json: bool) -> None:
    """Let a stopped sender send again at once.

    A stopped sender is tried with one message a minute and goes on by itself when that works; this
    command is for those who have mended it and do not want to wait. Nothing was lost meanwhile.
    """
    from service.cli.opening import opened, operator  # noqa: PLC0415

    with opened() as core:
        resumed = core.sender_list.resume(sender, source=operator())
    if as_json:
        emit({"sender": sender, "resumed": resumed})
    else:
        click.echo(f"{sender} sends again." if resumed else f"{sender} was not stopped.")


@dispatch.command(
    "dead-letters",
    epilog=examples(
        "aftervisit dispatch dead-letters",
        "aftervisit dispatch dead-letters --patient 0j4zz670ccqp --json",
    ),
)
@click.option("--patient", default=None, metavar="PATIENT", help="Those of one patient.")
@click.option(
    "--limit", type=WholeNumber(1, 100_000), default=200, show_default=True, help="At most."
)
@as_json
def dead_letters(patient: str | None, limit: int, as_json: bool) -> None:
    """List deliveries that were set aside, were refused, or are unknown, with the reason.

    What was set aside (parked) or refused (failed) may be tried again, see `retry`. What is unknown
    may have arrived, and is never sent again. After 90 days they leave this list; `explain` still
    shows them.
    """
    from service.cli.opening import opened  # noqa: PLC0415

    with opened() as core:
        found = core.dead_letters.some(limit, patient)
    if as_json:
        emit([views.dead_letter(letter) for letter in found])
    else:
        terminal().print(views.dead_letters(found))


@dispatch.command(
    epilog=examples(
        "aftervisit dispatch retry 0j4zz670ccqp.1.7",
        "aftervisit dispatch retry 0j4zz670ccqp",
        "aftervisit dispatch retry --all",
    )
)
@click.argument("what", required=False, default="")
@click.option("--all", "every", is_flag=True, help="Every dead letter that may be tried again.")
@as_json
def retry(what: str, every: bool, as_json: bool) -> int:
    """Have dead letters tried again: one (PATIENT.N.STEP), those of a patient, or all.

    Only what never reached the provider, or was refused by it, and is still useful; at the hours
    and within the caps of any message. Asked twice, it is done once. Exits with 1 where what was
    asked for is refused.
    """
    from service.cli.opening import opened, operator  # noqa: PLC0415

    if every == bool(what):
        raise InvalidInput("what", "what_missing", "Give a delivery, a patient, or --all.")
    with opened() as core:
        found = _retried(core.dead_letters, what, operator())
    if as_json:
        emit([views.retried(one) for one in found])
    else:
        for one in found:
            click.echo(f"{one.id}: {one.sentence}")
        if not found:
            click.echo("There is nothing that may be tried again.")
    return int(bool(what) and any(one.outcome == "refused" for one in found))


def _retried(letters: DeadLetters, what: str, source: str) -> list[Retried]:
    from service.store.dead_letters import DeliveryId  # noqa: PLC0415

    delivery = DeliveryId.parse(what)
    if delivery is not None:
        return [letters.retry(delivery, source=source)]
    if "." in what:
        raise InvalidInput("what", "delivery_bad", "Give a delivery as 0j4zz670ccqp.1.7.")
    return list(letters.retry_all(source=source, patient=what or None))


@dispatch.command(
    epilog=examples(
        "aftervisit dispatch backlog --dry-run",
        "aftervisit dispatch backlog --dry-run --policy latest --json",
    )
)
@click.option("--dry-run", is_flag=True, help="Say what would happen; there is no other way.")
@click.option(
    "--policy",
    type=click.Choice(["as_written", "skip", "latest", "spread"]),
    default=None,
    help="As the series say, or as if each had this catch-up policy. [default: all of them]",
)
@as_json
def backlog(dry_run: bool, policy: Policy | None, as_json: bool) -> None:
    """Show what would happen now to all that is overdue: what goes when, and what is passed over.

    Nothing has to be set going after an outage: as soon as beat and a worker run, what is overdue
    follows the catch-up policy of its series, within hours and caps. This command only reads.
    """
    from service.cli.opening import opened  # noqa: PLC0415
    from service.reporting.backlog import POLICIES  # noqa: PLC0415

    if not dry_run:
        raise InvalidInput(
            "dry-run",
            "dry_run_missing",
            "What is overdue goes by itself once beat and a worker run. To see how, add --dry-run.",
        )
    with opened() as core:
        found = core.backlogs.forecast(POLICIES if policy is None else (policy,))
    if as_json:
        emit(views.backlog(found))
    else:
        terminal().print(views.backlog_table(found))
