"""The checker on evidence made up by hand: it sees each promise broken, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.chaos.checker import Checker
from tests.chaos.evidence import Arrival, Attempt, Entry, Evidence, Fault, Patient, Step

PATIENT, PHONE, MAIL = "p1", "+15035550100", "ana@example.org"
NOON = 1_772_481_600_000
"""2026-03-02 20:00 UTC: noon in Los Angeles."""
DAY = 86_400_000
BEGUN = 1_000_000


def all_well() -> Evidence:
    """Two steps to one patient by text, a day apart, both sent."""
    found = Evidence()
    found.roster = [Patient(PATIENT, 1, PHONE, MAIL, "America/Los_Angeles", {"sms": (8, 21)})]
    found.steps = [
        Step(0, "welcome", "service", "Welcome", "W"),
        Step(1, "tip", "drip", "A tip", "T"),
        Step(2, "tip2", "drip", "Another", "A"),
    ]
    found.eras = [(0, 0)]
    entries = []
    for step in found.steps:
        at, business = BEGUN + step.index * 10_000, NOON + step.index * DAY
        found.clock += [(at - 5_000, at - 5_000, business), (at + 4_000, at + 4_000, business)]
        found.arrivals.append(Arrival("sms", PHONE, step.text, at, f"t{step.index}", 3_600))
        found.attempts[PATIENT].append(Attempt(f"t{step.index}", PATIENT, step.index, "sms", at))
        entries.append(Entry(step.index, "s", "sms", business, business, "accepted", ""))
    found.histories[PATIENT] = entries
    found.patients[PATIENT] = {"u1": "c"}
    return found


def recorded(found: Evidence, step: int, **changes: str) -> None:
    """Have the record of a step say something else."""
    entries = found.histories[PATIENT]
    entries[step] = replace(entries[step], **changes)  # type: ignore[arg-type] # all are texts


def business(found: Evidence, step: int, at: int) -> None:
    """Have a step's business time be another one."""
    for place in (step * 2, step * 2 + 1):
        before, after, _ = found.clock[place]
        found.clock[place] = (before, after, at)
    entries = found.histories[PATIENT]
    entries[step] = replace(entries[step], at=at)


def missing_step(found: Evidence) -> None:
    del found.histories[PATIENT][1], found.arrivals[1]


def not_over(found: Evidence) -> None:
    found.patients[PATIENT] = {"u1": "a"}


def ended_for_no_reason(found: Evidence) -> None:
    found.patients[PATIENT] = {"u1": "o"}


def in_flight(found: Evidence) -> None:
    found.open.append(f"{PATIENT}.1")


def twice(found: Evidence) -> None:
    found.arrivals.append(replace(found.arrivals[1], attempt="other"))


def by_both(found: Evidence) -> None:
    found.arrivals.append(Arrival("email", MAIL, "T", BEGUN, prepared=NOON))
    found.roster[0] = replace(found.roster[0], hours={"sms": (8, 21), "email": (6, 22)})


def begun_after_leaving(found: Evidence) -> None:
    found.left.append((PHONE, BEGUN + 5_000))
    found.patients[PATIENT] = {"u1": "c", "xs": "1|1|stop"}


def opt_out_lost(found: Evidence) -> None:
    found.left.append((PHONE, BEGUN + 50_000))


def at_night(found: Evidence) -> None:
    business(found, 1, NOON + 10 * 3_600_000)


def valid_too_long(found: Evidence) -> None:
    found.arrivals[1] = replace(found.arrivals[1], validity_s=10 * 3_600)


def two_a_day(found: Evidence) -> None:
    business(found, 2, NOON + DAY + 3_600_000)


def unknown_though_there(found: Evidence) -> None:
    recorded(found, 1, state="x", reason="no_answer")


def unknown_for_no_reason(found: Evidence) -> None:
    del found.arrivals[1]
    recorded(found, 1, state="x", reason="no_answer")


def skipped_for_no_reason(found: Evidence) -> None:
    del found.arrivals[1]
    recorded(found, 1, state="k", reason="missed")


def failed_for_no_reason(found: Evidence) -> None:
    del found.arrivals[1]
    recorded(found, 1, state="f", reason="refused", code="30007")


