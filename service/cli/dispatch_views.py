"""How `aftervisit dispatch` shows what it found: as a table for people, as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import RenderableType
    from rich.table import Table

    from service.dispatch.dead_letters import DeadLetter, Retried
    from service.reporting.backlog import Backlog
    from service.reporting.senders import SenderStanding
    from service.reporting.status import DispatchStatus


def instant(at: datetime | None) -> str | None:
    """An instant in UTC, as ISO 8601 with a Z."""
    return None if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")


def table(*headings: str) -> Table:
    """An empty table in the manner of all of them."""
    from rich import box  # noqa: PLC0415 - Rich is not for --json
    from rich.table import Table  # noqa: PLC0415

    found = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading in headings:
        found.add_column(heading)
    return found


def sender(sender: SenderStanding) -> dict[str, object]:
    """A sender for programs."""
    return {
        "sender": sender.address,
        "channel": sender.channel,
        "clinics": list(sender.clinics),
        "per_second": sender.per_second,
        "standing": sender.standing,
        "since": instant(sender.since),
        "code": sender.code or None,
        "reason": sender.reason or None,
        "next_try": instant(sender.next_try),
        "today": sender.sent,
        "filtered": sender.filtered,
    }


def senders(found: Sequence[SenderStanding]) -> RenderableType:
    """Senders for people."""
    if not found:
        return "No carrier is set up, so there is no sender."
    rows = table("Sender", "Clinics", "A second", "Today", "Standing")
    for sender in found:
        told: str = sender.standing
        if sender.standing == "stopped":
            told = f"stopped since {instant(sender.since)}: {sender.reason} {sender.code}".strip()
        elif sender.standing == "waiting":
            told = f"waits until {instant(sender.next_try)}"
        today = f"{sender.sent}" + (f" ({sender.filtered} filtered)" if sender.filtered else "")
        clinics = ", ".join(sender.clinics)
        rows.add_row(sender.address, clinics, f"{sender.per_second:g}", today, told)
    return rows


def dead_letter(letter: DeadLetter) -> dict[str, object]:
    """A dead letter for programs."""
    return {
        "delivery": str(letter.id),
        "patient": letter.id.patient,
        "series": letter.series or None,
        "step": letter.step,
        "message": letter.message,
        "channel": letter.channel or None,
        "state": letter.state.value,
        "reason": letter.reason,
        "sentence": letter.sentence,
        "code": letter.code or None,
        "at": instant(letter.at),
        "attempts": letter.attempts,
        "retriable": letter.retriable,
    }


def dead_letters(found: Sequence[DeadLetter]) -> RenderableType:
    """Dead letters for people."""
    if not found:
        return "There are no dead letters."
    rows = table("Delivery", "Step", "When", "State", "Why")
    for letter in found:
        why = f"{letter.sentence} {letter.code}".strip()
        state = letter.state.value + ("" if letter.retriable else " (not sent again)")
        rows.add_row(str(letter.id), letter.step, f"{letter.at:%Y-%m-%d %H:%M}", state, why)
    return rows


def retried(one: Retried) -> dict[str, object]:
    """What became of a retry, for programs."""
    return {"delivery": str(one.id), "outcome": one.outcome, "sentence": one.sentence}


def backlog(found: Backlog) -> dict[str, object]:
    """What would become of the backlog, for programs."""
    return {
        "at": instant(found.at),
        "overdue": found.overdue,
        "patients": found.patients,
        "unreadable": found.unreadable,
        "policies": {
            policy: {
                "sent": sum(outlook.sent.values()),
                "today": outlook.today,
                "skipped": dict(sorted(outlook.skipped.items())),
                "days": [
                    {"day": day.isoformat(), "sms": of.get("sms", 0), "email": of.get("email", 0)}
                    for day, of in outlook.days()
                ],
            }
            for policy, outlook in found.outlooks.items()
        },
    }


def backlog_table(found: Backlog) -> RenderableType:
    """What would become of the backlog, for people."""
    from rich.console import Group  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    if not found.overdue:
        return "Nothing is overdue."
    rows = table("Policy", "Sent", "Today", "Last on", "Passed over")
    for policy, outlook in found.outlooks.items():
        days = outlook.days()
        passed = ", ".join(f"{n} {reason}" for reason, n in sorted(outlook.skipped.items()))
        rows.add_row(
            policy.replace("_", " "),
            str(sum(outlook.sent.values())),
            str(outlook.today),
            days[-1][0].isoformat() if days else "",
            passed or "none",
        )
    told = f"{found.overdue} deliveries of {found.patients} patients are overdue."
    if found.unreadable:
        told += f" {found.unreadable} more patients could not be read."
    return Group(Text(told), rows, Text("Day by day and by channel: --json", style="dim"))


def status(found: DispatchStatus) -> dict[str, object]:
    """How sending stands, for programs."""
    return {
        "at": instant(found.at),
        "waiting": found.waiting,
        "overdue": found.overdue,
        "in_flight": found.in_flight,
        "in_question": found.in_question,
        "dead_letters": found.dead_letters,
        "left_to_do": found.left_to_do,
        "stopped_senders": [sender.address for sender in found.stopped],
        "last_tick": instant(found.last_tick),
        "tick_age_s": found.tick_age_s,
        "gap": found.gap,
    }


def status_table(found: DispatchStatus) -> RenderableType:
    """How sending stands, for people."""
    from rich.table import Table  # noqa: PLC0415

    letters = ", ".join(f"{count} {state}" for state, count in found.dead_letters.items())
    age = "never" if found.tick_age_s is None else f"{found.tick_age_s:.0f} s ago"
    facts = {
        "Waiting": f"{found.waiting:,} subscriptions, {found.overdue:,} overdue",
        "In flight": f"{found.in_flight:,}, {found.in_question:,} without an answer",
        "Dead letters": letters,
        "Left to do": f"{found.left_to_do:,} attempts to prove or redact",
        "Stopped": ", ".join(sender.address for sender in found.stopped) or "no sender",
        "Last tick": age + (", waits for the inbound list" if found.gap else ""),
    }
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column()
    for name, told in facts.items():
        rows.add_row(name, told)
    return rows
