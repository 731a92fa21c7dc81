"""`aftervisit explain`: why did she get nothing on Tuesday?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from service.cli.output import as_json, emit, examples, terminal

if TYPE_CHECKING:
    from datetime import datetime

    from service.reporting.events import Event
    from service.reporting.lines import Line


@click.command(
    epilog=examples(
        "aftervisit explain 0j4zz670ccqp",
        "aftervisit explain 0j4zz670ccqp --date 2026-03-03",
        "aftervisit explain 0j4zz670ccqp --date 2026-03-03 --replies",
    )
)
@click.argument("patient")
@click.option(
    "--date", "day", default="", metavar="DATE", help="One day of the patient's calendar."
)
@click.option("--replies", is_flag=True, help="Show replies with the patient's own words.")
@as_json
def explain(patient: str, day: str, replies: bool, as_json: bool) -> None:
    """Show what a patient was sent, what comes, why something does not, and what happened.

    PATIENT is an id; `aftervisit patients find` gives it for a phone number or a mailbox.
    Times are on the patient's own clock.
    """
    from service.cli.opening import opened  # noqa: PLC0415 - --help needs none of it
    from service.cli.options import read_date  # noqa: PLC0415

    wanted = read_date("date", day) if day else None
    with opened() as core:
        told = core.explain.account(patient, wanted, texts=replies)
    if as_json:
        emit([_as_json(each) for each in told])
        return
    from service.cli.reasons import account  # noqa: PLC0415

    terminal().print(account(told))


def _as_json(told: Line | Event) -> dict[str, object]:
    from service.reporting.lines import Line  # noqa: PLC0415

    return _line_as_json(told) if isinstance(told, Line) else _event_as_json(told)


def _event_as_json(event: Event) -> dict[str, object]:
    """The same six keys as a delivery has; it was due when it happened."""
    return {
        "due": _iso(event.at),
        "step": None,
        "channel": event.channel,
        "outcome": event.outcome,
        "reason": event.reason,
        "attempts": 0,
        "kind": event.kind,
        "sentence": event.sentence,
        "subscription": event.subscription,
        "messages": list(event.messages),
        "rules": list(event.rules),
        "text": event.text,
        "code": event.code,
    }


def _line_as_json(line: Line) -> dict[str, object]:
    return {
        "due": _iso(line.due),
        "step": line.step,
        "channel": line.channel,
        "outcome": line.outcome,
        "reason": line.reason,
        "attempts": line.attempts,
        "kind": "delivery",
        "sentence": line.sentence,
        "ended": _iso(line.ended),
        "expected": _iso(line.expected),
        "subscription": line.subscription,
        "series": line.series,
        "message": line.message,
        "code": line.code,
    }


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
