"""What a patient's words bring about: ratings kept, staff called, an honest answer once a day."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.clinics import SAMPLE_CLINIC
from service.inbox.receive import InboundText
from service.store.records import Status
from service.store.tasks import Task, TaskKind
from tests.support.web import SENDER, URGENT, Site, new_sid, said, site, text_fields


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Site]:
    """A site of each test's own: what waits for staff is counted."""
    with site(tmp_path) as own:
        yield own


def tasks(web: Site) -> list[Task]:
    return web.core.tasks.waiting()


def kinds(web: Site) -> list[TaskKind]:
    return [task.kind for task in tasks(web)]


def ratings(web: Site, patient: str) -> list[int]:
    return [each.rating for each in web.core.check_ins.of(patient)]


def answer_to(web: Site, phone: str, body: str) -> str:
    answer = said(web.text(phone, body))
    assert answer is not None
    return answer


def test_a_rating_is_kept_and_thanked_for(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    assert "Got it, thank you" in answer_to(web, phone, "about a 6")
    assert ratings(web, patient) == [6]
    assert tasks(web) == []


def test_a_rating_much_lower_than_the_first_is_cheered(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    web.text(phone, "7")
    assert "Well done" in answer_to(web, phone, "3/10")
    assert ratings(web, patient) == [7, 3]
    assert web.core.patients.load(patient).trend() == "better"


@pytest.mark.parametrize("bodies", [["9"], ["2", "6"]])
def test_a_rating_that_is_severe_or_much_higher_asks_for_a_call_and_tells_staff(
    web: Site, phone: str, bodies: list[str]
) -> None:
    patient = web.enrol(phone=phone)
    for body in bodies[:-1]:
        web.text(phone, body)
    answer = answer_to(web, phone, bodies[-1])
    assert f"call us at {SAMPLE_CLINIC.phone}" in answer
    (task,) = tasks(web)
    assert (task.kind, task.patients) == (TaskKind.WORSE, (patient,))
    assert web.core.tasks.content(task)["body"] == bodies[-1]
    assert web.core.patients.load(patient).trend() == "worse"


def test_a_range_is_asked_about_and_nothing_is_guessed(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    assert "Which one number" in answer_to(web, phone, "5-6")
    assert ratings(web, patient) == []


def test_a_rating_from_a_phone_that_two_share_is_nobodys_until_one_was_asked(
    web: Site, phone: str
) -> None:
    patients = [web.enrol(name, phone=phone) for name in ("Ana", "Ben")]
    web.text(phone, "7")
    assert [ratings(web, patient) for patient in patients] == [[], []]
    (task,) = tasks(web)
    assert (task.kind, set(task.patients)) == (TaskKind.REPLY, set(patients))


def test_fifty_copies_of_a_rating_are_one(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    fields = text_fields(phone, "9")
    with ThreadPoolExecutor(50) as pool:
        posted = pool.map(lambda _: web.post("/webhooks/twilio/inbound", fields), range(50))
        answers = {said(answer) for answer in posted}
    assert len(answers) == 1
    assert ratings(web, patient) == [9]
    assert kinds(web) == [TaskKind.WORSE]


def test_something_urgent_gets_the_numbers_to_call_and_an_escalation(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    answer = answer_to(web, phone, URGENT)
    for number in (SAMPLE_CLINIC.emergency_number, SAMPLE_CLINIC.phone, SAMPLE_CLINIC.crisis_line):
        assert number in answer
    (task,) = tasks(web)
    assert (task.kind, task.patients, task.clinic) == (
        TaskKind.URGENT,
        (patient,),
        SAMPLE_CLINIC.id,
    )
    assert web.core.tasks.content(task)["body"] == URGENT
    assert "urgent" in web.core.tasks.content(task)["rules"]
    partition = web.core.suppressions.keys(task.address).partition
    assert [due.id for due in web.core.tasks.to_alert(partition, 10)] == [task.id]


def test_somebody_who_is_not_a_patient_gets_the_safe_reply_as_well(web: Site, phone: str) -> None:
    assert SAMPLE_CLINIC.emergency_number in answer_to(web, phone, URGENT)
    assert kinds(web) == [TaskKind.URGENT]


def test_who_leaves_with_something_urgent_is_let_go_and_helped(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    answer = answer_to(web, phone, f"stop texting me, {URGENT}")
    assert answer.index(SAMPLE_CLINIC.emergency_number) < answer.index("You're opted out")
    assert web.silent(patient)
    assert kinds(web) == [TaskKind.URGENT]


def test_who_leaves_with_a_rating_is_let_go_and_the_rating_kept(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    answer = answer_to(web, phone, "7, please stop texting me")
    assert "You're opted out" in answer
    assert "Got it" not in answer
    assert web.silent(patient)
    assert ratings(web, patient) == [7]


def test_a_wrong_number_is_left_alone_and_the_patient_is_unreachable(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    assert "off our list" in answer_to(web, phone, "you have the wrong number")
    assert web.silent(patient)
    assert [s.status for s in web.core.patients.load(patient).subscriptions()] == [
        Status.UNREACHABLE
    ]
    assert kinds(web) == [TaskKind.WRONG_NUMBER]
    web.text(phone, "START")
    assert web.silent(patient), "who holds the number now never agreed to anything"


def test_after_a_death_nothing_goes_anywhere_and_the_family_is_answered_kindly(
    web: Site, phone: str, email: str
) -> None:
    patient = web.enrol(phone=phone, email=email)
    assert "sorry for your loss" in answer_to(web, phone, "She passed away last week.")
    assert web.silent(patient, "sms")
    assert web.silent(patient, "email")
    assert kinds(web) == [TaskKind.DIED]


def test_what_only_a_person_can_answer_reaches_the_staff_inbox_and_is_told_so_once_a_day(
    web: Site, phone: str
) -> None:
    web.enrol(phone=phone)
    assert "not at once" in answer_to(web, phone, "can I take this with grapefruit")
    assert said(web.text(phone, "or with orange juice")) is None
    assert kinds(web) == [TaskKind.REPLY, TaskKind.REPLY]
    assert "Message and data rates" in answer_to(web, phone, "help please"), "always answered"


def test_fifty_copies_of_a_question_get_the_same_automatic_answer(web: Site, phone: str) -> None:
    fields = text_fields(phone, "can I take this with grapefruit")
    with ThreadPoolExecutor(50) as pool:
        posted = pool.map(lambda _: web.post("/webhooks/twilio/inbound", fields), range(50))
        answers = {said(answer) for answer in posted}
    assert len(answers) == 1
    assert None not in answers
    assert kinds(web) == [TaskKind.REPLY]


def test_a_picture_without_words_is_for_a_person(web: Site, phone: str) -> None:
    web.enrol(phone=phone)
    assert "not at once" in (said(web.text(phone, "", NumMedia="1")) or "")
    (task,) = tasks(web)
    assert task.kind is TaskKind.REPLY


@pytest.mark.parametrize("body", ["7", URGENT, "what about magnesium", "wrong number"])
def test_a_spanish_patient_is_answered_in_spanish(web: Site, phone: str, body: str) -> None:
    web.enrol(phone=phone, language="es")
    answer = answer_to(web, phone, body)
    assert any(word in answer for word in ("Gracias", "gracias", "Llame", "molestia"))


def test_something_urgent_that_was_found_late_is_answered_while_that_may_help(
    web: Site, phone: str
) -> None:
    now_ms = web.core.machine.now_ms()
    sid = new_sid()
    reaction = web.core.inbox.receive(
        InboundText(sid, phone, SENDER, URGENT, received_ms=now_ms - 3_600_000)
    )
    assert reaction.reply is None
    partition = web.core.suppressions.keys(web.core.suppressions.digest("sms", phone)).partition
    (queued,) = web.core.responses.waiting(partition, 10)
    assert (queued.response.message, queued.response.to) == ("urgent-reply", phone)
    assert queued.response.answers
    assert kinds(web) == [TaskKind.URGENT]


def test_something_urgent_of_yesterday_is_for_staff_alone(web: Site, phone: str) -> None:
    day_ms = 86_400_000
    web.core.inbox.receive(
        InboundText(
            new_sid(), phone, SENDER, URGENT, received_ms=web.core.machine.now_ms() - 2 * day_ms
        )
    )
    partition = web.core.suppressions.keys(web.core.suppressions.digest("sms", phone)).partition
    assert web.core.responses.waiting(partition, 10) == []
    assert kinds(web) == [TaskKind.URGENT]


def in_two_series(web: Site, phone: str) -> str:
    patient = web.enrol(phone=phone)
    web.enrol(phone=phone, series="sleep-hygiene")
    return patient


def standing(web: Site, patient: str) -> dict[str, Status]:
    return {s.series: s.status for s in web.core.patients.load(patient).subscriptions()}


def test_who_leaves_two_series_is_let_go_at_once_and_asked_once_which_was_meant(
    web: Site, phone: str
) -> None:
    patient = in_two_series(web, phone)
    question = answer_to(web, phone, "please stop texting me")
    assert "You're opted out" in question, "all of it, at once"
    assert "A 12 weeks of small steps, B 14 calm evenings" in question
    assert web.silent(patient)
    assert set(standing(web, patient).values()) == {Status.OPTED_OUT}


def test_one_letter_keeps_that_series_and_no_other(web: Site, phone: str) -> None:
    patient = in_two_series(web, phone)
    web.text(phone, "please stop texting me")
    web.wait(minutes=11)
    assert "the rest stays off" in answer_to(web, phone, "B.")
    assert not web.silent(patient)
    assert standing(web, patient) == {
        "restless-legs": Status.OPTED_OUT,
        "sleep-hygiene": Status.ACTIVE,
    }


def test_a_stop_after_the_letter_stands(web: Site, phone: str) -> None:
    patient = in_two_series(web, phone)
    web.text(phone, "please stop texting me")
    web.wait(minutes=11)
    web.text(phone, "keep A")
    web.text(phone, "no, stop all of it")
    assert web.silent(patient)


def test_a_letter_without_a_question_is_for_a_person(web: Site, phone: str) -> None:
    patient = in_two_series(web, phone)
    web.text(phone, "B")
    assert set(standing(web, patient).values()) == {Status.ACTIVE}
    assert kinds(web) == [TaskKind.REPLY]


def test_the_letter_of_no_series_keeps_none(web: Site, phone: str) -> None:
    patient = in_two_series(web, phone)
    web.text(phone, "please stop texting me")
    web.text(phone, "C")
    assert web.silent(patient)
