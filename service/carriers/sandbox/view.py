"""What the sandbox's page shows, made ready for its templates."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from service.carriers.sandbox.texts import INBOUND, REPLY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from service.carriers.sandbox.letters import Letter, Letters
    from service.carriers.sandbox.roster import Owner
    from service.carriers.sandbox.texts import Text, TextLog

_STATUS = {
    "queued": "On its way",
    "accepted": "On its way",
    "sending": "On its way",
    "sent": "Sent",
    "delivered": "Delivered",
    "undelivered": "Not delivered",
    "failed": "Not sent",
    "canceled": "Canceled",
}


@dataclass(frozen=True, slots=True)
class Bubble:
    """One text on a phone."""

    words: str
    at: str
    mine: bool
    label: str
    status: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Day:
    """One day's texts."""

    name: str
    bubbles: list[Bubble]


@dataclass(frozen=True, slots=True)
class Line:
    """One mail in the list."""

    key: str
    subject: str
    sender: str
    at: str
    url: str
    open: bool


@dataclass(frozen=True, slots=True)
class Tab:
    """One patient in the list of patients."""

    owner: Owner
    url: str
    chosen: bool
    texts: int
    letters: int


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything on the page.

    Attributes:
        owner: whose phone and mailbox are shown; None where there is nobody yet.
        letter: the opened mail.
        version: changes whenever anything shown does.
    """

    tabs: list[Tab]
    owner: Owner | None
    now: str
    days: list[Day]
    blocked: bool
    lines: list[Line]
    letter: Letter | None
    letter_at: str
    as_text: bool
    version: str

    @classmethod
    def of(
        cls,
        owners: list[Owner],
        texts: TextLog,
        letters: Letters,
        *,
        chosen: str | None,
        opened: str | None,
        as_text: bool,
        now_ms: int,
    ) -> Desk:
        """The page for one patient (the first, where ``chosen`` is nobody)."""
        kept = letters.all()
        boxes: dict[str, list[Letter]] = {}
        for letter in kept:
            for to in letter.to:
                boxes.setdefault(to, []).append(letter)
        owner = next((o for o in owners if o.key == chosen), owners[0] if owners else None)
        mine = boxes.get((owner.email or "").lower(), []) if owner else []
        shown = next((m for m in mine if m.key == opened), mine[0] if mine else None)
        days = _days(owner, texts.of_phone(owner.phone or "")) if owner else []
        lines = [_line(owner, m, is_open=m is shown) for m in mine] if owner else []
        now = moment(owner.local(now_ms)) if owner else ""
        return cls(
            tabs=[_tab(o, o is owner, texts, boxes) for o in owners],
            owner=owner,
            now=now,
            days=days,
            blocked=owner is not None and texts.opted_out(owner.phone or ""),
            lines=lines,
            letter=shown,
            letter_at=moment(owner.local(shown.sent_ms)) if owner and shown else "",
            as_text=as_text,
            version=f"{texts.version}-{len(kept)}-{len(owners)}-{now}",
        )

    def url(self, **query: str) -> str:
        """This page with something else chosen."""
        base = {"patient": self.owner.key if self.owner else "", **query}
        return "/?" + urlencode({name: value for name, value in base.items() if value})


def _tab(owner: Owner, chosen: bool, texts: TextLog, boxes: dict[str, list[Letter]]) -> Tab:  # noqa: FBT001
    return Tab(
        owner=owner,
        url="/?" + urlencode({"patient": owner.key}),
        chosen=chosen,
        texts=len(texts.of_phone(owner.phone or "")),
        letters=len(boxes.get((owner.email or "").lower(), [])),
    )


def _days(owner: Owner, texts: Iterable[Text]) -> list[Day]:
    by_day = groupby(texts, lambda text: owner.local(text.shown_ms).date())
    return [
        Day(f"{day:%A}, {day:%B} {day.day}", [_bubble(owner, text) for text in group])
        for day, group in by_day
    ]


def _bubble(owner: Owner, text: Text) -> Bubble:
    mine = text.direction == INBOUND
    label = "Answered by the carrier" if text.direction == REPLY else ""
    status = "" if mine or label else _STATUS.get(text.status, text.status)
    if text.error_code:
        status += f" (code {text.error_code})"
    failed = text.status in {"undelivered", "failed"}
    at = clock(owner.local(text.shown_ms))
    return Bubble(text.written, at, mine, label, status, failed)


def _line(owner: Owner, letter: Letter, *, is_open: bool) -> Line:
    query = urlencode({"patient": owner.key, "mail": letter.key})
    local = owner.local(letter.sent_ms)
    return Line(
        letter.key, letter.subject, letter.sender, f"{local:%b} {local.day}", f"/?{query}", is_open
    )


def clock(local: datetime) -> str:
    """``9:05 AM``."""
    return f"{local.hour % 12 or 12}:{local:%M} {local:%p}"


def moment(local: datetime) -> str:
    """``Tue, Mar 3, 9:05 AM``."""
    return f"{local:%a}, {local:%b} {local.day}, {clock(local)}"
