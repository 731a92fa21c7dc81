"""Series as people see them: an overview, and a timeline of every message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from schedules.series import Series
    from service.authoring.preview import Preview, Previewed

CHANNEL = {"sms": ("Text", "green"), "email": ("E-mail", "blue")}
INDENT = 4


def overview(found: Sequence[Series]) -> RenderableType:
    """A table of series."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("Series", no_wrap=True, style="cyan")
    table.add_column("Version", justify="right")
    table.add_column("Steps", justify="right")
    table.add_column("Days", justify="right")
    table.add_column("What patients are told")
    for series in found:
        table.add_row(
            series.name,
            str(series.version),
            str(len(series.steps)),
            str(series.steps[-1].day + 1),
            f"{series.title}: {series.frequency}",
        )
    return table


def timeline(preview: Preview) -> RenderableType:
    """Every step: when, how, and the words."""
    series = preview.series
    head = Text.assemble(
        (f"{series.name}, version {series.version}", "bold"),
        f"  {len(preview.steps)} messages: {series.frequency}",
    )
    return Group(head, *(_step(each) for each in preview.steps))


def _step(each: Previewed) -> RenderableType:
    planned = each.planned
    word, colour = CHANNEL[planned.channel]
    local = planned.local
    when = Text.assemble(
        "\n",
        (f"{local:%a %d %b %Y %H:%M}", "bold"),
        (f" {local.tzname()} ({planned.due:%d %b %H:%M} UTC)  ", "dim"),
        (word, colour),
        f"  {planned.step.message}",
    )
    body = Text(each.text.strip())
    if each.subject is not None:
        body = Text.assemble((each.subject, "bold"), "\n\n", body)
    return Group(when, Padding(body, (0, 0, 0, INDENT)))
