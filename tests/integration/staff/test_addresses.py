"""A corrected address needs consent anew, and takes what it has opted out of with it."""

from __future__ import annotations

import pytest

from service.errors import InvalidInput
from service.staff.addresses import NewAddress
from tests.integration.staff.conftest import Desk


def new(
    address: str = "(503) 555-0900", consent: str = "verbal", wording: str = "2026-11"
) -> NewAddress:
    return NewAddress(channel="sms", address=address, consent=consent, wording=wording)


def test_a_corrected_number_is_found_and_the_old_one_is_not(desk: Desk) -> None:
    core = desk.core
    ana = desk.enrol(phone="+15035550142")
    done = core.corrected_addresses.correct(ana, new(), source="staff:x")
    assert (done.suppressed, done.sharing) == ("", ())
    assert core.patients.contact(core.patients.load(ana)).phone == "+15035550900"
    assert [found.contact.id for found in core.finding.search("503 555 0900").found] == [ana]
    assert core.finding.search("503 555 0142").found == ()
    evidence = core.patients.consents(ana)[-1]
    assert (evidence["method"], evidence["wording"], evidence["by"]) == (
        "verbal",
        "2026-11",
        "staff:x",
    )


@pytest.mark.parametrize(
    ("typed", "field", "code"),
    [
        (new(consent=""), "sms_consent", "consent_missing"),
        (new(consent="refused"), "sms_consent", "consent_missing"),
        (new(wording=""), "wording", "wording_missing"),
        (new(""), "phone", "phone_missing"),
        (new("12"), "phone", "phone_too_short"),
        (new("+15035550142"), "phone", "address_same"),
    ],
)
def test_without_an_address_or_evidence_nothing_changes(
    desk: Desk, typed: NewAddress, field: str, code: str
) -> None:
    ana = desk.enrol(phone="+15035550142")
    with pytest.raises(InvalidInput) as refused:
        desk.core.corrected_addresses.correct(ana, typed, source="staff:x")
    assert (refused.value.field, refused.value.code) == (field, code)
    assert desk.core.patients.contact(desk.core.patients.load(ana)).phone == "+15035550142"


def test_a_number_that_a_family_shares_and_has_stopped_is_told(desk: Desk) -> None:
    core = desk.core
    ben = desk.enrol("Ben", phone="+15035550900")
    core.staff.stop(ben, source="staff:x", channels=("sms",))
    ana = desk.enrol()
    done = core.corrected_addresses.correct(ana, new(), source="staff:x")
    assert (done.suppressed, done.sharing) == ("staff", (ben,))
    assert core.patients.load(ana).reachable() == {"email"}


def test_an_address_that_was_lacking_is_added(desk: Desk) -> None:
    core = desk.core
    ana = desk.enrol(phone="", sms_consent="")
    core.corrected_addresses.correct(ana, new(), source="staff:x")
    assert core.patients.load(ana).reachable() == {"sms", "email"}


def test_stopping_one_channel_leaves_the_other(desk: Desk) -> None:
    ana = desk.enrol()
    stopped = desk.core.staff.stop(ana, source="staff:x", channels=("email",))
    assert stopped.channels == ("email",)
    assert desk.core.patients.load(ana).reachable() == {"sms"}
