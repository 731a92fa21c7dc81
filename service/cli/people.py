"""Patients as staff see them: a table, and a card for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from service.reporting.people import record, subscription_row

if TYPE_CHECKING:
    from service.reporting.people import Person

_COLOURS = {"active": "green", "paused": "yellow", "opted_out": "red", "unreachable": "red"}
_CHANNELS = {"sms": "texts", "email": "e-mail"}


def table(people: Sequence[Person]) -> RenderableType:
    """Patients, a line a subscription."""
    if not people:
        return Text("There are no patients yet. Enrol one: aftervisit enroll --help")
    rows = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    rows.add_column("Patient", no_wrap=True, style="cyan")
    rows.add_column("Name", overflow="ellipsis", max_width=16, no_wrap=True)
    rows.add_column("Series", no_wrap=True)
    rows.add_column("Status", no_wrap=True)
    rows.add_column("Done", justify="right", no_wrap=True)
    for person in people:
        head: tuple[str, str] = (person.contact.id, person.contact.given_name)
        for subscription in person.subscriptions:
            found = subscription_row(subscription)
            rows.add_row(*head, *_cells(found))
            head = ("", "")
        if not person.subscriptions:
            rows.add_row(*head, "", "", "")
    return rows


def _cells(found: Mapping[str, object]) -> tuple[str, Text, str]:
    status = str(found["status"])
    return (
        str(found["series"]),
        Text(status.replace("_", " "), style=_COLOURS.get(status, "")),
        f"{found['done']} of {found['steps']}",
    )


def card(person: Person, consents: Sequence[Mapping[str, str]]) -> RenderableType:
    """Everything about one patient that staff act on."""
    contact, known = person.contact, record(person)
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    facts.add_row("Patient", Text(f"{contact.given_name}  {contact.id}", style="bold"))
    facts.add_row("Clinic", contact.clinic)
    facts.add_row("Phone", _address(contact.phone, person, "sms"))
    facts.add_row("Mailbox", _address(contact.email, person, "email"))
    facts.add_row("Language", contact.language)
    place = ", ".join(part for part in (contact.state, contact.country) if part)
    facts.add_row("Time zone", f"{contact.timezone} ({place})")
    facts.add_row("Bedtime", str(known["bedtime"]))
    for consent in consents:
        facts.add_row(
            "Consent",
            f"{_CHANNELS.get(consent['channel'], consent['channel'])}: {consent['method']}, "
            f"wording {consent['wording']}, {consent['at'][:10]}, by {consent['by']}",
        )
    for subscription in person.subscriptions:
        found = subscription_row(subscription)
        series, status, done = _cells(found)
        facts.add_row(
            "Series",
            Text.assemble(f"{series}: ", status, f"{_until(found)}, {done}, from {found['start']}"),
        )
    hint = Text(f"\nWhat was sent, and what comes: aftervisit explain {contact.id}", style="dim")
    return Group(facts, hint)


def _until(found: Mapping[str, object]) -> str:
    """When a pause ends by itself; nothing where it does not."""
    until = found["paused_until"]
    return f" until {str(until)[:10]}" if until else ""


def _address(address: str | None, person: Person, channel: str) -> Text:
    if address is None:
        return Text("none", style="dim")
    copy = person.fields.suppression("sms" if channel == "sms" else "email")
    if copy is not None and copy.on:
        reason = copy.reason.replace("_", " ")
        return Text.assemble(address, (f"  suppressed: {reason}", "red"))
    return Text(address)
