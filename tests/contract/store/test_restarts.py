"""A stop that staff made by mistake is undone: where it was, once, never against the patient."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from schedules.delivery import State
from service.errors import NotFound
from service.store.changes import PatientChanges
from service.store.keyring import KeyRing
from service.store.keys import PartitionKeys
from service.store.records import Status
from tests.contract.store.counting import counted
from tests.contract.store.installation import DUE, PHONE, WEEK_MS, Installed, ended
from tests.support.sets import Store

pytestmark = pytest.mark.usefixtures("recounted")

DAY_MS = 86_400_000
Step = Callable[[Installed, str], object]


def test_a_series_goes_on_where_it_was_and_who_undid_the_stop_is_in_the_audit(
    store: Installed,
) -> None:
    patient, _ = store.enrol()
    store.conclude(ended(store.claim_one(), state=State.SKIPPED.code, when_ms=DUE + DAY_MS))
    before = store.subscription(patient)
    store.business.ms += 3
    assert store.stop_one(patient) is None
    assert store.subscription(patient).undoable_ms == DUE + 3
    assert store.place(f"{patient}.1") == set()
    store.business.ms += 4
    assert store.restart(patient) == "ok"
    assert store.subscription(patient) == before
    assert store.due_ms(f"{patient}.1") == DUE + 7, "the policy decides on what was missed"
    assert store.audited(1)[1:] == [("status_o", "staff:ida"), ("restarted", "staff:ida")]


def test_undone_twice_it_is_undone_once(store: Installed) -> None:
    patient, _ = store.enrol()
    store.stop_one(patient)
    assert [store.restart(patient) for _ in range(3)] == ["ok", "going", "going"]
    assert [what for what, _ in store.audited(1)].count("restarted") == 1


@pytest.mark.parametrize("until_ms", [None, DUE + DAY_MS])
def test_one_that_was_paused_is_paused_again_until_when_it_was(
    store: Installed, until_ms: int | None
) -> None:
    patient, _ = store.enrol()
    store.set_status(patient, Status.PAUSED, [Status.ACTIVE], until_ms=until_ms)
    store.stop_one(patient)
    assert store.restart(patient) == "ok"
    found = store.subscription(patient)
    assert (found.status, found.until_ms) == (Status.PAUSED, until_ms)
    assert store.due_ms(f"{patient}.1") == until_ms


def test_a_pause_that_would_have_ended_meanwhile_is_over(store: Installed) -> None:
    patient, _ = store.enrol()
    store.set_status(patient, Status.PAUSED, [Status.ACTIVE], until_ms=DUE + DAY_MS)
    store.stop_one(patient)
    store.business.ms += 2 * DAY_MS
    assert store.restart(patient) == "ok"
    assert store.claim_one().subscription.status is Status.ACTIVE


def test_a_stop_said_twice_by_staff_is_one_that_they_may_undo(store: Installed) -> None:
    patient, _ = store.enrol()
    for _ in range(2):
        store.stop_one(patient)
        store.business.ms += 1
    assert store.subscription(patient).undoable_ms == DUE
    assert store.restart(patient) == "ok"


@pytest.mark.parametrize("source", ["page", "reply:SM1", "staff:ida"])
def test_what_the_patient_has_left_is_not_undone_whoever_wrote_it_down(
    store: Installed, source: str
) -> None:
    """Staff write it down as well: they say what a text of the patient's had meant."""
    patient, _ = store.enrol()
    store.stop_one(patient, source=source, undoable=False)
    store.stop_one(patient)
    before = store.dump()
    assert store.restart(patient) == "final"
    assert store.dump() == before


def test_what_the_patient_leaves_after_staff_stopped_it_is_not_undone(store: Installed) -> None:
    patient, _ = store.enrol()
    store.stop_one(patient)
    store.stop_one(patient, source="page", undoable=False)
    assert store.restart(patient) == "final"
    assert store.status(patient) is Status.OPTED_OUT


def test_what_an_opt_out_had_ended_before_staff_stopped_it_is_not_undone(store: Installed) -> None:
    patient, _ = store.enrol(channels=("sms",))
    store.suppress()
    store.stop_one(patient)
    store.lift()
    assert store.restart(patient) == "final"


