"""Deliveries as staff see them: a line each, with its reason below where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

if TYPE_CHECKING:
    from service.reporting.events import Event
    from service.reporting.lines import Line

_COLOURS = {
    "sent": "green",
    "delivered": "green",
    "failed": "red",
    "undelivered": "red",
    "parked": "red",
    "unknown": "magenta",
    "skipped": "yellow",
    "not_sent": "yellow",
    "paused": "yellow",
    "opted_out": "red",
    "unreachable": "red",
    "begun": "cyan",
    "claimed": "cyan",
    "pending": "cyan",
}
_HOLDS = frozenset({"paused", "pending", "opted_out", "unreachable"})
_WORDS = {"sms": "text", "email": "e-mail", None: ""}
_UNREMARKABLE = frozenset({"accepted", "receipt"})
INDENT = 19


def account(told: Sequence[Line | Event]) -> RenderableType:
    """Deliveries, and what happened besides."""
    from service.reporting.events import Event  # noqa: PLC0415 - its command's --help needs it not

    events = [each for each in told if isinstance(each, Event)]
    lines = [each for each in told if not isinstance(each, Event)]
    if not events:
        return deliveries(lines)
    head = Text.assemble("\n", ("What else happened", "bold"))
    return Group(deliveries(lines), head, *map(_happened, events))


def _happened(event: Event) -> RenderableType:
    head = Text.assemble(
        f"{event.at:%a %d %b %Y %H:%M}".ljust(INDENT + 4), event.kind.replace("_", " ")
    )
    words = event.sentence if event.text is None else f"{event.sentence} \u201c{event.text}\u201d"
    return Group(head, Padding(Text(words, style="dim"), (0, 0, 0, INDENT + 4)))


def deliveries(lines: Sequence[Line]) -> RenderableType:
    """A list of deliveries, each subscription under its own head."""
    if not lines:
        return Text("This patient is in no series.")
    blocks: list[RenderableType] = []
    for number, name in enumerate(dict.fromkeys(line.subscription for line in lines)):
        members = [line for line in lines if line.subscription == name]
        if number:
            blocks.append(Text())
        zone = next((line.due.tzinfo for line in members if line.due), None)
        clock = f"  times in {zone}" if zone else ""
        blocks.append(Text.assemble((members[0].series, "bold"), (f"  {name}{clock}", "dim")))
        before = ""
        for line in members:
            blocks.append(_delivery(line, before))
            before = line.sentence
    return Group(*blocks)


def _delivery(line: Line, before: str) -> RenderableType:
    if line.due is None:
        return Text(line.sentence)
    # A step that is planned and will not go, as things stand, is called by what holds it.
    word = line.reason if line.reason in _HOLDS else line.outcome
    style = _COLOURS.get(word, "")
    head = Text.assemble(
        f"{line.due:%a %d %b %Y %H:%M}".ljust(INDENT + 4),
        (word.replace("_", " ").ljust(12), style),
        _WORDS[line.channel].ljust(7),
        line.step or "",
    )
    told = [] if line.reason in _UNREMARKABLE else [line.sentence]
    if line.sentence and line.sentence == before and line.reason not in _UNREMARKABLE:
        head.append("  (as above)", style="dim")
        told = []
    if line.expected is not None:
        told.append(f"Looked at again {line.expected:%a %d %b %H:%M}.")
    if line.attempts > 1:
        told.append(f"{line.attempts} attempts.")
    if line.ended is not None and line.due.date() != line.ended.date():
        told.append(f"Recorded {line.ended:%a %d %b %H:%M}.")
    sentences = " ".join(part for part in told if part)
    if not sentences:
        return head
    return Group(head, Padding(Text(sentences, style="dim"), (0, 0, 0, INDENT + 4)))
