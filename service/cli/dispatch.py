"""`aftervisit dispatch`: senders, set-aside deliveries, and what an outage left, from a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from service.cli.output import as_json, emit, examples, terminal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.reporting.senders import SenderStanding


@click.group()
def dispatch() -> None:
    """See how sending stands, and set going again what was stopped or set aside."""


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
        emit([_sender(sender) for sender in found])
        return
    _print_senders(found)


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


def _sender(sender: SenderStanding) -> dict[str, object]:
    return {
        "sender": sender.address,
        "channel": sender.channel,
        "clinics": list(sender.clinics),
        "per_second": sender.per_second,
        "standing": sender.standing,
        "since": _instant(sender.since),
        "code": sender.code or None,
        "reason": sender.reason or None,
        "next_try": _instant(sender.next_try),
        "today": sender.sent,
        "filtered": sender.filtered,
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _print_senders(found: Sequence[SenderStanding]) -> None:
    from rich import box  # noqa: PLC0415 - Rich is not for --json
    from rich.table import Table  # noqa: PLC0415

    if not found:
        click.echo("No carrier is set up, so there is no sender.")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading in ("Sender", "Clinics", "A second", "Today", "Standing"):
        table.add_column(heading)
    for sender in found:
        told: str = sender.standing
        if sender.standing == "stopped":
            told = f"stopped since {_instant(sender.since)}: {sender.reason} {sender.code}".strip()
        elif sender.standing == "waiting":
            told = f"waits until {_instant(sender.next_try)}"
        today = f"{sender.sent}" + (f" ({sender.filtered} filtered)" if sender.filtered else "")
        clinics = ", ".join(sender.clinics)
        table.add_row(sender.address, clinics, f"{sender.per_second:g}", today, told)
    terminal().print(table)
