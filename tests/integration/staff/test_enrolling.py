"""Before anybody is enrolled, staff see what would come and when; and then that comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.enrolment.enrol import AlreadyEnrolled
from service.errors import InvalidInput
from tests.integration.staff.conftest import Desk


def test_the_calendar_is_what_is_planned_after_the_enrolment(desk: Desk) -> None:
    form = desk.form()
    shown = desk.core.enrolling.outlook(form)
    assert desk.core.finding.newest().found == (), "nothing is changed"
    receipt = desk.core.enrolling.enrol(form, source="staff:x")
    assert receipt.patient == shown.patient.id
    planned = [
        (line.step, line.due, line.channel) for line in desk.core.explain.explain(receipt.patient)
    ]
    told = [(entry.step, entry.at, entry.channel) for entry in shown.calendar]
    assert [step for step, _, _ in told] == [step for step, _, _ in planned]
    late = [(a, b) for a, b in zip(told, planned, strict=True) if a[1] != b[1]]
    assert all(timedelta(0) < a[1] - b[1] <= timedelta(days=1) for a, b in late if b[1]), (
        "but for what the cap of one a day puts off"
    )
    assert all(entry.text for entry in shown.calendar if entry.channel)


def test_an_address_that_has_opted_out_and_those_who_share_it_are_told_before(desk: Desk) -> None:
    ben = desk.enrol("Ben", phone="+15035550142")
    desk.core.staff.stop(ben, source="staff:x", channels=("sms",))
    shown = desk.core.enrolling.outlook(desk.form(phone="+15035550142"))
    assert (shown.silent, shown.sharing, shown.known) == (("sms",), 1, None)
    assert {entry.channel for entry in shown.calendar} == {"email"}


def test_who_shares_an_address_is_told_as_far_as_whoever_enrols_sees_them(desk: Desk) -> None:
    desk.enrol("Ben", phone="+15035550142")
    desk.enrol("Ray", clinic="hillside", state="", phone="+15035550142")
    form = desk.form(phone="+15035550142", clinic="hillside", state="")
    told = [
        desk.core.enrolling.outlook(form, clinics).sharing
        for clinics in ((), ("riverside", "hillside"), ("hillside",))
    ]
    assert told == [2, 2, 1]
    ann = desk.core.enrolling.enrol(form, ("hillside",), source="staff:x").patient
    further = desk.core.enrolling.further
    assert further(ann, "sleep-hygiene", clinics=("hillside",)).sharing == 1
    assert further(ann, "sleep-hygiene").sharing == 2


def test_a_person_of_another_clinic_is_not_taken_from_it(desk: Desk) -> None:
    form = desk.form(clinic="hillside", state="")
    desk.core.enrolling.enrol(form, source="staff:x")
    with pytest.raises(InvalidInput) as refused:
        desk.core.enrolling.enrol(replace(form, clinic="riverside"), ["riverside"], source="x")
    assert refused.value.code == "enrolled_elsewhere"
    with pytest.raises(InvalidInput) as refused:
        desk.core.enrolling.outlook(form, ["riverside"])
    assert refused.value.code == "clinic_unknown"


def test_a_second_series_is_added_by_the_consents_on_record(desk: Desk) -> None:
    ana = desk.enrol()
    shown = desk.core.enrolling.further(ana, "sleep-hygiene", "2026-03-10")
    assert shown.calendar[1].at.date().isoformat() >= "2026-03-10"
    receipt = desk.core.enrolling.add(ana, "sleep-hygiene", "2026-03-10", source="staff:x")
    assert receipt.subscription == f"{ana}.2"
    assert len(desk.core.patients.consents(ana)) == 2
    with pytest.raises(AlreadyEnrolled):
        desk.core.enrolling.add(ana, "sleep-hygiene", source="staff:x")


def test_nobody_whom_nothing_reaches_is_put_in_a_series(desk: Desk) -> None:
    ana = desk.enrol()
    desk.core.staff.stop(ana, source="staff:x")
    with pytest.raises(InvalidInput) as refused:
        desk.core.enrolling.add(ana, "sleep-hygiene", source="staff:x")
    assert refused.value.code == "not_reachable"
