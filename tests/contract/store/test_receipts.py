"""Receipts: in any order, any number of times, before the record or long after it."""

from __future__ import annotations

from itertools import permutations

import pytest

from schedules.delivery import State
from service.carriers.base import AddressEffect, Outcome, Receipt, ReceiptStatus, Result
from service.store.keys import PartitionKeys
from service.store.records import Claimed, Status
from tests.contract.store.installation import Installed, ended

pytestmark = pytest.mark.usefixtures("recounted")

SID = "SM1"


def receipt(
    attempt: str,
    status: ReceiptStatus,
    *,
    sid: str = SID,
    result: Result | None = None,
    effect: AddressEffect | None = None,
) -> Receipt:
    outcome = Outcome(result, "no", code="30003", effect=effect) if result else None
    return Receipt(attempt, sid, status, status.value, outcome)


def begun(store: Installed, **patient: object) -> tuple[Claimed, str]:
    store.enrol(**patient)  # type: ignore[arg-type]
    claimed = store.claim_one()
    beginning = store.beginning(claimed)
    assert store.begin(beginning) == "ok"
    return claimed, beginning.attempt


def state_of(store: Installed, claimed: Claimed) -> State:
    (entry,) = store.patients.history(claimed.fields.id)
    return State.from_code(entry.state)


ORDERS = list(permutations([ReceiptStatus.QUEUED, ReceiptStatus.SENT, ReceiptStatus.DELIVERED]))


@pytest.mark.parametrize("recorded_after", [0, 1, 2, 3])
@pytest.mark.parametrize("order", ORDERS)
def test_in_any_order_the_terminal_one_wins(
    store: Installed, order: tuple[ReceiptStatus, ...], recorded_after: int
) -> None:
    claimed, attempt = begun(store)
    for place in range(4):
        if place == recorded_after:
            assert store.conclude(ended(claimed, state=State.SENT.code, attempt=attempt))
        if place < 3:
            assert store.receive(receipt(attempt, order[place]))
            assert store.receive(receipt(attempt, order[place]))
    assert state_of(store, claimed) is State.DELIVERED


@pytest.mark.parametrize("first", [ReceiptStatus.DELIVERED, ReceiptStatus.FAILED])
def test_of_two_terminal_receipts_the_first_stands(store: Installed, first: ReceiptStatus) -> None:
    claimed, attempt = begun(store)
    store.conclude(ended(claimed, state=State.SENT.code, attempt=attempt))
    second = {ReceiptStatus.DELIVERED, ReceiptStatus.FAILED} - {first}
    for status in (first, *second):
        failed = Result.PERMANENT if status is ReceiptStatus.FAILED else None
        store.receive(receipt(attempt, status, result=failed))
    wanted = State.DELIVERED if first is ReceiptStatus.DELIVERED else State.UNDELIVERED
    assert state_of(store, claimed) is wanted


@pytest.mark.parametrize("before", [True, False])
def test_a_receipt_settles_what_was_recorded_as_unknown(store: Installed, *, before: bool) -> None:
    claimed, attempt = begun(store)
    unknown = ended(claimed, state=State.UNKNOWN.code, attempt=attempt)
    if not before:
        assert store.conclude(unknown)
    store.receive(receipt(attempt, ReceiptStatus.DELIVERED))
    if before:  # it came while the proof was being looked for elsewhere
        assert store.conclude(unknown)
    assert state_of(store, claimed) is State.DELIVERED


@pytest.mark.parametrize("found", [State.DELIVERED, State.UNDELIVERED])
def test_a_late_receipt_does_not_take_back_what_the_list_proved(
    store: Installed, found: State
) -> None:
    claimed, attempt = begun(store)
    store.conclude(ended(claimed, state=found.code, attempt=attempt))
    store.receive(receipt(attempt, ReceiptStatus.SENT))
    assert state_of(store, claimed) is found


