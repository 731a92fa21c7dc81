from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from service.clinics import SAMPLE_CLINIC
from service.inbox.heard import heard
from service.inbox.keywords import provider_word
from service.inbox.receive import ANSWERS_AN_HOUR, GRACE_MS
from service.store.keys import PartitionKeys
from service.store.records import Status
from service.store.reply_records import NewReply, Reply
from tests.support.web import SENDER, Site, new_sid, said, site, text_fields


def record_only(web: Site, phone: str, body: str, sid: str = "") -> Reply:
    """What stands in the store when a process is killed between the record and the effects."""
    return web.core.replies.record(
        NewReply(
            message_id=sid or new_sid(),
            address=web.core.suppressions.digest("sms", phone),
            channel="sms",
            heard=heard(body),
            word=provider_word(body),
            opt_out_type="",
            clinic=SAMPLE_CLINIC.id,
            via="webhook",
            at_ms=web.core.machine.now_ms(),
            content={"from": phone, "to": SENDER, "service": "", "body": body},
        )
    ).reply


def finish(web: Site) -> int:
    return web.core.inbox.finish_open(web.core.machine.now_ms() + GRACE_MS)


def test_stop_please_is_confirmed_by_us_and_silences_the_number(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)

    answer = said(web.text(phone, "Stop please"))

    assert answer is not None
    assert answer.startswith("Riverside Clinic: You're opted out")
    assert web.silent(patient)
    assert [s.status for s in web.core.patients.load(patient).subscriptions()] == [Status.OPTED_OUT]


