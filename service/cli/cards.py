"""Messages as people see them: the library's table, the phone's bubble, the mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from messages.catalog import guide_sections
from messages.sms import JOINED_LIMIT, SINGLE_LIMIT, segment

if TYPE_CHECKING:
    from messages.catalog import Message
    from messages.plain import Reading
    from messages.render import EmailContent, SmsText

PHONE_WIDTH = 46
MAILBOX_WIDTH = 78
SOURCE_WIDTH = 34
STRANDS = {
    "lifestyle": "Lifestyle",
    "sleep": "Sleep",
    "follow_up": "Follow-up",
    "service": "Service",
}


def library(messages: Sequence[Message]) -> RenderableType:
    """A table of messages, a section a strand."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("Message", no_wrap=True, style="cyan")
    table.add_column("In", no_wrap=True)
    table.add_column("Reviewed", no_wrap=True)
    table.add_column(
        "Source", style="dim", no_wrap=True, overflow="ellipsis", max_width=SOURCE_WIDTH
    )
    for strand, title in STRANDS.items():
        members = [message for message in messages if message.strand == strand]
        if not members:
            continue
        table.add_row(Text(f"{title} ({len(members)})", style="bold not dim"))
        for message in members:
            table.add_row(
                f"  {message.name}",
                " ".join(message.languages),
                message.reviewed.isoformat(),
                _first_source(message),
            )
        table.add_section()
    return table


def _first_source(message: Message) -> str:
    """One line has room for one source; `messages show` gives them all."""
    if not message.sources:
        return message.policy
    first, *rest = message.sources
    return f"{first} (+{len(rest)})" if rest else first


def provenance(message: Message, measured: Reading) -> RenderableType:
    """Where a message comes from, and how plain it is."""
    titles = guide_sections()
    source = "; ".join(titles.get(source, source) for source in message.sources) or message.policy
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    facts.add_row("Message", Text(f"{message.name} ({STRANDS[message.strand]})", style="bold"))
    facts.add_row("Source", source)
    facts.add_row("Reviewed", message.reviewed.isoformat())
    facts.add_row("Languages", ", ".join(message.languages))
    facts.add_row(
        "Reading",
        f"grade {measured.grade}, ease {measured.ease}; "
        f"longest sentence {measured.longest_sentence} words",
    )
    return Padding(facts, (0, 0, 1, 0))


def phone(text: SmsText, sender: str) -> RenderableType:
    """A text message as a phone shows it, with what it costs below."""
    units = segment(text.text).units
    limits = SINGLE_LIMIT if text.segments == 1 else JOINED_LIMIT
    room = limits[text.encoding] * text.segments
    parts = "1 segment" if text.segments == 1 else f"{text.segments} segments"
    return Panel(
        Text(text.text),
        box=box.ROUNDED,
        width=PHONE_WIDTH,
        title=f"Text from {sender}",
        title_align="left",
        subtitle=f"{parts}, {text.encoding}, {units} of {room}",
        subtitle_align="right",
        border_style="green",
        padding=(0, 1),
    )


def mailbox(email: EmailContent, sender: str) -> RenderableType:
    """An e-mail's plain-text part below its head; the HTML part says the same."""
    return Panel(
        Group(
            Text(f"From     {sender}", style="dim"),
            Text.assemble(("Subject  ", "dim"), (email.subject, "bold")),
            Rule(style="dim"),
            Text(email.text.strip()),
        ),
        box=box.ROUNDED,
        width=MAILBOX_WIDTH,
        title="E-mail",
        title_align="left",
        border_style="blue",
        padding=(0, 1),
    )
