"""The lists that staff page and search through: nobody is lost, and nobody is moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from service.store.directory import Directory
from service.store.keys import new_patient_id
from tests.contract.store.conftest import KINDS
from tests.contract.store.installation import Installed
from tests.support.sets import Store


def ids(directory: Directory, listed: str) -> list[str]:
    return list(directory.everybody(listed))


def number(count: int) -> str:
    return new_patient_id(1, lambda most: count.to_bytes(most, "big"))


def test_everybody_who_is_enrolled_stands_in_their_clinics_and_their_names_list(
    store: Installed,
) -> None:
    directory = store.patients.directory
    ana, _ = store.enrol()
    again, _ = store.enrol()
    assert ids(directory, directory.clinic("riverside")) == [again, ana]
    assert ids(directory, directory.named("riverside", "  ANÁ ")) == [again, ana]
    assert ids(directory, directory.named("hillside", "Ana")) == []
    assert ids(directory, directory.named("riverside", "Anna")) == []


def test_nobody_is_listed_twice_for_a_second_series_or_an_enrolment_that_came_twice(
    store: Installed,
) -> None:
    directory = store.patients.directory
    ana, _ = store.enrol()
    store.create(ana, {})
    store.create(ana, {}, new=False, series="sleep-hygiene")
    assert ids(directory, directory.clinic("riverside")) == [ana]


def test_who_comes_to_another_clinic_is_listed_there_and_no_longer_here(store: Installed) -> None:
    directory = store.patients.directory
    ana, _ = store.enrol()
    contact = store.patients.contact(store.fields(ana))
    enrolled = store.patients.enrol(
        replace(contact, clinic="hillside"),
        new=False,
        subscription="sleep-hygiene|1|2026-03-02|1",
        series="sleep-hygiene",
        due_ms=1,
        consents=[],
        copies={},
        source="test",
    )
    assert enrolled.outcome == "ok"
    assert ids(directory, directory.clinic("hillside")) == [ana]
    assert ids(directory, directory.clinic("riverside")) == []
    assert ids(directory, directory.named("riverside", "Ana")) == []


def test_a_list_is_read_from_its_newest_end_a_stretch_at_a_time(store: Installed) -> None:
    directory, everybody = store.patients.directory, [number(each) for each in range(10)]
    for each in everybody:
        directory.enter(each, ["a"])
    (newest,) = directory.read(["a"], [None], 4)
    assert [who for _, who in newest.ids] == everybody[:5:-1]
    directory.enter(number(99), ["a"])
    (older,) = directory.read(["a"], [newest.rest], 100)
    assert [who for _, who in older.ids] == everybody[5::-1]
    assert older.rest == 0
    assert directory.read(["b"], [None], 4)[0].ids == ()


def test_those_who_were_there_before_the_list_come_first_in_it(store: Installed) -> None:
    directory = store.patients.directory
    directory.enter(number(7), ["a"])
    directory.put_in_front("a", [number(each) for each in range(3)])
    assert ids(directory, "a") == [number(each) for each in (7, 2, 1, 0)]


class ListMachine(RuleBasedStateMachine):
    """Any order of entering, leaving and reading, beside a plain list."""

    server: ClassVar[Store]

    @initialize()
    def install(self) -> None:
        self._opened = Installed.fresh(self.server)
        self.directory = self._opened.__enter__().patients.directory
        self.model: list[str] = []

    def teardown(self) -> None:
        if hasattr(self, "_opened"):
            self._opened.__exit__(None, None, None)

    @rule(who=st.integers(0, 200))
    def enter(self, who: int) -> None:
        known = number(who)
        self.directory.enter(known, ["a"])
        if known not in self.model[-50:]:
            self.model.append(known)

    @rule(who=st.integers(0, 200))
    def leave(self, who: int) -> None:
        self.directory.leave(number(who), ["a"])
        self.model = ["-" if each == number(who) else each for each in self.model]

    @rule(count=st.integers(1, 60))
    def many_come(self, count: int) -> None:
        for each in range(count):
            self.enter(1000 + len(self.model) + each)

    @rule(count=st.integers(1, 5))
    def earlier_ones_are_found(self, count: int) -> None:
        front = [number(100_000 + len(self.model) + each) for each in range(count)]
        self.directory.put_in_front("a", front)
        self.model = [*front, *self.model]

    @rule(end=st.none() | st.integers(0, 300), most=st.integers(1, 80))
    def read(self, end: int | None, most: int) -> None:
        (stretch,) = self.directory.read(["a"], [end], most)
        last = min(len(self.model), len(self.model) if end is None else end)
        first = max(0, last - most)
        there = [(at, self.model[at]) for at in range(first, last) if self.model[at] != "-"]
        assert list(stretch.ids) == there[::-1]
        assert stretch.rest == (first if last else 0)

    @invariant()
    def nobody_is_lost(self) -> None:
        if hasattr(self, "model"):
            there = [each for each in reversed(self.model) if each != "-"]
            assert ids(self.directory, "a") == there


@pytest.mark.parametrize("kind", KINDS)
def test_any_order_of_comings_and_goings_is_kept(
    kind: str, store_of: Callable[[str], Store]
) -> None:
    machine = type("Machine", (ListMachine,), {"server": store_of(kind)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=20 if kind in {"valkey", "redis"} else 5,
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
