"""What a message asks of people: urgent replies, check-ins, and whatever only a person can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from messages.catalog import Catalog
from schedules.check_ins import Trend, trend
from schedules.delivery import State
from service.clock import BusinessClock
from service.inbox.arrived import Arrived
from service.inbox.people import Person
from service.inbox.understanding import told
from service.store.check_ins import CheckIn, CheckIns
from service.store.patients import Patients
from service.store.tasks import Opened, TaskKind, Tasks

CHECK_INS: Final = frozenset({"symptom-check", "sleep-check"})
"""Topics of the messages that ask for a rating."""
DEFAULT_TOPIC: Final = "symptom-check"
ASKED_MS: Final = 14 * 86_400_000
"""A rating answers a question of the last two weeks."""
_REACHED: Final = frozenset(state.code for state in (State.SENT, State.DELIVERED, State.UNKNOWN))
AUTO_REPLY_MS: Final = 86_400_000
"""The automatic answer to what a person has to read is given once in this time."""
Question = tuple[str, int]
"""The topic of a check-in, and the number of the subscription whose message asked."""
_ALERTS: Final = frozenset({TaskKind.URGENT, TaskKind.WORSE, TaskKind.DIED})


@dataclass(frozen=True, slots=True)
class CareParts:
    """The parts of the store that care works on."""

    patients: Patients
    tasks: Tasks
    check_ins: CheckIns


class Care:
    """Opens tasks for staff, and records what patients say of how they are."""

    def __init__(self, parts: CareParts, catalog: Catalog, business: BusinessClock) -> None:
        self._parts = parts
        self._catalog = catalog
        self._business = business

    def put_before_staff(
        self,
        kind: TaskKind,
        arrived: Arrived,
        only: Person | None = None,
        *,
        answered: bool = False,
    ) -> Opened:
        """Open a task about a message; once, however often it is followed.

        Args:
            kind: what is asked of staff.
            arrived: the message.
            only: the one whom it is about; None where it may be about anybody on its address.
            answered: whether it may be the one that gets the day's automatic answer.

        Raises:
            StoreUnavailable: it may not be open; do it again.
        """
        reply, content = arrived.reply, arrived.content()
        people = arrived.people if only is None else [only]
        return self._parts.tasks.open(
            kind,
            reply.address,
            clinic=arrived.clinic.id,
            patients=[person.contact.id for person in people],
            once=reply.id,
            content={
                "reply": reply.id,
                "channel": reply.channel,
                "from": content.get("from", ""),
                "body": content.get("body", ""),
                "rules": ", ".join(told(reply.heard.rules, content.get("body", ""))),
            },
            source=reply.source,
            alert=kind in _ALERTS,
            answered_ms=AUTO_REPLY_MS if answered else None,
        )

    def check_in(self, arrived: Arrived) -> str:
        """Record a rating for whoever was asked; the name of the message that answers it.

        Raises:
            StoreUnavailable: it may not be on record; do it again.
        """
        reply = arrived.reply
        rating = reply.heard.check_in
        if rating is None:
            return "check-in-unclear"
        asked = self.asked(arrived.people, self._business.now_ms())
        if asked is None:
            return self.read_by_staff(arrived)
        person, (topic, number) = asked
        before = [
            each.rating
            for each in self._parts.check_ins.of(person.contact.id)
            if each.topic == topic and each.reply != reply.id
        ]
        going = trend(before, rating)
        check_in = CheckIn(reply.id, topic, rating, self._business.now_ms(), number)
        self._parts.check_ins.record(person.contact.id, check_in, going)
        if going is Trend.WORSE:
            self.put_before_staff(TaskKind.WORSE, arrived, person)
        return f"check-in-{going}"

    def read_by_staff(self, arrived: Arrived) -> str:
        """Leave a message to a person; the name of the automatic answer, empty where it had one.

        Raises:
            StoreUnavailable: it may not be in the staff inbox; do it again.
        """
        opened = self.put_before_staff(TaskKind.REPLY, arrived, answered=True)
        return "auto-reply" if opened.answered else ""

    def asked(self, people: Sequence[Person], at_ms: int) -> tuple[Person, Question] | None:
        """Who had been asked for a rating, and what; None where that is not certain.

        Args:
            people: on the address.
            at_ms: when they answered, business ms UTC.
        """
        asked = [(person, found) for person in people if (found := self._question(person, at_ms))]
        if len(asked) == 1:
            return asked[0]
        if len(people) == 1:
            return people[0], _unasked(people[0])
        return None

    def question(self, person: Person, at_ms: int) -> Question:
        """What a rating of somebody answers, also where no check-in had reached them lately.

        Args:
            person: whose rating it is.
            at_ms: when they answered, business ms UTC.
        """
        return self._question(person, at_ms) or _unasked(person)

    def _question(self, person: Person, at_ms: int) -> Question | None:
        """The latest check-in that had reached somebody."""
        for entry in reversed(self._parts.patients.history(person.contact.id)):
            in_time = entry.due_ms <= at_ms <= entry.at_ms + ASKED_MS
            if not in_time or entry.state not in _REACHED:
                continue
            if entry.message in self._catalog:
                topic = self._catalog[entry.message].topic
                if topic in CHECK_INS:
                    return topic, entry.subscription
        return None


def _unasked(person: Person) -> Question:
    """What a rating is taken to answer where no check-in had reached somebody lately."""
    return DEFAULT_TOPIC, max(person.fields.numbers(), default=0)
