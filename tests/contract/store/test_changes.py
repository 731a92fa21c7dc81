"""Changes of a patient's record: new details, links that end, erasure."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from schedules.delivery import State
from service.errors import NotFound
from service.store.changes import PatientChanges
from service.store.keyring import KeyRing
from service.store.keys import PartitionKeys, new_patient_id
from service.store.records import Status
from tests.contract.store.installation import DUE, MAILBOX, Installed, ended

pytestmark = pytest.mark.usefixtures("recounted")


def changes(store: Installed) -> PatientChanges:
    ring: KeyRing = store.patients._keyring
    return PatientChanges(store.scripts, ring, store.business)


def amend(store: Installed, patient: str, *, ends_links: bool = False) -> bool:
    fields = store.fields(patient)
    moved = replace(store.patients.contact(fields), timezone="America/New_York")
    return changes(store).amend(
        fields, moved, ends_links=ends_links, source="test", words=["timezone"]
    )


def test_what_is_due_later_is_looked_at_at_once_after_a_change(store: Installed) -> None:
    patient, _ = store.enrol(due_ms=DUE + 9_000)
    assert amend(store, patient)
    assert store.patients.contact(store.fields(patient)).timezone == "America/New_York"
    assert store.due_ms(f"{patient}.1") == DUE
    assert store.audited(1)[-1] == ("amended", "test")


def test_what_was_due_before_keeps_its_turn(store: Installed) -> None:
    patient, _ = store.enrol(due_ms=DUE - 9_000)
    amend(store, patient)
    assert store.due_ms(f"{patient}.1") == DUE - 9_000


@pytest.mark.parametrize("where", ["due", "end"])
def test_what_is_in_flight_is_looked_at_when_its_flight_is_over(
    store: Installed, where: str
) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    amend(store, patient)
    assert store.place(f"{patient}.1") == {"held"}
    conclusion = ended(claimed, "due", when_ms=DUE + 86_400_000, state=State.SKIPPED.code)
    assert store.conclude(replace(conclusion, where=where))  # type: ignore[arg-type]
    assert store.due_ms(f"{patient}.1") == DUE, "by the plan that it was concluded with, a day late"
    assert store.claim_one().subscription.index == 1


def test_a_change_of_what_was_read_long_ago_is_refused(store: Installed) -> None:
    patient, _ = store.enrol()
    old = store.fields(patient)
    assert amend(store, patient)
    contact = store.patients.contact(old)
    refused = changes(store).amend(old, contact, ends_links=False, source="test", words=[])
    assert not refused
    assert store.patients.contact(store.fields(patient)).timezone == "America/New_York"


def test_what_is_paused_or_over_is_not_woken_by_a_change(store: Installed) -> None:
    patient, _ = store.enrol()
    store.set_status(patient, Status.PAUSED, [Status.ACTIVE])
    amend(store, patient)
    assert store.place(f"{patient}.1") == set()
    until_ms = DUE + 86_400_000
    store.set_status(patient, Status.PAUSED, [Status.PAUSED], until_ms=until_ms)
    amend(store, patient)
    assert store.due_ms(f"{patient}.1") == until_ms


def test_links_end_by_being_ended_and_by_a_change_of_contact(store: Installed) -> None:
    patient, _ = store.enrol()
    amend(store, patient)
    assert store.fields(patient).links_ended == 0
    amend(store, patient, ends_links=True)
    assert store.fields(patient).links_ended == 1
    assert changes(store).end_links(patient, source="test") == 2
    with pytest.raises(NotFound):
        changes(store).end_links(new_patient_id(1, os.urandom), source="test")


@pytest.mark.parametrize("flight", ["none", "claimed", "begun"])
def test_nothing_of_somebody_who_was_erased_is_left_or_sent(store: Installed, flight: str) -> None:
    patient, _ = store.enrol()
    member = f"{patient}.1"
    claimed = store.claim_one() if flight != "none" else None
    beginning = store.beginning(claimed) if claimed else None
    if beginning and flight == "begun":
        assert store.begin(beginning) == "ok"
    kept = [{"channel": "sms", "method": "verbal", "wording": "2026-01", "at": "2026-01-01"}]
    assert changes(store).erase(patient, kept=kept, source="test")
    assert store.patients.find(patient) is None
    assert store.place(member) == set()
    assert store.patients.history(patient) == []
    assert store.patients.consents(patient) == kept
    assert store.audited(1)[-1] == ("erased", "test")
    if claimed and beginning and flight == "claimed":
        assert store.begin(beginning) == "lost"
    if claimed and beginning:
        attempt = beginning.attempt if flight == "begun" else ""
        assert not store.conclude(ended(claimed, state=State.SENT.code, attempt=attempt))
    store.expire()
    assert store.sweep() == []
    assert store.claim() == []
    assert store.patients.find(patient) is None
    assert not changes(store).erase(patient, kept=[], source="test")


def test_the_id_of_somebody_who_was_erased_is_given_to_nobody_again(store: Installed) -> None:
    patient, _ = store.enrol()
    changes(store).erase(patient, kept=[], source="test")
    assert store.enrol(patient)[1].outcome == "exists"
    assert store.enrol(patient, new=False)[1].outcome == "gone"
    assert store.client.hkeys(PartitionKeys(1).patient(patient)) == [b"z"]


def test_an_address_forgets_who_left_it_and_stays_suppressed(store: Installed) -> None:
    ana, _ = store.enrol()
    ben, _ = store.enrol()
    store.suppress("email")
    digest = store.digest("email", MAILBOX)
    store.suppressions.leave(digest, ana)
    assert store.suppressions.patients(digest) == (ben,)
    _, late = store.enrol(channels=("email",))
    assert late.status is Status.OPTED_OUT