def test_a_refused_delivery_stays_refused(store: Installed) -> None:
    claimed, attempt = begun(store)
    store.conclude(ended(claimed, state=State.FAILED.code, attempt=attempt))
    store.receive(receipt(attempt, ReceiptStatus.QUEUED))
    assert state_of(store, claimed) is State.FAILED


def test_a_failure_that_may_have_arrived_is_unknown_until_better_is_known(
    store: Installed,
) -> None:
    claimed, attempt = begun(store)
    store.conclude(ended(claimed, state=State.SENT.code, attempt=attempt))
    store.receive(receipt(attempt, ReceiptStatus.SENT))
    store.receive(receipt(attempt, ReceiptStatus.FAILED, result=Result.UNKNOWN))
    assert state_of(store, claimed) is State.UNKNOWN
    store.receive(receipt(attempt, ReceiptStatus.SENT))
    assert state_of(store, claimed) is State.UNKNOWN
    store.receive(receipt(attempt, ReceiptStatus.DELIVERED))
    assert state_of(store, claimed) is State.DELIVERED


def test_a_receipt_before_the_record_is_kept_with_its_id_and_code(store: Installed) -> None:
    _, attempt = begun(store)
    failed = receipt(attempt, ReceiptStatus.FAILED, result=Result.PERMANENT)
    assert store.receive(failed)
    record = store.dispatch.attempt(attempt)
    assert record is not None
    assert (record.receipt, record.provider_id, record.code) == (
        State.UNDELIVERED.code,
        SID,
        "30003",
    )


def test_the_code_of_a_failure_is_in_the_history(store: Installed) -> None:
    claimed, attempt = begun(store)
    store.conclude(ended(claimed, state=State.SENT.code, attempt=attempt))
    store.receive(receipt(attempt, ReceiptStatus.FAILED, result=Result.PERMANENT))
    (entry,) = store.patients.history(claimed.fields.id)
    assert (entry.state, entry.code) == (State.UNDELIVERED.code, "30003")


@pytest.mark.parametrize("effect", [None, AddressEffect.INVALID])
def test_a_receipt_of_another_message_changes_nothing(
    store: Installed, effect: AddressEffect | None
) -> None:
    claimed, attempt = begun(store)
    store.conclude(ended(claimed, state=State.SENT.code, attempt=attempt))
    before = store.dump()
    other = receipt(
        attempt, ReceiptStatus.FAILED, sid="SM2", result=Result.PERMANENT, effect=effect
    )
    assert not store.receive(other)
    assert store.dump() == before


def test_a_receipt_of_no_attempt_of_ours_is_not_known(store: Installed) -> None:
    attempt = store.patients.new_attempt("01" + "a" * 10)
    assert not store.receive(receipt(attempt, ReceiptStatus.SENT))
    assert store.dispatch.receive(attempt, "s", 2, SID, None) == "gone"
    assert store.keys(PartitionKeys(1).attempt("*")) == []


@pytest.mark.parametrize(
    ("effect", "status"),
    [
        (AddressEffect.OPTED_OUT, Status.OPTED_OUT),
        (AddressEffect.INVALID, Status.UNREACHABLE),
    ],
)
def test_a_receipt_that_speaks_of_the_address_suppresses_it(
    store: Installed, effect: AddressEffect, status: Status
) -> None:
    claimed, attempt = begun(store, channels=("sms",))
    failed = receipt(attempt, ReceiptStatus.FAILED, result=Result.PERMANENT, effect=effect)
    assert store.receive(failed)
    assert store.status(claimed.fields.id) is status


def test_a_receipt_for_an_erased_patient_is_taken_without_effect(store: Installed) -> None:
    claimed, attempt = begun(store)
    store.client.delete(PartitionKeys(1).patient(claimed.fields.id))
    failed = receipt(
        attempt, ReceiptStatus.FAILED, result=Result.PERMANENT, effect=AddressEffect.INVALID
    )
    assert store.receive(failed)