@pytest.mark.parametrize("reason", ["stop", "provider_opt_out", "wrong_number", "died", "staff"])
@pytest.mark.parametrize("lifted", [False, True])
def test_after_an_opt_out_of_any_channel_nothing_is_undone_even_where_it_was_lifted(
    store: Installed, reason: str, *, lifted: bool
) -> None:
    patient, _ = store.enrol()
    store.stop_one(patient)
    store.suppress(reason=reason)
    if lifted:
        store.lift("sms", PHONE, reason)
    assert store.subscription(patient).undoable_ms is None
    assert store.restart(patient) == "final"
    assert store.status(patient) is Status.OPTED_OUT


def test_a_stop_that_is_said_again_for_an_address_that_was_silent_counts(store: Installed) -> None:
    patient, _ = store.enrol()
    store.suppress()
    store.stop_one(patient)
    store.suppress()
    assert store.restart(patient) == "final"


def test_what_had_opted_out_before_the_stop_stays_so_and_the_rest_goes_on(store: Installed) -> None:
    patient, _ = store.enrol()
    store.suppress()
    store.stop_one(patient)
    assert store.restart(patient) == "ok"
    assert store.fields(patient).reachable() == {"email"}
    claimed = store.claim_one()
    assert store.begin(store.beginning(claimed)) == "suppressed"
    assert store.begin(store.beginning(claimed, channel="email")) == "ok"


def test_a_number_that_does_not_work_is_no_opt_out(store: Installed) -> None:
    patient, _ = store.enrol()
    store.stop_one(patient)
    store.suppress(reason="invalid")
    assert store.restart(patient) == "ok"


def test_where_nothing_reaches_the_patient_the_stop_stands(store: Installed) -> None:
    patient, _ = store.enrol(channels=("sms",))
    store.stop_one(patient)
    store.suppress(reason="invalid")
    before = store.dump()
    assert store.restart(patient) == "silent"
    assert store.dump() == before


def test_an_opt_out_of_the_number_that_a_phone_is_being_corrected_to_counts(
    store: Installed,
) -> None:
    patient, _ = store.enrol()
    store.stop_one(patient)
    new = "+15035550142"
    told = ("s", store.digest("sms", PHONE), store.digest("sms", new))
    store.scripts.run("expect_address", (PartitionKeys(1).patient(patient),), told)
    store.suppressions.join(store.digest("sms", new), patient)
    store.suppress("sms", new)
    assert store.restart(patient) == "final"


def test_a_stop_is_undone_for_a_week_and_no_longer(store: Installed) -> None:
    early, late = (store.enrol()[0] for _ in range(2))
    store.stop_one(early)
    store.business.ms += WEEK_MS
    assert store.restart(early) == "ok"
    store.business.ms = DUE
    store.stop_one(late)
    store.business.ms += WEEK_MS + 1
    assert store.restart(late) == "late"


@pytest.mark.parametrize("over", [False, True])
def test_who_was_enrolled_in_the_series_again_is_in_it_once(
    store: Installed, *, over: bool
) -> None:
    patient, _ = store.enrol()
    store.stop_one(patient)
    again = store.create(patient, {}, new=False)
    assert (again.outcome, again.number) == ("ok", 2)
    if over:
        store.stop_one(patient, 2)
    assert store.restart(patient) == "again"
    assert store.restart(patient, 2) == ("ok" if over else "going")


def test_another_series_has_nothing_to_do_with_it(store: Installed) -> None:
    patient, _ = store.enrol()
    store.create(patient, {}, series="sleep-hygiene", new=False)
    store.stop_one(patient)
    assert store.restart(patient) == "ok"
    assert [store.status(patient, number) for number in (1, 2)] == [Status.ACTIVE] * 2


