"""Who the sandbox's phones and mailboxes belong to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import phonenumbers

from service.clock import from_ms

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody made up.

    Attributes:
        key: stable word for URLs.
        timezone: IANA name; their page shows this zone's time.
        language: of the texts and mails, for screen readers.
    """

    key: str
    given_name: str
    phone: str | None = None
    email: str | None = None
    place: str = ""
    timezone: str = "UTC"
    language: str = "en"

    @property
    def initial(self) -> str:
        """What stands in the circle beside the name."""
        letters = [c for c in self.given_name if c.isalpha()]
        return letters[0].upper() if letters else "#"

    @property
    def phone_shown(self) -> str | None:
        """The phone with the spaces that its country puts in."""
        if self.phone is None:
            return None
        try:
            number = phonenumbers.parse(self.phone)
        except phonenumbers.NumberParseException:
            return self.phone
        shown = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        return str(shown)

    def local(self, ms: int) -> datetime:
        """An instant (ms UTC) as their clock shows it."""
        return from_ms(ms).astimezone(ZoneInfo(self.timezone))


def load_roster(path: Path | None) -> list[Owner]:
    """Read a JSON array of objects with ``given_name`` and any of ``phone``, ``email``, ``place``,
    ``timezone``, ``language``; other keys are left alone. A missing file is an empty roster.
    """  # noqa: D205 - one sentence
    if path is None or not path.exists():
        return []
    fields = ("given_name", "phone", "email", "place", "timezone", "language")
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return [
        Owner(f"p{number}", **{name: row[name] for name in fields if row.get(name)})
        for number, row in enumerate(rows, 1)
    ]


def with_strangers(
    roster: list[Owner], phones: Iterable[str], mailboxes: Iterable[str]
) -> list[Owner]:
    """The roster, and an owner for each phone and mailbox that nobody in it has."""
    known = {owner.phone for owner in roster} | {
        owner.email.lower() for owner in roster if owner.email
    }
    strange_phones = [phone for phone in phones if phone not in known]
    strange_boxes = [box for box in mailboxes if box not in known]
    return [
        *roster,
        *(Owner(f"t{n}", phone, phone=phone) for n, phone in enumerate(strange_phones, 1)),
        *(Owner(f"m{n}", box, email=box) for n, box in enumerate(strange_boxes, 1)),
    ]