def sent_and_not_there(found: Evidence) -> None:
    del found.arrivals[1]


def refused_and_there(found: Evidence) -> None:
    recorded(found, 1, state="f", reason="refused", code="30007")


BROKEN: list[tuple[Callable[[Evidence], None], str]] = [
    (missing_step, "lost"),
    (not_over, "lost"),
    (ended_for_no_reason, "lost"),
    (in_flight, "lost"),
    (twice, "doubled"),
    (by_both, "doubled"),
    (begun_after_leaving, "after opt-out"),
    (opt_out_lost, "after opt-out"),
    (at_night, "outside the window"),
    (valid_too_long, "outside the window"),
    (two_a_day, "flood"),
    (unknown_though_there, "unknown"),
    (unknown_for_no_reason, "unnamed"),
    (skipped_for_no_reason, "unnamed"),
    (failed_for_no_reason, "unnamed"),
    (sent_and_not_there, "disagrees"),
    (refused_and_there, "disagrees"),
]


def test_where_all_is_well_nothing_is_found() -> None:
    assert Checker(all_well()).figures().violations == []


@pytest.mark.parametrize(("harm", "rule"), BROKEN, ids=[harm.__name__ for harm, _ in BROKEN])
def test_each_promise_that_is_broken_is_found(harm: Callable[[Evidence], None], rule: str) -> None:
    found = all_well()
    harm(found)
    assert rule in {violation.rule for violation in Checker(found).figures().violations}


@pytest.mark.parametrize(
    ("fault", "explains"),
    [
        (Fault("provider_create_hang_before", BEGUN, BEGUN, (PHONE,), ("t1",)), True),
        (Fault("provider_create_hang_before", BEGUN, BEGUN, (PHONE,), ("t0",)), False),
        (Fault("provider_create_busy", BEGUN + 10_000, BEGUN + 10_000, (PHONE,), ("t1",)), False),
        (Fault("kill_child", BEGUN + 11_000, BEGUN + 11_000), True),
        (Fault("kill_child", BEGUN + 9_000, BEGUN + 9_000), False),
        (Fault("kill_child", BEGUN + 15_000, BEGUN + 15_000), False),
        (Fault("kill_beat", BEGUN + 11_000, BEGUN + 11_000), False),
    ],
)
def test_an_unknown_text_names_a_fault_that_can_have_withheld_its_proof(
    fault: Fault, *, explains: bool
) -> None:
    found = all_well()
    unknown_for_no_reason(found)
    found.faults.append(fault)
    figures = Checker(found).figures()
    assert (figures.violations == []) is explains
    assert figures.unknown_by_fault[fault.kind] == explains


@pytest.mark.parametrize(("arrived", "accepted"), [(False, True), (True, False)])
def test_of_two_open_questions_on_one_phone_the_list_cannot_tell_whose_text_it_shows(
    *, arrived: bool, accepted: bool
) -> None:
    found = all_well()
    found.roster.append(replace(found.roster[0], id="p2", number=2, email="ben@example.org"))
    found.patients["p2"] = {"u1": "c"}
    found.histories["p2"] = list(found.histories[PATIENT])
    for step in found.steps:
        mine = found.attempts[PATIENT][step.index]
        found.attempts["p2"].append(replace(mine, id=f"b{step.index}", patient="p2"))
        if step.index != 1 or arrived:
            found.arrivals.append(replace(found.arrivals[step.index], attempt=f"b{step.index}"))
    recorded(found, 1, state="x", reason="no_answer")
    found.histories["p2"][1] = replace(found.histories["p2"][1], state="x", reason="no_answer")
    found.faults.append(Fault("provider_receipts_lost", BEGUN, BEGUN + 60_000))
    rules = {violation.rule for violation in Checker(found).figures().violations}
    assert ("unknown" not in rules) == accepted


def test_a_clock_that_was_moved_is_counted_back() -> None:
    found = all_well()
    ahead = 3 * DAY
    found.eras.append((BEGUN + 15_000, ahead))
    first, second, third = found.attempts[PATIENT]
    found.attempts[PATIENT] = [first, second, replace(third, at=third.at + ahead)]
    assert Checker(found).figures().violations == []
