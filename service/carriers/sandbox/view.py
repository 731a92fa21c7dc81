"""What the sandbox's page shows, made ready for its templates."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from service.carriers.sandbox.texts import INBOUND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from service.carriers.sandbox.answers import Answer, Answers
    from service.carriers.sandbox.letters import Letter, Letters
    from service.carriers.sandbox.roster import Owner
    from service.carriers.sandbox.texts import Text, TextLog
    from service.carriers.sandbox.why import Journal, Why

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
class Shown:
    """All that the page shows, wherever it is kept."""

    texts: TextLog
    letters: Letters
    answers: Answers
    journal: Journal


@dataclass(frozen=True, slots=True)
class Bubble:
    """One text on a phone, or one answer by mail.

    Attributes:
        why: what the service made of it; None where it is ours, or nothing is known (yet).
    """

    words: str
    at: str
    mine: bool
    label: str
    status: str
    failed: bool
    why: Why | None


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
    answered: bool


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
        answers: that were written to it.
        answerable: whether it takes one.
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
    answers: list[Bubble]
    answerable: bool
    as_text: bool
    version: str

    @classmethod
    def of(
        cls,
        owners: list[Owner],
        shown: Shown,
        *,
        chosen: str | None,
        opened: str | None,
        as_text: bool,
        now_ms: int,
    ) -> Desk:
        """The page for one patient (the first, where ``chosen`` is nobody)."""
        texts, kept, why = shown.texts, shown.letters.all(), shown.journal.why()
        answered = shown.answers.all()
        boxes: dict[str, list[Letter]] = {}
        for each in kept:
            for to in each.to:
                boxes.setdefault(to, []).append(each)
        owner = next((o for o in owners if o.key == chosen), owners[0] if owners else None)
        mine = boxes.get((owner.email or "").lower(), []) if owner else []
        letter = next((m for m in mine if m.key == opened), mine[0] if mine else None)
        days = _days(owner, texts.of_phone(owner.phone or ""), why) if owner else []
        done = {each.letter for each in answered}
        lines = [_line(owner, m, m is letter, m.key in done) for m in mine] if owner else []
        to_it = [each for each in answered if letter and each.letter == letter.key]
        now = moment(owner.local(now_ms)) if owner else ""
        return cls(
            tabs=[_tab(o, o is owner, texts, boxes) for o in owners],
            owner=owner,
            now=now,
            days=days,
            blocked=owner is not None and texts.opted_out(owner.phone or ""),
            lines=lines,
            letter=letter,
            letter_at=moment(owner.local(letter.sent_ms)) if owner and letter else "",
            answers=[_answer(owner, each, why) for each in to_it] if owner else [],
            answerable=shown.answers.takes(letter),
            as_text=as_text,
            version=f"{texts.version}-{len(kept)}-{len(answered)}-{len(why)}-{len(owners)}-{now}",
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


def _days(owner: Owner, texts: Iterable[Text], why: Mapping[str, Why]) -> list[Day]:
    by_day = groupby(texts, lambda text: owner.local(text.shown_ms).date())
    return [
        Day(f"{day:%A}, {day:%B} {day.day}", [_bubble(owner, text, why) for text in group])
        for day, group in by_day
    ]


def _bubble(owner: Owner, text: Text, why: Mapping[str, Why]) -> Bubble:
    mine = text.direction == INBOUND
    label = "Answered by the carrier" if text.by_carrier else ""
    status = "" if mine or label else _STATUS.get(text.status, text.status)
    if text.error_code:
        status += f" (code {text.error_code})"
    failed = text.status in {"undelivered", "failed"}
    at = clock(owner.local(text.shown_ms))
    return Bubble(text.written, at, mine, label, status, failed, why.get(text.sid))


def _answer(owner: Owner, answer: Answer, why: Mapping[str, Why]) -> Bubble:
    status = f"Not taken: {answer.fault}" if answer.fault else "Sent"
    at = moment(owner.local(answer.shown_ms))
    return Bubble(
        answer.words,
        at,
        mine=True,
        label="",
        status=status,
        failed=bool(answer.fault),
        why=why.get(answer.id),
    )


def _line(owner: Owner, letter: Letter, is_open: bool, answered: bool) -> Line:  # noqa: FBT001
    query = urlencode({"patient": owner.key, "mail": letter.key})
    local = owner.local(letter.sent_ms)
    at = f"{local:%b} {local.day}"
    return Line(letter.key, letter.subject, letter.sender, at, f"/?{query}", is_open, answered)


def clock(local: datetime) -> str:
    """``9:05 AM``."""
    return f"{local.hour % 12 or 12}:{local:%M} {local:%p}"


def moment(local: datetime) -> str:
    """``Tue, Mar 3, 9:05 AM``."""
    return f"{local:%a}, {local:%b} {local.day}, {clock(local)}"
