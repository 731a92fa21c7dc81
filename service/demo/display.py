"""What a person sees of the demonstration in the terminal."""

from __future__ import annotations

import sys
from collections import deque
from datetime import UTC
from typing import Final, Self
from zoneinfo import ZoneInfo

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from schedules.delivery import State
from service.clock import from_ms
from service.demo.run import DAY_MS, Demo
from service.demo.sample import START
from service.demo.tally import Sent, Tally, concluded

FEED_LINES: Final = 10
REDRAW: Final = 8
"""Redrawn every so many looks, about thrice a second."""
_STYLE: Final = {
    State.DELIVERED: ("delivered", "green"),
    State.SENT: ("sent", "green"),
    State.SKIPPED: ("skipped", "yellow"),
    State.UNKNOWN: ("unknown", "magenta"),
    State.FAILED: ("failed", "red"),
    State.UNDELIVERED: ("undelivered", "red"),
    State.PARKED: ("parked", "red"),
}
_CHANNEL: Final = {"sms": "text", "email": "e-mail", "": ""}


class Display:
    """Follows a demonstration on stderr: live on a terminal, a line a day elsewhere."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr, highlight=False, emoji=False)
        self._live: Live | None = None
        self._looks = 0
        self._day = -1

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=False)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def watch(self, demo: Demo) -> None:
        """Show where the demonstration stands."""
        now = demo.now_ms()
        day = min(demo.days, (now - (demo.end_ms - demo.days * DAY_MS)) // DAY_MS)
        self._looks += 1
        if self._live is not None:
            if self._looks % REDRAW == 1 or now >= demo.end_ms:
                self._live.update(self._picture(demo, now), refresh=True)
        elif day != self._day:
            self._day = day
            figures = demo.tally()
            sent, out = figures.deliveries["sent"], figures.opt_outs
            self._console.print(f"day {day} of {demo.days}: {sent} sent, {out} opted out")

    def _picture(self, demo: Demo, now_ms: int) -> Panel:
        feed = deque(concluded(demo.core, list(demo.names), demo.end_ms), maxlen=FEED_LINES)
        rows = Table.grid(padding=(0, 2))
        for column in ("local", "who", "where", "channel", "message", "state"):
            rows.add_column(column, no_wrap=True, overflow="ellipsis")
        for sent in feed:
            rows.add_row(*_row(demo, sent))
        done = (now_ms - (demo.end_ms - demo.days * DAY_MS)) / (demo.days * DAY_MS)
        head = Table.grid(padding=(0, 2))
        head.add_row(
            Text(f"{from_ms(now_ms).astimezone(UTC):%a %d %b %H:%M} UTC", style="bold"),
            ProgressBar(total=1.0, completed=max(0.0, min(1.0, done)), width=30),
            Text(f"day {min(demo.days, int(done * demo.days) + 1)} of {demo.days}"),
        )
        foot = Group(
            Text(demo.refused, style="dim"),
            Text.assemble("Phones and mailboxes: ", (demo.sandbox.page, "underline")),
            Text.assemble(
                "The clinic's console: ",
                (demo.member.address, "underline"),
                f" as {demo.member.email}, {demo.member.password}",
            ),
        )
        return Panel(Group(head, Text(), rows, Text(), foot), title="Aftervisit demonstration")


def _row(demo: Demo, sent: Sent) -> tuple[Text, ...]:
    who = demo.names[sent.patient]
    local = from_ms(sent.entry.at_ms).astimezone(ZoneInfo(who.timezone))
    word, style = _STYLE[State.from_code(sent.entry.state)]
    return (
        Text(f"{local:%a %d %H:%M}"),
        Text(who.given_name, style="bold"),
        Text(who.place, style="dim"),
        Text(_CHANNEL[sent.entry.channel]),
        Text(sent.entry.message),
        Text(word, style=style),
    )


def report(figures: Tally, refused: str) -> Group:
    """The result for stdout."""
    table = Table(show_header=False)
    table.add_column(min_width=28)
    table.add_column(justify="right")
    for word, count in figures.deliveries.items():
        table.add_row(word, str(count))
    table.add_section()
    table.add_row("by text message", str(figures.by_channel["sms"]))
    table.add_row("by e-mail", str(figures.by_channel["email"]))
    table.add_section()
    table.add_row("addresses that opted out", str(figures.opt_outs))
    table.add_row("escalations", str(figures.escalations))
    days = "1 day" if figures.days == 1 else f"{figures.days} days"
    title = f"{days} from {START:%A %d %B %Y}, {figures.patients} patients"
    return Group(Text(title, style="bold"), table, Text(refused))
