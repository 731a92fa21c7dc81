"""Any order of events against a simple model: nothing lost, nothing doubled, no opt-out undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from schedules.delivery import DEAD, RETRIABLE, State
from service.carriers.base import Receipt, ReceiptStatus
from service.dispatch.turns import turned, turns
from service.store.dead_letters import DeadLetterStore
from service.store.flights import Beginning, Begun, Conclusion
from service.store.history import HistoryEntry
from service.store.records import LETTER, Again, Channel, Claimed, Status
from tests.contract.store.conftest import KINDS
from tests.contract.store.counting import counted, recount
from tests.contract.store.installation import DAY, DUE, LEASE_MS
from tests.contract.store.model import PROFILE, STEPS, Hold, ModelPatient, People
from tests.support.sets import Store

OPEN = frozenset({Status.ACTIVE})
CHANNEL: st.SearchStrategy[Channel] = st.sampled_from(["sms", "email"])
HOW = st.sampled_from(["sent", "sent", "failed", "later", "unknown", "settled", "back"])
DAYS = st.integers(0, 2).map(lambda ahead: DAY.toordinal() + ahead)


class StoreMachine(People):
    """Workers and a provider besides, all at once, one atomic step at a time."""

    # -- workers

    @rule(partition=st.sampled_from([1, 1, 2]), limit=st.integers(1, 4), turn=st.integers(0, STEPS))
    def claim(self, partition: int, limit: int, turn: int) -> None:
        for claimed in self.store.claim(partition, limit):
            assert claimed.subscription.status is Status.ACTIVE
            every = turns(claimed, self.store.business.ms)
            assert claimed.subscription.index < STEPS or len(every) > 1
            # A worker takes the step at the cursor, or one behind it that is tried again.
            if claimed.subscription.index >= STEPS:
                every = every[:-1]
            self.holds.append(Hold(every[turn % len(every)]))

    @precondition(lambda self: self.holds)
    @rule(draw=st.data(), day=st.none() | DAYS, channel=CHANNEL, again=st.booleans())
    def begin(self, draw: st.DataObject, day: int | None, channel: Channel, *, again: bool) -> None:
        hold = self._hold(draw)
        if LETTER[channel] not in (hold.claimed.fields.text("h") or ""):
            channel = "sms"
        beginning = self.store.beginning(hold.claimed, channel=channel, cap_day=day)
        answer = self.store.begin(beginning)
        if again:
            assert self.store.begin(beginning) == answer
        self._check_begin(hold, beginning, answer)
        if answer == "ok":
            self.attempts.append(beginning)

    def _hold(self, draw: st.DataObject) -> Hold:
        """A claim of some worker, mostly a fresh one; an old one is of a worker long frozen."""
        back = draw.draw(st.sampled_from([1, 1, 1, 2, 2, 3, 4, 6, 9]))
        return self.holds[-min(back, len(self.holds))]

    def _check_begin(self, hold: Hold, beginning: Beginning, answer: Begun) -> None:
        person = self._person(hold.claimed.fields.id)
        if person.suppressions(self.ledger)[beginning.channel]:
            assert answer != "ok", "begun after its opt-out was acknowledged"
        if answer != "ok":
            return
        subscription = hold.claimed.subscription
        assert self.store.status(person.id, subscription.number) is Status.ACTIVE
        if beginning.cap_day is not None:
            days = [day.toordinal() for day in self.store.fields(person.id).recent_drips()]
            assert days.count(beginning.cap_day) == 1
        hold.beginning = beginning
        earlier = self.log.begun.setdefault((subscription.id, subscription.index), [])
        assert self.log.not_sent.issuperset(earlier), "a second attempt, the first unproven"
        earlier.append(beginning.attempt)

    @precondition(lambda self: self.holds)
    @rule(draw=st.data(), lives=st.booleans())
    def suspect(self, draw: st.DataObject, *, lives: bool) -> None:
        """A delivery that lost its worker before is taken alone; that changes nothing else."""
        hold = self._hold(draw)
        claimed = hold.claimed
        before = self.store.subscription(claimed.fields.id, claimed.subscription.number)
        self.store.dispatch.suspect(claimed)
        after = self.store.subscription(claimed.fields.id, claimed.subscription.number)
        assert after.lost_leases in {before.lost_leases, before.lost_leases + 1}
        assert replace(after, lost_leases=before.lost_leases) == before
        if lives:
            self.store.dispatch.absolve(claimed)
            after = self.store.subscription(claimed.fields.id, claimed.subscription.number)
            assert after == replace(before, lost_leases=0)

    @precondition(lambda self: self.holds)
    @rule(draw=st.data(), how=HOW)
    def conclude(self, draw: st.DataObject, how: str) -> None:
        hold = self._hold(draw)
        begun = hold.beginning is not None
        if how == "sent" and not begun:
            how = "failed"  # a step that is skipped
        conclusion = self._conclusion(hold, how)
        done = self.store.conclude(conclusion)
        if done and how in {"later", "failed", "back"} and hold.beginning is not None:
            self.log.not_sent.add(hold.beginning.attempt)
        if done and how != "unknown":
            assert not self.store.conclude(conclusion) or conclusion.where == "hold"

    def _conclusion(self, hold: Hold, how: str) -> Conclusion:
        subscription, begun = hold.claimed.subscription, hold.beginning
        at_cursor = hold.claimed.fields.subscription(subscription.number)
        assert at_cursor is not None
        beside = subscription.again is not None
        others = hold.claimed.fields.again(subscription.number)
        left = [one for one in others if one.index != subscription.index]
        last = at_cursor.index + int(not beside) >= STEPS and not left
        state = {"sent": State.SENT, "settled": State.UNKNOWN, "failed": State.FAILED}.get(how)
        now = self.store.machine.ms
        conclusion = Conclusion(
            subscription=subscription.id,
            token=hold.claimed.token,
            expects="bq" if begun else "c",
            where="due",
            when_ms=DUE,
            attempt=begun.attempt if begun else "",
            frees_day=how in {"later", "failed", "back"},
        )
        if state is not None:
            return replace(
                conclusion,
                where="end" if last else "due",
                cursor=None if beside else (subscription.index + 1, 0),
                again=subscription.again,
                entry=_entry(hold.claimed, state),
            )
        if how == "unknown" and begun:
            return replace(conclusion, where="question", when_ms=now)
        if how == "back" and not begun:
            return replace(conclusion, where="back")
        return replace(conclusion, where="hold", when_ms=now + LEASE_MS // 2)

    @precondition(lambda self: self.holds)
    @rule(draw=st.data())
    def crash(self, draw: st.DataObject) -> None:
        """The worker is gone; nothing of it is heard again."""
        self.holds.remove(self._hold(draw))

    @rule(partition=st.integers(1, 2), after_ms=st.sampled_from([0, LEASE_MS // 2, LEASE_MS + 1]))
    def sweep(self, partition: int, after_ms: int) -> None:
        self.store.machine.ms += after_ms
        for question in self.store.sweep(partition):
            assert question.flight.attempt, "only what was begun is in question"

    @rule(partition=st.integers(1, 2))
    def settle(self, partition: int) -> None:
        """Everything in question is given up as unknown, whoever began it."""
        self.store.machine.ms += LEASE_MS + 1
        for question in self.store.sweep(partition):
            subscription = question.fields.subscription(question.subscription)
            assert subscription is not None
            claimed = Claimed(
                question.fields, subscription, question.flight.token, question.flight.due_ms
            )
            attempt = self.store.dispatch.attempt(question.flight.attempt)
            assert attempt is not None
            claimed = turned(claimed, attempt.index)
            hold = Hold(claimed, self.store.beginning(claimed, attempt=question.flight.attempt))
            assert self.store.conclude(self._conclusion(hold, "settled"))

    # -- the provider

    @precondition(lambda self: self.attempts)
    @rule(draw=st.data(), status=st.sampled_from(list(ReceiptStatus)))
    def receipt(self, draw: st.DataObject, status: ReceiptStatus) -> None:
        store, beginning = self.store, draw.draw(st.sampled_from(self.attempts))
        place = (beginning.claimed.subscription.number, beginning.claimed.subscription.index)
        before = self._states(beginning.claimed.fields.id).get(place)
        store.receive(Receipt(beginning.attempt, "SM1", status, status.value))
        after = self._states(beginning.claimed.fields.id).get(place)
        if before == State.PENDING.code and after == State.DELIVERED.code:
            return  # it had failed for good, and the provider takes it back
        if before not in {State.SENT.code, State.UNKNOWN.code}:
            assert after == before, "what is terminal stays"

    @precondition(lambda self: self.attempts)
    @rule(draw=st.data())
    def fails_for_good(self, draw: st.DataObject) -> None:
        """The provider's own record says so, and one more attempt is allowed."""
        beginning = draw.draw(st.sampled_from(self.attempts))
        subscription = beginning.claimed.subscription
        known = self.store.dispatch.attempt(beginning.attempt)
        assert known is not None
        again = Again(subscription.index, State.UNDELIVERED.code, 1, 1, self.store.business.ms)
        taken = self.store.dispatch.receive(
            beginning.attempt, State.UNDELIVERED.code, 4, "SM1", None, again=again
        )
        if taken == "moved":
            self.log.not_sent.add(beginning.attempt)

    @rule(draw=st.data())
    def try_a_dead_letter_again(self, draw: st.DataObject) -> None:
        letters = DeadLetterStore(self.store.scripts, self.store.partitions, self.store.business)
        for delivery in letters.some(100):
            place = (delivery.subscription, delivery.index)
            before = self._states(delivery.patient)[place]
            assert before in {state.code for state in DEAD}
            if draw.draw(st.booleans()) and letters.retry(delivery, "test") == "ok":
                assert before in {state.code for state in RETRIABLE}
                assert self._states(delivery.patient)[place] == State.PENDING.code

    # -- what must always hold

    @invariant()
    def nothing_is_lost(self) -> None:
        for person, number, member, partition in self._subscriptions():
            places = self.store.place(member, partition)
            subscription = self.store.subscription(person.id, number)
            assert len(places) <= 1, "in both indexes"
            if subscription.status in OPEN:
                assert places, f"{member} is active and in no index"
                waiting = self.store.fields(person.id).again(number)
                assert subscription.index < STEPS or waiting
            if subscription.status is Status.PAUSED and subscription.until_ms is not None:
                assert places, f"{member} would be paused for ever"
            if places == {"due"}:
                paused_until = subscription.status is Status.PAUSED and subscription.until_ms
                assert subscription.status is Status.ACTIVE or paused_until
                assert subscription.flight is None
            if places == {"held"}:
                assert subscription.flight is not None

    @invariant()
    def copies_are_in_step_with_the_ledger(self) -> None:
        for person in self.people if hasattr(self, "people") else []:
            silent = {c for c, on in person.suppressions(self.ledger).items() if on}
            every: set[Channel] = {"sms", "email"} if person.by_mail else {"sms"}
            assert self.store.fields(person.id).reachable() == every - silent

    @invariant()
    def history_has_one_entry_a_delivery_and_no_gap(self) -> None:
        for person in self.people if hasattr(self, "people") else []:
            for number in range(1, person.subscriptions + 1):
                steps = [step for sub, step in self._states(person.id) if sub == number]
                assert sorted(steps) == list(range(len(steps)))
                assert len(steps) == self.store.subscription(person.id, number).index

    @invariant()
    def counts_are_what_a_recount_finds(self) -> None:
        if hasattr(self, "people"):
            wanted = recount(self.store, [person.id for person in self.people])
            assert counted(self.store, "du") == wanted

    def _states(self, patient: str) -> dict[tuple[int, int], str]:
        history = self.store.patients.history(patient)
        return {(entry.subscription, entry.index): entry.state for entry in history}

    def _subscriptions(self) -> Iterator[tuple[ModelPatient, int, str, int]]:
        for person in self.people if hasattr(self, "people") else []:
            for number in range(1, person.subscriptions + 1):
                yield person, number, f"{person.id}.{number}", "0123".index(person.id[1])


def _entry(claimed: Claimed, state: State) -> HistoryEntry:
    subscription = claimed.subscription
    return HistoryEntry(
        subscription=subscription.number,
        index=subscription.index,
        state=state.code,
        message="walking",
        channel="sms",
        due_ms=DUE,
        at_ms=DUE,
        attempts=1,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_any_order_of_events_keeps_the_promises(
    kind: str, store_of: Callable[[str], Store]
) -> None:
    machine = type("Machine", (StoreMachine,), {"server": store_of(kind)})
    # The several-server kinds run the same scripts; each step costs more there.
    examples = PROFILE.max_examples if kind in {"valkey", "redis"} else PROFILE.max_examples // 4
    run_state_machine_as_test(machine, settings=settings(PROFILE, max_examples=examples))
