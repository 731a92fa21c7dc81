"""Enrolment is all or nothing and idempotent; pausing and resuming lose nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from schedules.delivery import State
from service.errors import NotFound
from service.store.keys import is_patient_id, new_patient_id, partition_of
from service.store.records import Status
from tests.contract.store.installation import DUE, PHONE, Installed, ended

pytestmark = pytest.mark.usefixtures("recounted")


def test_an_id_that_is_taken_changes_nothing(store: Installed) -> None:
    patient, _ = store.enrol()
    before = store.dump()
    assert store.create(patient, {}).outcome == "exists"
    assert store.dump() == before


def test_a_patient_who_was_erased_gets_no_further_subscription(store: Installed) -> None:
    patient = new_patient_id(1, bytes)
    assert store.create(patient, {}, new=False).outcome == "gone"
    assert store.patients.find(patient) is None
    assert store.place(f"{patient}.1") == set()


def test_a_patient_is_in_a_series_once_at_a_time(store: Installed) -> None:
    patient, _ = store.enrol()
    before = store.dump()
    enrolled = store.create(patient, {}, new=False)
    assert (enrolled.outcome, enrolled.number) == ("enrolled", 1)
    assert store.dump() == before
    store.conclude(ended(store.claim_one(), "end", state=State.SKIPPED.code))
    enrolled = store.create(patient, {}, new=False)
    assert (enrolled.outcome, enrolled.number) == ("ok", 2)


def test_one_of_many_that_enrol_the_same_patient_at_once_succeeds(store: Installed) -> None:
    patient = new_patient_id(2, bytes)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: store.create(patient, {}).outcome, range(8)))
    assert sorted(outcomes) == ["exists"] * 7 + ["ok"]
    assert len(list(store.fields(patient).subscriptions())) == 1
    assert len(store.patients.consents(patient)) == 2


def test_consent_evidence_is_kept_and_encrypted(store: Installed) -> None:
    patient, _ = store.enrol()
    assert [evidence["channel"] for evidence in store.patients.consents(patient)] == [
        "sms",
        "email",
    ]
    everything = b"".join(store.dump().values())
    for secret in (b"Ana", PHONE.encode(), b"ana@example.org", b"verbal", b"Los_Angeles"):
        assert secret not in everything


def test_a_suppression_copy_alone_is_no_patient(store: Installed) -> None:
    patient = new_patient_id(1, bytes)
    store.join(patient, PHONE, None)
    store.suppress()
    assert store.patients.find(patient) is None
    with pytest.raises(NotFound):
        store.patients.load(patient)


@pytest.mark.parametrize("text", ["", "x", "ana@example.org", "0" * 11, "0" * 13, "uuuuuuuuuuuu"])
def test_what_is_no_id_finds_nobody(store: Installed, text: str) -> None:
    assert store.patients.find(text) is None


def test_new_ids_spread_over_all_partitions(store: Installed) -> None:
    identifiers = [store.patients.new_id() for _ in range(200)]
    assert all(is_patient_id(identifier) for identifier in identifiers)
    assert {partition_of(identifier) for identifier in identifiers} == {0, 1, 2, 3}
    assert partition_of(store.patients.new_attempt(identifiers[0])) == partition_of(identifiers[0])


def test_every_patient_is_listed(store: Installed) -> None:
    patients = {store.enrol(partition=partition)[0] for partition in (0, 1, 2, 3, 3)}
    assert set(store.patients.identifiers()) == patients


def test_a_paused_subscription_is_neither_claimed_nor_begun(store: Installed) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    assert store.set_status(patient, Status.PAUSED, [Status.ACTIVE]) is None
    assert store.begin(store.beginning(claimed)) == "stopped"
    assert store.conclude(ended(claimed))
    assert store.place(f"{patient}.1") == set()
    assert store.claim() == []


def test_resumed_it_is_due_at_once(store: Installed) -> None:
    patient, _ = store.enrol(due_ms=DUE - 5)
    store.set_status(patient, Status.PAUSED, [Status.ACTIVE])
    assert store.place(f"{patient}.1") == set()
    assert store.set_status(patient, Status.ACTIVE, [Status.PAUSED]) is None
    assert store.due_ms(f"{patient}.1") == DUE


@pytest.mark.parametrize("begun", [False, True])
def test_paused_and_resumed_in_flight_it_is_due_once_when_the_flight_is_over(
    store: Installed, *, begun: bool
) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    beginning = store.beginning(claimed)
    if begun:
        store.begin(beginning)
    store.set_status(patient, Status.PAUSED, [Status.ACTIVE])
    store.set_status(patient, Status.ACTIVE, [Status.PAUSED])
    assert store.place(f"{patient}.1") == {"held"}
    attempt = beginning.attempt if begun else ""
    state = State.SENT.code if begun else ""
    assert store.conclude(ended(claimed, state=state, attempt=attempt))
    assert store.place(f"{patient}.1") == {"due"}


def test_a_lease_that_runs_out_during_a_pause_comes_back_with_the_resumption(
    store: Installed,
) -> None:
    patient, _ = store.enrol()
    store.claim_one()
    store.set_status(patient, Status.PAUSED, [Status.ACTIVE])
    store.expire()
    store.sweep()
    assert store.place(f"{patient}.1") == set()
    store.set_status(patient, Status.ACTIVE, [Status.PAUSED])
    assert store.place(f"{patient}.1") == {"due"}


DAY_MS = 86_400_000


def test_paused_until_a_time_it_goes_on_by_itself_then_and_not_before(store: Installed) -> None:
    patient, _ = store.enrol()
    store.set_status(patient, Status.PAUSED, [Status.ACTIVE], until_ms=DUE + DAY_MS)
    assert store.subscription(patient).until_ms == DUE + DAY_MS
    store.business.ms = DUE + DAY_MS - 1
    assert store.claim() == []
    assert store.status(patient) is Status.PAUSED
    store.business.ms += 1
    assert store.claim_one().subscription.status is Status.ACTIVE
    assert store.subscription(patient).until_ms is None


def test_a_pause_until_a_time_may_be_changed_made_endless_and_ended(store: Installed) -> None:
    patient, _ = store.enrol()
    member, any_of = f"{patient}.1", [Status.ACTIVE, Status.PAUSED]
    store.set_status(patient, Status.PAUSED, any_of, until_ms=DUE + DAY_MS)
    store.set_status(patient, Status.PAUSED, any_of, until_ms=DUE + 3 * DAY_MS)
    assert store.due_ms(member) == DUE + 3 * DAY_MS
    store.set_status(patient, Status.PAUSED, any_of)
    assert (store.place(member), store.subscription(patient).until_ms) == (set(), None)
    store.set_status(patient, Status.PAUSED, any_of, until_ms=DUE + DAY_MS)
    store.set_status(patient, Status.ACTIVE, [Status.PAUSED])
    assert (store.due_ms(member), store.subscription(patient).until_ms) == (DUE, None)


@pytest.mark.parametrize("how", ["concluded", "held", "lease runs out"])
def test_paused_until_a_time_in_flight_it_goes_on_then_whatever_became_of_the_flight(
    store: Installed, how: str
) -> None:
    patient, _ = store.enrol()
    claimed, member = store.claim_one(), f"{patient}.1"
    store.set_status(patient, Status.PAUSED, [Status.ACTIVE], until_ms=DUE + DAY_MS)
    assert store.place(member) == {"held"}
    if how == "concluded":
        store.conclude(ended(claimed, state=State.SKIPPED.code))
    elif how == "held":
        store.conclude(ended(claimed, "hold", when_ms=store.machine.ms))
    if how != "concluded":
        store.expire()
        store.sweep()
    assert store.due_ms(member) == DUE + DAY_MS
    assert store.status(patient) is Status.PAUSED


def test_an_opt_out_ends_a_pause_for_good(store: Installed) -> None:
    patient, _ = store.enrol(channels=("sms",))
    store.set_status(patient, Status.PAUSED, [Status.ACTIVE], until_ms=DUE + DAY_MS)
    store.suppress()
    store.business.ms = DUE + 2 * DAY_MS
    assert store.claim() == []
    assert store.status(patient) is Status.OPTED_OUT


def test_a_series_that_was_left_by_itself_is_not_revived_by_a_start(store: Installed) -> None:
    patient, _ = store.enrol(channels=("sms",))
    store.create(patient, {}, channels=("sms",), series="sleep-hygiene", new=False)
    store.set_status(patient, Status.OPTED_OUT, [Status.ACTIVE])
    store.suppress()
    store.lift()
    assert store.status(patient, 1) is Status.OPTED_OUT
    assert store.status(patient, 2) is Status.ACTIVE


def test_a_status_that_forbids_the_change_is_told_and_nothing_changes(store: Installed) -> None:
    patient, _ = store.enrol()
    before = store.dump()
    assert store.set_status(patient, Status.ACTIVE, [Status.PAUSED]) is Status.ACTIVE
    assert store.dump() == before


def test_changes_of_status_are_in_the_audit_with_who_made_them(store: Installed) -> None:
    patient, _ = store.enrol()
    store.set_status(patient, Status.PAUSED, [Status.ACTIVE])
    assert store.audited(1) == [("enrolled", "test"), ("status_p", "test")]
