"""Stops, opt-outs and their undoing in any order against a model: staff never undo a patient's."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from service.store.changes import Restart
from service.store.records import CHANNELS, Channel, Status
from tests.contract.store.counting import counted, recount
from tests.contract.store.installation import WEEK_MS, Installed, ended
from tests.contract.store.model import PROFILE
from tests.support.sets import Store

LIVE = frozenset({Status.ACTIVE, Status.PAUSED})
CHANNEL: st.SearchStrategy[Channel] = st.sampled_from(CHANNELS)
REASON = st.sampled_from(["stop", "invalid", "invalid"])
LATEST = st.integers(0, 1)


class Stops(RuleBasedStateMachine):
    """One patient, in one series perhaps several times, reached by phone and mailbox."""

    server: ClassVar[Store]

    @initialize()
    def install(self) -> None:
        self._opened = Installed.fresh(self.server)
        self.store = self._opened.__enter__()
        self.patient, _ = self.store.enrol()
        self.count = 1
        self.ledger: dict[Channel, set[str]] = {channel: set() for channel in CHANNELS}
        self.ways_back: dict[int, tuple[int, Status]] = {}

    def teardown(self) -> None:
        if hasattr(self, "_opened"):
            self._opened.__exit__(None, None, None)

    def status(self, number: int) -> Status:
        return self.store.status(self.patient, number)

    @rule(back=LATEST)
    def staff_stop(self, back: int) -> None:
        number = max(1, self.count - back)
        before = self.status(number)
        self.store.stop_one(self.patient, number)
        if before in LIVE:
            self.ways_back[number] = (self.store.business.ms, before)

    @rule(back=LATEST)
    def the_patient_leaves(self, back: int) -> None:
        number = max(1, self.count - back)
        before = self.status(number)
        self.store.stop_one(self.patient, number, undoable=False)
        if before in {*LIVE, Status.OPTED_OUT}:
            self.ways_back.pop(number, None)

    @rule(channel=CHANNEL, reason=REASON)
    def stop_an_address(self, channel: Channel, reason: str) -> None:
        self.ledger[channel].add(reason)
        self.store.suppress(channel, reason=reason)
        self._carried(channel)

    @rule(channel=CHANNEL, reason=REASON)
    def lift(self, channel: Channel, reason: str) -> None:
        self.ledger[channel].discard(reason)
        self.store.lift(channel, "", reason)
        self._carried(channel)

    def _carried(self, channel: Channel) -> None:
        if self.ledger[channel] - {"invalid"}:
            self.ways_back.clear()

    @rule(pause=st.booleans())
    def pause_or_resume(self, *, pause: bool) -> None:
        status, other = (Status.PAUSED, Status.ACTIVE)[:: 1 if pause else -1]
        self.store.set_status(self.patient, status, [other], self.count)

    @rule()
    def enrol_again(self) -> None:
        answer = self.store.create(self.patient, {}, new=False)
        among = [self.status(number) in LIVE for number in range(1, self.count + 1)]
        assert (answer.outcome == "enrolled") == any(among)
        self.count += answer.outcome == "ok"

    @rule(days=st.sampled_from([1, 4, 8]))
    def later(self, days: int) -> None:
        self.store.business.ms += days * WEEK_MS // 7

    @rule(stop=st.booleans())
    def send(self, *, stop: bool) -> None:
        """What is due, which staff perhaps stop, and go on with, while it is under way."""
        for claimed in self.store.claim():
            number = claimed.subscription.number
            assert self.status(number) is Status.ACTIVE
            beginning = self.store.beginning(claimed)
            wanted = "suppressed" if self.ledger["sms"] else "ok"
            assert self.store.begin(beginning) == wanted
            if stop:
                self.store.stop_one(self.patient, number)
                self.ways_back[number] = (self.store.business.ms, Status.ACTIVE)
                self.restart(self.count - number)
            attempt = beginning.attempt if wanted == "ok" else ""
            end = ended(claimed, state="s" if attempt else "k", attempt=attempt)
            assert self.store.conclude(end)

    @rule(back=LATEST)
    def restart(self, back: int) -> None:
        number = max(1, self.count - back)
        before, wanted = self.store.subscription(self.patient, number), self._wanted(number)
        assert self.store.restart(self.patient, number) == wanted
        after = self.store.subscription(self.patient, number)
        assert (after.index, after.flight) == (before.index, before.flight)
        if wanted == "ok":
            assert after.status is self.ways_back.pop(number)[1]
            assert not after.left
        else:
            assert after == before

    def _wanted(self, number: int) -> Restart:
        if self.status(number) is not Status.OPTED_OUT:
            return "going"
        if number not in self.ways_back:
            return "final"
        if self.store.business.ms - self.ways_back[number][0] > WEEK_MS:
            return "late"
        others = {other for other in range(1, self.count + 1) if other != number}
        if any(other > number or self.status(other) in LIVE for other in others):
            return "again"
        return "silent" if all(self.ledger.values()) else "ok"

    @invariant()
    def what_goes_on_is_in_one_index_and_nothing_else_is_due(self) -> None:
        for number in range(1, self.count + 1) if hasattr(self, "count") else ():
            places = self.store.place(f"{self.patient}.{number}")
            assert places == ({"due"} if self.status(number) is Status.ACTIVE else set())

    @invariant()
    def counts_are_what_a_recount_finds(self) -> None:
        if hasattr(self, "count"):
            assert counted(self.store, "du") == recount(self.store, [self.patient])


def test_staff_undo_their_own_stops_alone_in_any_order(store_of: Callable[[str], Store]) -> None:
    machine = type("Machine", (Stops,), {"server": store_of("valkey")})
    run_state_machine_as_test(machine, settings=settings(PROFILE, max_examples=100))
