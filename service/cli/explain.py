"""`aftervisit explain`: why did she get nothing on Tuesday?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from service.cli.output import as_json, emit, examples, terminal

if TYPE_CHECKING:
    from datetime import datetime

    from service.reporting.lines import Line


@click.command(
    epilog=examples(
        "aftervisit explain 0j4zz670ccqp",
        "aftervisit explain 0j4zz670ccqp --date 2026-03-03",
    )
)
@click.argument("patient")
@click.option(
    "--date", "day", default="", metavar="DATE", help="One day of the patient's calendar."
)
@as_json
def explain(patient: str, day: str, as_json: bool) -> None:
    """Show what a patient was sent, what comes, and why something does not.

    PATIENT is an id; `aftervisit patients find` gives it for a phone number or a mailbox.
    Times are on the patient's own clock.
    """
    from service.cli.opening import opened  # noqa: PLC0415 - --help needs none of it
    from service.cli.options import read_date  # noqa: PLC0415
    from service.reporting.explain import Explain  # noqa: PLC0415

    wanted = read_date("date", day) if day else None
    with opened() as core:
        lines = Explain(core.patients, core.business).explain(patient, wanted)
    if as_json:
        emit([_as_json(line) for line in lines])
        return
    from service.cli.reasons import deliveries  # noqa: PLC0415

    terminal().print(deliveries(lines))


def _as_json(line: Line) -> dict[str, object]:
    return {
        "due": _iso(line.due),
        "step": line.step,
        "channel": line.channel,
        "outcome": line.outcome,
        "reason": line.reason,
        "attempts": line.attempts,
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
