"""What patients and staff change in the middle of a series, with real sends."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from email import message_from_bytes, policy
from zoneinfo import ZoneInfo

import pytest

from schedules.delivery import State
from schedules.plan import plan_step
from schedules.series import load_series
from service.clock import from_ms
from service.dispatch.standing import profile_of
from service.staff.details import Details
from service.store.flights import Conclusion
from service.store.history import HistoryEntry
from service.store.keyring import InvalidToken
from service.store.records import FlightState, Status
from tests.integration.dispatch.installation import Patient, Worker
from tests.support.polling import until

ZONE = ZoneInfo("America/Los_Angeles")


def go_on(worker: Worker, days: float) -> None:
    """Send all that comes due in the next days, each at its instant."""
    end_ms = worker.core.business.now_ms() + int(days * 86_400_000)
    while True:
        worker.drain()
        (pending,) = worker.core.dispatch_store.peek([0])
        if pending.due_ms is None or pending.due_ms > end_ms:
            break
        if pending.due_ms > worker.core.business.now_ms():
            worker.to_next_due()
    worker.core.business.set_ms(end_ms)  # type: ignore[attr-defined] # a StoredClock
    worker.drain()


def since(patient: Patient, at_ms: int) -> list[HistoryEntry]:
    return [entry for entry in patient.history if entry.at_ms > at_ms]


def status_of(patient: Patient) -> str:
    return patient.status.word


def days_of(entries: list[HistoryEntry], zone: ZoneInfo) -> list[date]:
    return [from_ms(entry.at_ms).astimezone(zone).date() for entry in entries]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("America/New_York", "Pacific/Honolulu"),
        ("Pacific/Honolulu", "America/New_York"),
        ("America/Los_Angeles", "Pacific/Auckland"),
        ("Pacific/Auckland", "America/Los_Angeles"),
    ],
)
def test_who_moves_gets_what_is_to_come_by_the_new_clock_and_nothing_twice(
    worker: Worker, before: str, after: str
) -> None:
    patient = worker.enrol(timezone=before)
    go_on(worker, 6)
    moved_ms = worker.core.business.now_ms()
    identifier = patient.receipt.patient
    changed = worker.core.details.change(identifier, Details(timezone=after), source="test")
    assert changed == ("timezone",)
    go_on(worker, 12)
    entries = patient.history
    assert [entry.index for entry in entries] == list(range(len(entries)))
    assert {State.from_code(entry.state) for entry in entries} == {State.SENT}
    fields = worker.core.patients.load(identifier)
    subscription = fields.subscription(1)
    assert subscription is not None
    profile = profile_of(worker.core.patients.contact(fields), fields.reachable())
    later = since(patient, moved_ms)
    assert len(later) > 4
    series = load_series("restless-legs")
    for entry in later:
        planned = plan_step(
            series,
            entry.index,
            profile,
            subscription.start,
            from_ms(subscription.enrolled_ms),
        )
        # One whose time by the new clock is over goes when the window next opens.
        late = from_ms(entry.at_ms) - planned.due
        assert timedelta(0) <= late < timedelta(hours=24 if entry is later[0] else 1)
    drips = [e for e in later if series.steps[e.index].kind == "drip"]
    days = days_of(drips, ZoneInfo(after))
    assert len(set(days)) == len(days), "one a day by the new calendar"
    assert max(Counter(t["body"] for t in texts_to(worker, patient)).values()) == 1


def texts_to(worker: Worker, patient: Patient) -> list[dict[str, str]]:
    return [text for text in worker.provider.accepted() if text["to"] == patient.phone]


def test_a_later_bedtime_moves_tonights_message_and_it_comes_once(worker: Worker) -> None:
    patient = worker.enrol_by_text(series="sleep-hygiene", bedtime="21:00")
    go_on(worker, 2.2)
    before = len(patient.history)
    identifier = patient.receipt.patient
    worker.core.details.change(identifier, Details(bedtime="19:30"), source="test")
    go_on(worker, 3)
    entries = patient.history
    assert len(entries) > before
    assert [entry.index for entry in entries] == list(range(len(entries)))
    days = days_of(entries[1:], ZONE)
    assert len(set(days)) == len(days)


def test_a_break_holds_all_until_its_day_and_what_was_missed_does_not_come_in_a_heap(
    worker: Worker,
) -> None:
    patient = worker.enrol()
    go_on(worker, 4)
    paused_ms = worker.core.business.now_ms()
    day = from_ms(paused_ms).astimezone(ZONE).date() + timedelta(days=10)
    worker.core.staff.pause(patient.receipt.patient, series=None, source="test", until=day)
    go_on(worker, 9)
    assert since(patient, paused_ms) == []
    assert status_of(patient) == "paused"
    go_on(worker, 8)
    assert status_of(patient) == "active"
    entries = since(patient, paused_ms)
    assert [entry.index for entry in patient.history] == list(range(len(patient.history)))
    steps = load_series("restless-legs").steps
    drips = [e for e in entries if e.state == State.SENT.code and steps[e.index].kind == "drip"]
    days = days_of(drips, ZONE)
    assert days
    assert min(days) >= day
    assert len(set(days)) == len(days), "one a day"


def test_everything_comes_by_the_channel_that_is_preferred_while_it_reaches_the_patient(
    worker: Worker,
) -> None:
    patient = worker.enrol()
    worker.core.details.change(patient.receipt.patient, Details(prefers="email"), source="test")
    go_on(worker, 8)
    assert {entry.channel for entry in patient.history} == {"email"}
    digest = worker.core.suppressions.digest("email", patient.email)
    worker.core.suppressions.suppress("email", digest, reason="one_click", source="test")
    stopped_ms = worker.core.business.now_ms()
    go_on(worker, 8)
    assert {entry.channel for entry in since(patient, stopped_ms)} == {"sms"}


def test_a_further_series_leaves_the_preferred_channel_as_it_is(worker: Worker) -> None:
    patient = worker.enrol()
    worker.core.details.change(patient.receipt.patient, Details(prefers="email"), source="test")
    worker.enrol(phone=patient.phone, email=patient.email, series="sleep-hygiene")
    fields = worker.core.patients.load(patient.receipt.patient)
    assert len(fields.numbers()) == 2
    assert worker.core.patients.contact(fields).prefers == "email"


def test_who_is_erased_in_the_middle_of_a_series_gets_nothing_more(worker: Worker) -> None:
    patient = worker.enrol()
    go_on(worker, 4)
    arrived = len(texts_to(worker, patient))
    assert arrived
    worker.core.erasure.erase(patient.receipt.patient, source="test")
    go_on(worker, 30)
    assert len(texts_to(worker, patient)) == arrived
    assert worker.core.dispatch_store.peek([0])[0].due_ms is None


def test_an_e_mail_leads_to_the_page_of_whom_it_is_for_until_the_links_are_ended(
    worker: Worker,
) -> None:
    patient = worker.enrol_by_mail()
    go_on(worker, 2)
    content = mails_to(worker, patient)[0]
    letter = message_from_bytes(content.encode(), policy=policy.default)
    text = letter.get_body(("plain",))
    assert text is not None
    found = re.search(r"/p/(\S+)", text.get_content())
    assert found is not None
    (person,) = worker.core.page_access.open(found[1]).people
    assert person.id == patient.receipt.patient
    worker.core.changes.end_links(person.id, source="test")
    with pytest.raises(InvalidToken):
        worker.core.page_access.open(found[1])


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_link_that_was_asked_for_comes_by_text_and_opens_the_page(
    worker: Worker, language: str
) -> None:
    patient = worker.enrol_by_text(language=language)
    assert worker.core.page_requests.send("sms", patient.phone)
    worker.drain()
    (text,) = [text for text in texts_to(worker, patient) if "/p/" in text["body"]]
    found = re.search(r"/p/(\S+)", text["body"])
    assert found is not None
    (person,) = worker.core.page_access.open(found[1]).people
    assert person.id == patient.receipt.patient


def test_a_link_that_was_asked_for_comes_by_e_mail_and_not_where_e_mail_was_stopped(
    worker: Worker,
) -> None:
    patient = worker.enrol_by_mail()
    worker.core.page_requests.send("email", patient.email)
    worker.drain()
    asked = [mail for mail in mails_to(worker, patient) if "The link that you asked" in mail]
    assert len(asked) == 1
    digest = worker.core.suppressions.digest("email", patient.email)
    worker.core.suppressions.suppress("email", digest, reason="one_click", source="test")
    worker.core.page_requests.send("email", patient.email)
    arrived = len(mails_to(worker, patient))
    worker.drain()
    assert len(mails_to(worker, patient)) == arrived


def mails_to(worker: Worker, patient: Patient) -> list[str]:
    return [mail["content"] for mail in worker.mail.accepted() if mail["to"] == [patient.email]]


def stop(worker: Worker, patient: Patient) -> None:
    assert worker.core.staff.leave(patient.receipt.patient, 1, source="staff:ida", undoable=True)


def restart(worker: Worker, patient: Patient) -> None:
    worker.core.restarting.restart(patient.receipt.patient, 1, source="staff:ida")


def test_after_a_stop_that_was_undone_nothing_comes_in_a_heap_and_nothing_twice(
    worker: Worker,
) -> None:
    patient = worker.enrol()
    go_on(worker, 4)
    stop(worker, patient)
    stopped_ms = worker.core.business.now_ms()
    go_on(worker, 6)
    assert since(patient, stopped_ms) == []
    restart(worker, patient)
    go_on(worker, 8)
    assert [entry.index for entry in patient.history] == list(range(len(patient.history)))
    steps = load_series("restless-legs").steps
    entries = since(patient, stopped_ms)
    drips = [e for e in entries if e.state == State.SENT.code and steps[e.index].kind == "drip"]
    days = days_of(drips, ZONE)
    assert days
    assert len(set(days)) == len(days), "one a day"
    assert max(Counter(text["body"] for text in texts_to(worker, patient)).values()) == 1


def begun(worker: Worker, patient: Patient) -> bool:
    """Whether the provider is being called for them."""
    subscription = worker.core.patients.load(patient.receipt.patient).subscription(1)
    flight = subscription.flight if subscription else None
    return flight is not None and flight.state is FlightState.BEGUN


@pytest.mark.parametrize("undone_first", [False, True])
def test_while_a_message_is_under_way_it_arrives_once_and_the_next_one_comes(
    worker: Worker, *, undone_first: bool
) -> None:
    patient = worker.enrol_by_text()
    patient.refused("delay", seconds=1)
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(worker.drain)
        until(lambda: begun(worker, patient), "the message is under way")
        stop(worker, patient)
        if undone_first:
            restart(worker, patient)
        assert begun(worker, patient), "the provider has not answered yet"
        sending.result()
    if not undone_first:
        restart(worker, patient)
    go_on(worker, 3)
    assert [entry.index for entry in patient.history] == list(range(len(patient.history)))
    assert len(texts_to(worker, patient)) == len(patient.history) > 1


def test_one_whose_last_message_was_under_way_is_complete_once_the_stop_is_undone(
    worker: Worker,
) -> None:
    patient = worker.enrol_by_text()
    identifier, end = patient.receipt.patient, len(load_series("restless-legs").steps)
    store = worker.core.dispatch_store
    lease_ms = worker.core.machine.now_ms() + 60_000
    (claimed,) = store.claim(0, worker.core.business.now_ms(), 10, lease_ms)
    stop(worker, patient)
    last = Conclusion(f"{identifier}.1", claimed.token, "c", "end", cursor=(end, 0, 0))
    assert store.conclude([last]) == [True]
    restart(worker, patient)
    worker.drain()
    assert patient.status is Status.COMPLETED
    assert texts_to(worker, patient) == []
