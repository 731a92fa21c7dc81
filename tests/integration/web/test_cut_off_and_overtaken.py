"""Where things are cut off in the middle, come late, or come twice: the patient's wish stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from service.clock import from_ms
from service.enrolment.joined import Joined
from service.inbox.arrived import Arrived
from service.inbox.leaving import Leaving
from service.inbox.mail.arrivals import InboundEmail
from service.inbox.receive import ANSWERS_AN_HOUR, GRACE_MS, InboundText
from service.inbox.scope import Scope
from service.store.records import Status
from service.store.tasks import TaskKind
from tests.support.joining import SMTP, patients_of
from tests.support.web import PUBLIC_URL, SENDER, Site, new_sid, said, site, text_fields

INBOUND = "/webhooks/twilio/inbound"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, **SMTP) as own:
        yield own


def word(web: Site) -> str:
    (clinic,) = web.core.clinics.values()
    return next(iter(clinic.join_words))


def statuses(web: Site, patient: str) -> list[Status]:
    return [each.status for each in web.core.patients.load(patient).subscriptions()]


def kinds(web: Site) -> list[TaskKind]:
    return [task.kind for task in web.core.tasks.waiting()]


def two_series(web: Site, phone: str) -> str:
    patient = web.enrol(phone=phone)
    web.enrol(phone=phone, series="sleep-hygiene")
    return patient


@contextmanager
def cut_off(monkeypatch: pytest.MonkeyPatch, owner: type, step: str) -> Iterator[None]:
    """A process that dies when it comes to a step."""

    def dies(*_: object) -> None:
        raise SystemError(step)

    with monkeypatch.context() as cut:
        cut.setattr(owner, step, dies)
        yield


def post(web: Site, fields: dict[str, str]) -> int:
    return web.post(INBOUND, fields).status_code


def finish(web: Site) -> None:
    web.core.inbox.finish_open(web.core.machine.now_ms() + GRACE_MS)


def leave_by_one_click(web: Site, email: str) -> None:
    link = web.core.composer.unsubscribe_url(email).removeprefix(PUBLIC_URL)
    assert web.client.post(link).status_code == 200


def test_a_stop_on_the_page_stands_though_an_older_start_is_found_in_the_list_later(
    web: Site, phone: str
) -> None:
    patient = web.enrol(phone=phone)
    before_ms = web.core.machine.now_ms() - 60_000
    web.core.choices.stop(patient, "sms")
    web.core.inbox.receive(InboundText(new_sid(), phone, SENDER, "START", received_ms=before_ms))
    assert web.silent(patient)


def test_a_stop_on_the_page_stands_though_a_start_that_was_cut_off_is_finished_after_it(
    web: Site, phone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = web.enrol(phone=phone)
    web.text(phone, "please stop texting me")
    fields = text_fields(phone, "START")
    with cut_off(monkeypatch, Leaving, "start"):
        assert post(web, fields) == 500
    web.core.choices.stop(patient, "sms")
    finish(web)
    assert web.silent(patient)


def test_one_click_stands_though_a_start_by_mail_that_was_cut_off_is_finished_after_it(
    web: Site, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = web.enrol(email=email)
    mailbox = web.core.suppressions.digest("email", email)
    mail = InboundEmail("m1", email, "", "start", patient, mailbox)
    with cut_off(monkeypatch, Leaving, "start"), pytest.raises(SystemError):
        web.core.inbox.receive_email(mail)
    leave_by_one_click(web, email)
    web.core.inbox.receive_email(mail)
    assert web.silent(patient, "email")


def test_a_yes_that_was_cut_off_in_the_middle_joins_when_it_comes_again(
    web: Site, phone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.text(phone, word(web))
    fields = text_fields(phone, "yes please")
    with cut_off(monkeypatch, Joined, "carry_out"):
        assert post(web, fields) == 500
    assert patients_of(web, "sms", phone) == []
    assert post(web, fields) == 200
    assert len(patients_of(web, "sms", phone)) == 1
    assert kinds(web) == []


def test_fifty_copies_of_a_yes_get_one_answer_and_no_task(web: Site, phone: str) -> None:
    web.text(phone, word(web))
    fields = text_fields(phone, "yes please")
    with ThreadPoolExecutor(20) as pool:
        answers = {said(each) for each in pool.map(lambda _: web.post(INBOUND, fields), range(50))}
    assert len(answers) == 1
    assert kinds(web) == []


def test_a_series_that_was_left_stays_left_when_the_patient_joins_by_the_word(
    web: Site, phone: str
) -> None:
    patient = two_series(web, phone)
    assert web.core.staff.leave(patient, 2, source="page")
    web.text(phone, word(web))
    web.text(phone, "yes please")
    assert statuses(web, patient) == [Status.ACTIVE, Status.OPTED_OUT]


def test_a_letter_that_is_followed_late_keeps_its_series_alone_though_the_question_is_gone(
    web: Site, phone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = two_series(web, phone)
    web.text(phone, "please stop texting me")
    web.wait(minutes=11)
    with cut_off(monkeypatch, Scope, "keep"):
        assert post(web, text_fields(phone, "A")) == 500
    for key in web.core.client.keys("{p*}:q:*"):
        web.core.client.delete(key)
    finish(web)
    assert statuses(web, patient) == [Status.ACTIVE, Status.OPTED_OUT]


@pytest.mark.parametrize("pause", ["open", "until"])
def test_a_break_is_still_one_after_a_stop_and_a_start(web: Site, phone: str, pause: str) -> None:
    patient = web.enrol(phone=phone)
    today = from_ms(web.core.business.now_ms()).date()
    until = None if pause == "open" else today + timedelta(days=10)
    web.core.staff.pause(patient, series=None, source="staff:ana", until=until)
    web.text(phone, "stop please")
    assert statuses(web, patient) == [Status.OPTED_OUT]
    web.wait(minutes=11)
    web.text(phone, "start please")
    assert statuses(web, patient) == [Status.PAUSED]
    wakes = web.core.patients.load(patient).text("d1")
    assert (wakes is None) == (until is None)


def test_a_text_from_a_short_code_is_no_fault(tmp_path: Path) -> None:
    clinics = tmp_path / "clinics.toml"
    clinics.write_text(
        'clinic = [{ id = "riverside", name = "Riverside Clinic", phone = "(503) 555-0142", '
        'postal_address = "12 Harbor Street", join_keyword = "LEGS" }]\n'
    )
    with site(tmp_path, clinics=clinics, **SMTP) as own:
        assert own.text("72345", "LEGS").status_code == 200


def test_a_message_that_cannot_be_followed_holds_up_no_other(
    web: Site, phone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = web.enrol(phone=phone)
    follow: Callable[..., object] = type(web.core.inbox)._follow
    with cut_off(monkeypatch, type(web.core.inbox), "_follow"):
        assert post(web, text_fields("+15035559999", "poison")) == 500
        assert post(web, text_fields(phone, "please stop texting me")) == 500

    def only_the_other(inbox: object, arrived: Arrived) -> object:
        if arrived.reply.address != web.core.suppressions.digest("sms", phone):
            raise SystemError("poison")
        return follow(inbox, arrived)

    monkeypatch.setattr(type(web.core.inbox), "_follow", only_the_other)
    finish(web)
    assert web.silent(patient)


def test_what_is_urgent_and_who_leaves_are_answered_however_much_they_wrote(
    web: Site, phone: str
) -> None:
    web.enrol(phone=phone)
    for number in range(ANSWERS_AN_HOUR):
        web.text(phone, f"hello {number}")
    assert said(web.text(phone, "help please")) is None
    assert "911" in (said(web.text(phone, "I have chest pain and cannot breathe")) or "")
    assert "opted out" in (said(web.text(phone, "please stop texting me")) or "")


def test_a_request_to_be_erased_that_was_closed_without_is_there_again_when_asked_again(
    web: Site, phone: str
) -> None:
    patient = web.enrol(phone=phone)
    web.core.choices.ask_for_erasure(patient)
    (task,) = web.core.tasks.waiting()
    web.core.tasks.close(task.id, "ana")
    web.core.choices.ask_for_erasure(patient)
    assert kinds(web) == [TaskKind.ERASURE]


def test_nobodys_phone_gets_more_links_in_a_day_than_an_hour_allows(web: Site, phone: str) -> None:
    web.enrol(phone=phone)
    sent = [web.core.page_requests.send("sms", phone) for _ in range(10)]
    assert sent.count(True) == 3
