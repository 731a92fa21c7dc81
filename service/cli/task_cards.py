"""Tasks as people see them at a terminal: a table of what waits, and one of them whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from service.store.tasks import TaskKind

if TYPE_CHECKING:
    from service.reporting.tasks import Waiting

_COLOURS = {TaskKind.URGENT: "bold red", TaskKind.WORSE: "magenta", TaskKind.DIED: "magenta"}
_HOUR_MIN, _DAY_H = 60, 24


def table(waiting: Sequence[Waiting], now_ms: int) -> RenderableType:
    """What waits, a line each."""
    if not waiting:
        return Text("Nothing waits for staff.")
    found = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    found.add_column("Task", no_wrap=True, style="cyan")
    found.add_column("Kind", no_wrap=True)
    found.add_column("Since", no_wrap=True, justify="right")
    found.add_column("With", no_wrap=True)
    found.add_column("Text", overflow="ellipsis", no_wrap=True)
    for each in waiting:
        task = each.task
        found.add_row(
            task.id,
            Text(task.kind.word, style=_COLOURS.get(task.kind, "")),
            age(now_ms - task.opened_ms),
            task.by or "nobody",
            _one_line(each.content.get("body", "")),
        )
    return found


def card(each: Waiting, now_ms: int) -> RenderableType:
    """One task whole."""
    task = each.task
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column()
    rows.add_row("Kind", Text(task.kind.word, style=_COLOURS.get(task.kind, "")))
    rows.add_row("State", f"{task.state.word}{f' by {task.by}' if task.by else ''}")
    rows.add_row("Since", f"{age(now_ms - task.opened_ms)}, staff alerted {_times(task.alerts)}")
    rows.add_row("Clinic", task.clinic)
    rows.add_row("Patients", ", ".join(task.patients) or "none is known at this address")
    if each.content.get("from"):
        rows.add_row("From", each.content["from"])
    if each.content.get("rules"):
        rows.add_row("Understood", each.content["rules"])
    body = each.content.get("body", "") or "(no words)"
    return Group(
        Text(f"Task {task.id}", style="bold"), rows, Padding(Text(_printable(body)), (1, 0, 0, 0))
    )


def age(span_ms: int) -> str:
    """How long ago, as a person would say it: ``5 min``, ``3 h``, ``2 d``."""
    minutes = max(0, span_ms) // 60_000
    if minutes < _HOUR_MIN:
        return f"{minutes} min"
    hours = minutes // _HOUR_MIN
    return f"{hours} h" if hours < _DAY_H else f"{hours // _DAY_H} d"


def _times(count: int) -> str:
    return {0: "not yet", 1: "once"}.get(count, f"{count} times")


def _one_line(text: str) -> str:
    return " ".join(_printable(text).split())


def _printable(text: str) -> str:
    """What a stranger wrote must not steer the terminal (control characters, escapes)."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)
