"""What a STOP was meant for, where several series end by it: asked once, in its confirmation.

Everything is stopped at once, whatever is answered, and nothing goes on unless one series is chosen
(47 CFR 64.1200(a)(12): the confirmation may ask, and no answer means everything).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from schedules.errors import ScheduleError
from schedules.series import load_series
from service.inbox.people import Person
from service.staff.subscriptions import Staff
from service.store.records import Status
from service.store.reply_records import Heard, Reply
from service.store.scope import ScopeQuestions

LETTERS: Final = "ABCDE"
KEEP: Final = "keep:"
"""With a series: what is heard of an answer to the question, beside the intents."""
_CHOICE: Final = re.compile(r"\W*(?:keep\s+)?([a-e])\W*", re.IGNORECASE)
_LIVE: Final = frozenset({Status.ACTIVE, Status.PAUSED})
_MAY_GO_ON: Final = _LIVE | {Status.OPTED_OUT}
"""An opt-out that is lifted revives what it has ended."""


class Scope:
    """Asks what a STOP was meant for, and follows the answer."""

    def __init__(self, questions: ScopeQuestions, staff: Staff) -> None:
        self._questions = questions
        self._staff = staff

    def heard(self, text: str, address: str, found: Heard) -> Heard:
        """The same, or that the text chooses a series to keep.

        Raises:
            StoreUnavailable: whether a question is open cannot be told.
        """
        choice = _CHOICE.fullmatch(text)
        if choice is None or found.words != ("other",):
            return found
        asked, place = self._questions.asked(address), LETTERS.index(choice[1].upper())
        if place >= len(asked):
            return found
        words = ("opt_in", KEEP + asked[place])
        return replace(found, words=words, rules=("scope.keep",))

    def ask(self, reply: Reply, people: Sequence[Person]) -> bool:
        """Whether the confirmation of a STOP is to ask; the question is then open.

        Args:
            reply: the STOP.
            people: on the address, as they stood before it.

        Raises:
            StoreUnavailable: do it again.
        """
        series = live_series(people)
        if not 1 < len(series) <= len(LETTERS):
            return False
        self._questions.ask(reply.address, series)
        return True

    def keep(self, reply: Reply, people: Sequence[Person]) -> bool:
        """Leave all series but the chosen one; False where none was chosen.

        They are left before anything is lifted, so that nothing of theirs goes out in between.

        Raises:
            StoreUnavailable: do it again, it is idempotent.
        """
        kept = next((w.removeprefix(KEEP) for w in reply.heard.words if w.startswith(KEEP)), "")
        for person in people if kept else ():
            for subscription in person.fields.subscriptions():
                if subscription.series != kept and subscription.status in _MAY_GO_ON:
                    self._staff.leave(person.contact.id, subscription.number, source=reply.source)
        return bool(kept)


def live_series(people: Sequence[Person]) -> list[str]:
    """Names of the series that people on an address are in, the longest running first."""
    live = [
        (subscription.enrolled_ms, subscription.series)
        for person in people
        for subscription in person.fields.subscriptions()
        if subscription.status in _LIVE
    ]
    return list(dict.fromkeys(name for _, name in sorted(live)))


def choices(series: Sequence[str], language: str) -> str:
    """``A 12 weeks of small steps, B Better sleep``: the series by their titles."""
    told = []
    for letter, name in zip(LETTERS, series, strict=False):
        try:
            told.append(f"{letter} {load_series(name).words(language).title}")
        except ScheduleError:  # it is no longer published
            told.append(f"{letter} {name}")
    return ", ".join(told)