def test_of_somebody_who_is_being_erased_nothing_goes_on(store: Installed) -> None:
    patient, _ = store.enrol()
    subscription = store.subscription(patient)
    store.patients.set_status(
        subscription, Status.OPTED_OUT, allowed=[Status.ACTIVE], source="staff:a", reason="erased"
    )
    assert store.restart(patient) == "final", "the erasure was cut off here"
    changes = PatientChanges(store.scripts, KeyRing.generate(), store.business)
    assert changes.erase(patient, kept=[], source="staff:a")
    with pytest.raises(NotFound):
        changes.restart(subscription, within_ms=WEEK_MS, source="staff:a")


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("first", ["flight", "restart"])
def test_stopped_in_flight_and_undone_it_is_due_once_and_nothing_is_sent_twice(
    store: Installed, first: str, *, begun: bool
) -> None:
    patient, _ = store.enrol()
    member, claimed = f"{patient}.1", store.claim_one()
    beginning = store.beginning(claimed)
    if begun:
        assert store.begin(beginning) == "ok"
    store.stop_one(patient)
    state = State.SENT.code if begun else ""
    end = ended(claimed, state=state, attempt=beginning.attempt if begun else "")
    if first == "flight":
        assert store.conclude(end)
        assert store.place(member) == set()
    assert store.restart(patient) == "ok"
    if first == "restart":
        assert store.place(member) == {"held"}
        assert store.conclude(end)
    assert store.place(member) == {"due"}
    assert store.subscription(patient).index == int(begun)
    assert store.begin(beginning) == "lost"


def test_what_was_missed_by_a_lease_that_ran_out_comes_back_with_it(store: Installed) -> None:
    patient, _ = store.enrol()
    store.claim_one()
    store.stop_one(patient)
    store.expire()
    store.sweep()
    assert store.place(f"{patient}.1") == set()
    assert store.restart(patient) == "ok"
    assert store.place(f"{patient}.1") == {"due"}


def test_a_stop_that_was_undone_is_counted_as_one_and_as_coming_back(store: Installed) -> None:
    patient, _ = store.enrol()
    store.stop_one(patient)
    store.restart(patient)
    found = {field.split("|", 3)[3]: by for field, by in counted(store, "eu").items()}
    assert found == {
        "restless-legs|1|n||": 1,
        "restless-legs|1|s||": 1,
        "restless-legs|1|b||": 1,
        "restless-legs|1|2026-03-02|a": 1,
    }


def _undo(store: Installed, patient: str) -> object:
    return store.restart(patient)


def _opt_out(store: Installed, _patient: str) -> object:
    return store.suppress()


def _leave(store: Installed, patient: str) -> object:
    return store.stop_one(patient, source="page", undoable=False)


@pytest.mark.parametrize("other", [_opt_out, _leave])
@pytest.mark.parametrize("undone_first", [False, True])
def test_whichever_comes_first_the_patients_own_stop_stands(
    store: Installed, other: Step, *, undone_first: bool
) -> None:
    patient, _ = store.enrol(channels=("sms",))
    store.stop_one(patient)
    for step in (_undo, other) if undone_first else (other, _undo):
        step(store, patient)
    assert store.status(patient) is Status.OPTED_OUT
    assert store.claim() == []


@pytest.mark.parametrize("other", [_opt_out, _leave])
@pytest.mark.parametrize("turn", range(5))
def test_an_undoing_that_races_the_patients_own_stop_ends_in_stopped(
    server: Store, other: Step, turn: int
) -> None:
    del turn
    with Installed.fresh(server) as store:
        patients = [store.enrol(partition=n % 4, channels=("sms",))[0] for n in range(8)]
        for patient in patients:
            store.stop_one(patient)
        barrier = threading.Barrier(2)

        def undo_all() -> None:
            barrier.wait()
            for patient in patients:
                store.restart(patient)

        def stop_all() -> None:
            barrier.wait()
            for patient in patients:
                other(store, patient)

        with ThreadPoolExecutor(2) as pool:
            for future in [pool.submit(undo_all), pool.submit(stop_all)]:
                future.result()
        assert {store.status(patient) for patient in patients} == {Status.OPTED_OUT}
        assert [store.claim(partition) for partition in range(4)] == [[]] * 4
        assert {store.restart(patient) for patient in patients} == {"final"}
