"""An address is corrected in step with opt-outs of the old and the new one, and with workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from service.carriers.base import Receipt, ReceiptStatus
from service.errors import NotFound
from service.store.address_changes import AddressChanges
from service.store.changes import PatientChanges
from service.store.records import Status
from service.store.suppressions import Ledger
from tests.contract.store.installation import DUE, PHONE, Installed, ended

pytestmark = pytest.mark.usefixtures("recounted")

NEW = "+15035550177"


def addresses(store: Installed) -> AddressChanges:
    ring = store.patients._keyring
    return AddressChanges(store.scripts, ring, store.suppressions, store.business, store.machine)


def correct(
    store: Installed, patient: str, phone: str = NEW, meanwhile: Callable[[], object] = lambda: None
) -> bool:
    fields = store.fields(patient)
    known = store.patients.contact(fields)
    meanwhile()
    consent = {"channel": "sms", "method": "verbal", "wording": "2026-01", "address": phone}
    return addresses(store).correct(
        fields, known, replace(known, phone=phone), consent, source="test"
    )


def is_silent(store: Installed, patient: str) -> bool:
    copy = store.fields(patient).suppression("sms")
    return bool(copy and copy.on)


def test_the_new_address_is_on_record_with_its_evidence_and_the_old_one_forgets_the_patient(
    store: Installed,
) -> None:
    patient, _ = store.enrol()
    assert correct(store, patient)
    assert store.patients.contact(store.fields(patient)).phone == NEW
    assert store.suppressions.patients(store.digest("sms", PHONE)) == ()
    assert store.suppressions.patients(store.digest("sms", NEW)) == (patient,)
    assert store.patients.consents(patient)[-1]["address"] == NEW
    assert store.fields(patient).links_ended == 1
    assert store.audited(1)[-1] == ("amended", "test")


def test_the_old_addresss_opt_out_is_none_of_the_new_ones(store: Installed) -> None:
    patient, _ = store.enrol(email=None, channels=("sms",))
    store.suppress("sms", PHONE, "wrong_number")
    assert store.status(patient) is Status.UNREACHABLE
    assert correct(store, patient)
    assert not is_silent(store, patient)
    assert store.status(patient) is Status.ACTIVE
    assert store.due_ms(f"{patient}.1") == DUE


def test_a_series_that_was_left_by_itself_is_not_revived(store: Installed) -> None:
    patient, _ = store.enrol(email=None, channels=("sms",))
    store.set_status(patient, Status.OPTED_OUT, [Status.ACTIVE])
    assert correct(store, patient)
    assert store.status(patient) is Status.OPTED_OUT


def test_a_pause_that_an_opt_out_ended_comes_back_until_its_day(store: Installed) -> None:
    patient, _ = store.enrol(email=None, channels=("sms",))
    store.set_status(patient, Status.PAUSED, [Status.ACTIVE], until_ms=DUE + 5_000)
    store.suppress("sms", PHONE)
    assert correct(store, patient)
    assert store.status(patient) is Status.PAUSED
    assert store.due_ms(f"{patient}.1") == DUE + 5_000


def test_an_address_that_has_opted_out_is_silent_from_the_first_instant(store: Installed) -> None:
    patient, _ = store.enrol(email=None, channels=("sms",))
    store.suppress("sms", NEW)
    assert correct(store, patient)
    assert is_silent(store, patient)
    assert store.status(patient) is Status.OPTED_OUT
    assert store.place(f"{patient}.1") == set()
    store.lift("sms", NEW)
    assert store.status(patient) is Status.ACTIVE


def test_with_another_channel_left_the_series_goes_on(store: Installed) -> None:
    patient, _ = store.enrol()
    store.suppress("sms", NEW)
    assert correct(store, patient)
    assert is_silent(store, patient)
    assert store.status(patient) is Status.ACTIVE


@pytest.mark.parametrize("state", ["claimed", "retry"])
def test_what_is_claimed_with_the_old_address_is_not_begun(store: Installed, state: str) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    if state == "retry":
        assert store.conclude(ended(claimed, "hold", when_ms=DUE + 60_000))
    assert correct(store, patient)
    assert store.begin(store.beginning(claimed)) == "lost"
    assert store.place(f"{patient}.1") == {"due"}
    assert store.begin(store.beginning(store.claim_one())) == "ok"


def test_what_has_begun_is_concluded_and_its_late_failure_says_nothing_of_the_new_address(
    store: Installed,
) -> None:
    patient, _ = store.enrol()
    beginning = store.beginning(store.claim_one())
    assert store.begin(beginning) == "ok"
    store.machine.ms += 10
    assert correct(store, patient)
    assert store.place(f"{patient}.1") == {"held"}
    assert store.receive(Receipt(beginning.attempt, "SM1", ReceiptStatus.FAILED, "30005"))
    assert not is_silent(store, patient)
    assert store.suppressions.stand(store.digest("sms", NEW)).reasons == ()


def test_an_opt_out_of_the_old_address_that_is_carried_late_is_none_of_the_new_one(
    store: Installed,
) -> None:
    patient, _ = store.enrol()
    digest = store.digest("sms", PHONE)
    assert correct(store, patient)
    late = Ledger(changed=True, sequence=9, on=True, reason="stop", patients=(patient,))
    store.suppressions._fan_out("sms", digest, late)
    assert not is_silent(store, patient)


def test_an_opt_out_of_the_new_address_that_comes_in_between_holds(store: Installed) -> None:
    """It is acknowledged after the patient was entered there, before the record is written."""
    patient, _ = store.enrol(email=None, channels=("sms",))
    join = store.suppressions.join

    def join_and_stop(digest: str, patient: str) -> str:
        copy = join(digest, patient)
        store.suppress("sms", NEW)
        assert not is_silent(store, patient), "the old number has said nothing"
        return copy

    store.suppressions.join = join_and_stop  # type: ignore[method-assign]
    assert correct(store, patient)
    assert is_silent(store, patient)
    assert store.status(patient) is Status.OPTED_OUT


def test_a_second_correction_back_to_the_first_address_takes_its_suppression_again(
    store: Installed,
) -> None:
    patient, _ = store.enrol()
    store.suppress("sms", PHONE)
    assert correct(store, patient)
    assert not is_silent(store, patient)
    assert correct(store, patient, PHONE)
    assert is_silent(store, patient)
    store.lift("sms", PHONE)
    assert not is_silent(store, patient)


def test_a_record_that_was_changed_meanwhile_is_read_again(store: Installed) -> None:
    patient, _ = store.enrol()

    def move() -> None:
        fields = store.fields(patient)
        moved = replace(store.patients.contact(fields), timezone="America/New_York")
        changes = PatientChanges(store.scripts, store.patients._keyring, store.business)
        assert changes.amend(fields, moved, ends_links=False, source="test", words=["timezone"])

    assert not correct(store, patient, meanwhile=move)
    assert store.patients.contact(store.fields(patient)).phone == PHONE
    assert correct(store, patient)


def test_who_was_erased_meanwhile_is_not_there_and_stands_under_no_address(
    store: Installed,
) -> None:
    patient, _ = store.enrol()
    changes = PatientChanges(store.scripts, store.patients._keyring, store.business)
    with pytest.raises(NotFound):
        correct(store, patient, meanwhile=lambda: changes.erase(patient, kept=[], source="test"))
    assert store.suppressions.patients(store.digest("sms", NEW)) == ()


def test_a_day_is_taken_once_and_not_where_the_address_is_silent(store: Installed) -> None:
    patient, _ = store.enrol()
    changes = PatientChanges(store.scripts, store.patients._keyring, store.business)
    day = store.subscription(patient).start

    def take() -> str:
        return changes.take_day(patient, "sms", day, "walking", source="test")

    assert (take(), take()) == ("ok", "capped_day")
    claimed = store.claim_one()
    beginning = store.beginning(claimed, cap_day=day.toordinal())
    assert store.begin(beginning) == "capped_day"
    store.suppress("sms", PHONE)
    assert take() == "suppressed"
