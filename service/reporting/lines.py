"""What `explain` says: one line a delivery, past, under way or still to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from schedules.delivery import State
from service.dispatch.reasons import sentence as stored_sentence
from service.store.records import Channel

PLANNED: Final = "planned"
NOT_SENT: Final = "not_sent"
NOTHING: Final = "nothing"

STANDING_SENTENCES: Final = {
    "due_now": "It is due and goes out within moments, if a worker runs.",
    "waits_its_turn": "An earlier step of the series goes first.",
    "under_way": "A worker holds it and is about to send it.",
    "in_question": "It was given to the provider and the answer is not in yet; it is not sent "
    "again unless it is proven that the provider does not have it.",
    "retry": "The provider could not take it; it is tried again until it stops being useful.",
    "paused": "The subscription is paused; it waits until somebody resumes it.",
    "paused_until": "The subscription is paused until a day; then it goes on by itself.",
    "opted_out": "Each address of the patient is suppressed (the patient or the clinic said stop).",
    "unreachable": "No address of the patient can be reached any more.",
    "pending": "The patient has not confirmed yet.",
    "not_enrolled": "The patient was not enrolled yet.",
    "not_begun": "Nothing was planned for that day: the series has not begun by then.",
    "no_step": "Nothing was planned for that day.",
    "over": "Nothing was planned for that day: the series is over by then.",
}
"""Reasons that are not stored, for they follow from where a subscription stands."""

_WAITS_NOT: Final = frozenset({"waits_its_turn", "opted_out", "unreachable"})
_STATES: Final = {
    State.DELIVERED: "The provider's receipt says that it arrived.",
    State.UNDELIVERED: "The provider took it and could not deliver it.",
    State.PENDING: "It did not arrive; it is tried once more while it is useful.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One delivery of a patient, or the reason why a day has none.

    Attributes:
        due: planned time on the patient's clock; None for a day without a step.
        outcome: a word of ``schedules.delivery.State``, ``planned``, ``not_sent`` (nor will it
            be, as things stand) or ``nothing`` (no step on that day).
        reason: a stored reason, a standing's, or None where there is nothing to say.
        sentence: the same for staff, in English.
        ended: when the outcome was recorded, on the patient's clock.
        expected: when it is looked at next, where that is not `due`.
        code: the provider's.
    """

    subscription: str
    series: str
    due: datetime | None
    step: str | None
    message: str | None
    channel: Channel | None
    outcome: str
    reason: str | None
    sentence: str
    attempts: int = 0
    ended: datetime | None = None
    expected: datetime | None = None
    code: str | None = None

    def touches(self, day: date, today: date) -> bool:
        """Whether the line tells something about a local day: from its due date to its end.

        What is overdue and still waits touches each day up to today.
        """
        if self.due is None:
            return False
        first = self.due.date()
        if self.ended is not None:
            last = self.ended.date()
        elif self.expected is not None:
            last = self.expected.date()
        else:
            last = max(first, today) if self._waits else first
        return min(first, last) <= day <= max(first, last)

    @property
    def _waits(self) -> bool:
        return self.outcome != NOTHING and self.reason not in _WAITS_NOT

    @property
    def order(self) -> tuple[datetime, str]:
        """Sort key: by due time."""
        return self.due or datetime.max.replace(tzinfo=UTC), self.subscription


def sentence_of(state: State, reason: str, code: str, *, instead: Channel | None = None) -> str:
    """What became of a concluded delivery, in a sentence or two.

    Args:
        state: its own.
        reason: as stored.
        code: the provider's, empty for none.
        instead: the channel that it went by, where another had refused it.
    """
    said = _STATES.get(state) or (stored_sentence(reason) if reason else "")
    if instead:
        other, this = ("e-mail", "text") if instead == "sms" else ("text", "e-mail")
        said = f"It was refused by {other}, and so it went by {this}. {said}"
    return f"{said} (Provider's code {code}.)" if code else said


def standing_sentence(reason: str) -> str:
    """A sentence for a reason that is not stored; falls back on the stored ones."""
    return STANDING_SENTENCES.get(reason) or stored_sentence(reason)