def test_an_exact_stop_is_recorded_and_left_to_twilio_to_answer(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    assert said(web.text(phone, "STOP")) is None
    assert web.silent(patient)


def test_an_opt_out_by_words_that_only_twilio_knows_is_recorded(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    assert said(web.text(phone, "Baja", OptOutType="STOP")) is None
    assert web.silent(patient)


def test_a_stop_silences_everybody_on_a_shared_phone(web: Site, phone: str, email: str) -> None:
    mother = web.enrol("Ana", phone=phone)
    son = web.enrol("Ben", phone=phone, email=email)

    web.text(phone, "stop")

    assert web.silent(mother)
    assert web.silent(son)
    assert not web.silent(son, "email")  # a stop covers texts


def test_stop_all_ends_email_too(web: Site, phone: str, email: str) -> None:
    patient = web.enrol(phone=phone, email=email)

    answer = said(web.text(phone, "Stop all, please"))

    assert answer is not None
    assert "texts or e-mails" in answer
    assert web.silent(patient, "sms")
    assert web.silent(patient, "email")


def test_somebody_unknown_who_texts_stop_stays_silent_when_enrolled_later(
    web: Site, phone: str
) -> None:
    web.text(phone, "STOP")
    assert web.silent(web.enrol(phone=phone))


def test_start_brings_texts_back(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    web.text(phone, "Stop, thank you")

    web.wait(minutes=11)
    answer = said(web.text(phone, "start!"))

    assert answer is not None
    assert "back on our list" in answer
    assert not web.silent(patient)
    assert [s.status for s in web.core.patients.load(patient).subscriptions()] == [Status.ACTIVE]


@pytest.mark.parametrize("reason", ["staff", "invalid"])
def test_start_does_not_lift_what_the_patient_did_not_do(
    web: Site, phone: str, reason: str
) -> None:
    patient = web.enrol(phone=phone)
    digest = web.core.suppressions.digest("sms", phone)
    web.core.suppressions.suppress("sms", digest, reason=reason, source="test")

    answer = said(web.text(phone, "Start please"))

    assert answer is not None
    assert SAMPLE_CLINIC.phone in answer
    assert web.silent(patient)


def test_start_lifts_the_patients_own_stop_and_leaves_what_stands_beside_it(
    web: Site, phone: str
) -> None:
    patient = web.enrol(phone=phone)
    digest = web.core.suppressions.digest("sms", phone)
    web.core.suppressions.suppress("sms", digest, reason="invalid", source="test")
    web.text(phone, "STOP")
    web.wait(minutes=11)
    web.text(phone, "START")
    assert web.silent(patient)

    web.core.suppressions.lift("sms", digest, source="test", lifts=["invalid"])
    assert not web.silent(patient)


def test_a_stop_outlives_the_correction_of_a_number(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    digest = web.core.suppressions.digest("sms", phone)
    web.core.suppressions.suppress("sms", digest, reason="invalid", source="test")
    web.text(phone, "STOP")
    web.core.suppressions.lift("sms", digest, source="test", lifts=["invalid"])
    assert web.silent(patient)


def test_start_lifts_nothing_where_nobody_has_agreed_to_texts(web: Site, phone: str) -> None:
    web.text(phone, "STOP")
    web.text(phone, "START")
    assert web.silent(web.enrol(phone=phone))


def test_help_names_the_clinic_its_phone_and_how_often(web: Site, phone: str) -> None:
    web.enrol(phone=phone, series="sleep-hygiene")
    answer = said(web.text(phone, "Help!"))
    assert answer is not None
    for part in (SAMPLE_CLINIC.name, SAMPLE_CLINIC.phone, "STOP", "14 evenings"):
        assert part in answer


def test_a_spanish_patient_is_answered_in_spanish(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone, language="es", series="sleep-hygiene")
    answer = said(web.text(phone, "¡Ayuda, por favor!"))
    assert answer is not None
    for part in (SAMPLE_CLINIC.name, SAMPLE_CLINIC.phone, "STOP o ALTO", "14 noches", "cargos"):
        assert part in answer

    answer = said(web.text(phone, "Alto, gracias"))
    assert answer is not None
    assert answer.startswith("Riverside Clinic: Listo: ya no le llegan textos")
    assert "START" in answer
    assert web.silent(patient)

    web.wait(minutes=11)
    answer = said(web.text(phone, "START please"))
    assert answer is not None
    assert "AYUDA" in answer
    assert not web.silent(patient)


def test_help_answers_a_number_without_a_subscription(web: Site, phone: str) -> None:
    answer = said(web.text(phone, "info please"))
    assert answer is not None
    assert "messages a week" in answer


def test_any_other_text_is_recorded_encrypted(web: Site, phone: str) -> None:
    sid = new_sid()
    web.text(phone, "my legs never stop", sid=sid)

    reply = record_only(web, phone, "another body under the same id", sid)
    assert not reply.new
    assert web.core.replies.content(reply)["body"] == "my legs never stop"
    key = web.core.suppressions.keys(reply.address).reply(reply.id)
    stored = b"|".join(web.core.scripts.read_hash(key).values())
    assert b"legs" not in stored
    assert phone.encode() not in stored
    assert web.core.client.pttl(key) > 399 * 86_400_000


def test_fifty_copies_at_once_have_one_effect_and_one_answer(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    fields = text_fields(phone, "Stop please")
    before = web.changes()

    def post(_: int) -> httpx.Response:
        return web.post("/webhooks/twilio/inbound", fields)

    with ThreadPoolExecutor(50) as pool:
        answers = [said(answer) for answer in pool.map(post, range(50))]

    assert len(set(answers)) == 1
    assert answers[0] is not None
    assert web.silent(patient)
    assert web.changes() == before + 1


def test_a_replayed_start_does_not_undo_a_newer_stop(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    start = text_fields(phone, "Start please")
    web.text(phone, "Stop please")
    first = said(web.post("/webhooks/twilio/inbound", start))
    web.text(phone, "Stop please")

    assert said(web.post("/webhooks/twilio/inbound", start)) == first
    assert web.silent(patient)


def test_a_replayed_stop_does_not_undo_a_newer_start(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    stop = text_fields(phone, "Stop please")
    web.post("/webhooks/twilio/inbound", stop)
    web.wait(minutes=11)
    web.text(phone, "Start please")
    web.post("/webhooks/twilio/inbound", stop)
    assert not web.silent(patient)


def test_a_stop_that_a_crash_cut_off_is_finished(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    record_only(web, phone, "STOP")
    assert not web.silent(patient)

    assert finish(web) == 1
    assert web.silent(patient)
    assert finish(web) == 0


def test_a_start_that_a_crash_cut_off_does_not_undo_a_newer_stop(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    web.text(phone, "STOP")
    record_only(web, phone, "START")
    web.text(phone, "STOP")

    assert finish(web) == 1
    assert web.silent(patient)


def test_a_stop_that_a_crash_cut_off_does_not_undo_a_newer_start(web: Site, phone: str) -> None:
    patient = web.enrol(phone=phone)
    record_only(web, phone, "STOP")
    web.wait(minutes=11)
    web.text(phone, "START")

    finish(web)
    assert not web.silent(patient)


def test_a_machine_that_answers_us_is_not_answered_for_ever(web: Site, phone: str) -> None:
    answers = [said(web.text(phone, "Stop. Thank you")) for _ in range(ANSWERS_AN_HOUR + 2)]
    assert [bool(answer) for answer in answers] == [True] * ANSWERS_AN_HOUR + [False] * 2


def test_nothing_stays_open_once_it_is_answered(web: Site, phone: str) -> None:
    web.text(phone, "Stop please")
    for partition in range(web.core.partitions):
        assert web.core.client.zcard(PartitionKeys(partition).open_replies) == 0


@pytest.mark.parametrize(
    ("handling", "text", "answered"),
    [
        ("ours", "STOP", True),
        ("ours", "HELP", True),
        ("advanced", "HELP", True),
        ("toll_free", "STOP", False),
        ("toll_free", "HELP", True),
    ],
)
def test_who_answers_is_a_setting_of_the_clinic(
    tmp_path: Path, handling: str, text: str, *, answered: bool
) -> None:
    clinics = tmp_path / "clinics.toml"
    clinics.write_text(
        f"""[[clinic]]
        id = "hill"
        name = "Hill Clinic"
        phone = "(503) 555-0100"
        postal_address = "1 Hill Road, Portland, OR 97201"
        state = "OR"
        opt_out_handling = "{handling}"
        """
    )
    with site(tmp_path, clinics=clinics) as web:
        patient = web.enrol(phone="+15035550142")
        answer = said(web.text("+15035550142", text))
        assert bool(answer) is answered
        assert web.silent(patient) is (text == "STOP")
        if answer:
            assert answer.startswith("Hill Clinic: ")
