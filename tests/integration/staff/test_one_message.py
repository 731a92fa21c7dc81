"""One message by hand: with the checks of any other, once, and counted as the day's."""

from __future__ import annotations

import pytest

from schedules.reasons import Reason
from service.errors import InvalidInput
from service.staff.one_message import NotNow
from service.store.records import Channel
from tests.integration.staff.conftest import Desk


def queued(desk: Desk, patient: str) -> list[tuple[str, str]]:
    contact = desk.core.patients.contact(desk.core.patients.load(patient))
    found: list[tuple[str, str]] = []
    for partition in range(desk.core.partitions):
        found += [
            (each.response.message, each.response.channel)
            for each in desk.core.responses.waiting(partition, 100)
            if each.response.to in {contact.phone, contact.email}
        ]
    return found


def refused(desk: Desk, patient: str, channel: Channel = "sms") -> NotNow:
    with pytest.raises(NotNow) as told:
        desk.core.one_message.send(patient, "walking", channel, source="staff:x")
    return told.value


def test_a_message_is_queued_once_however_often_it_is_asked_for(desk: Desk) -> None:
    ana = desk.enrol()
    for _ in range(3):
        desk.core.one_message.send(ana, "walking", "sms", source="staff:x")
    assert queued(desk, ana) == [("walking", "sms")]


def test_it_counts_as_the_days_message(desk: Desk) -> None:
    ana = desk.enrol()
    desk.core.one_message.send(ana, "walking", "sms", source="staff:x")
    told = refused(desk, ana, "email")
    assert told.reason is Reason.DAILY_CAP
    assert str(told.at) == "2026-03-04 06:00:00-08:00", "when the hours of e-mail begin"


def test_at_night_it_is_refused_with_the_next_hour_in_which_it_may_go(desk: Desk) -> None:
    ana = desk.enrol()
    desk.later(hours=11)
    told = refused(desk, ana)
    assert told.reason is Reason.QUIET_HOURS
    assert str(told.at) == "2026-03-04 08:00:00-08:00"
    assert queued(desk, ana) == []


def test_nothing_goes_to_whom_it_may_not_reach(desk: Desk) -> None:
    ana = desk.enrol(email="", email_consent="")
    assert (refused(desk, ana, "email").reason, refused(desk, ana, "email").at) == (
        Reason.NO_CHANNEL,
        None,
    )
    desk.core.staff.stop(ana, source="staff:x")
    assert refused(desk, ana).reason is Reason.NO_CHANNEL


def test_service_messages_and_unknown_ones_cannot_be_sent_by_hand(desk: Desk) -> None:
    ana = desk.enrol()
    for name in ("goodbye", "nothing", "staff-alert"):
        with pytest.raises(InvalidInput):
            desk.core.one_message.send(ana, name, "sms", source="staff:x")


def test_a_nightly_series_keeps_its_evenings(desk: Desk) -> None:
    ana = desk.enrol(series="sleep-hygiene")
    desk.later(days=3)
    told = refused(desk, ana)
    assert told.reason is Reason.NIGHTLY_FIRST
    assert told.at is not None


def test_a_draft_shows_the_words_and_whether_they_may_go(desk: Desk) -> None:
    ana = desk.enrol(language="es")
    draft = desk.core.one_message.draft(ana, "walking", "sms")
    assert (draft.subject, draft.later) == (None, None)
    assert draft.text.startswith("Riverside Vein Clinic: ")
    email = desk.core.one_message.draft(ana, "walking", "email")
    assert email.subject
    desk.later(hours=11)
    assert desk.core.one_message.draft(ana, "walking", "sms").later is Reason.QUIET_HOURS


def test_every_choice_can_be_drafted_in_either_language(desk: Desk) -> None:
    for language in ("en", "es"):
        ana = desk.enrol(language=language)
        for message in desk.core.one_message.choices(ana):
            for channel in ("sms", "email"):
                assert desk.core.one_message.draft(ana, message.name, channel).text
