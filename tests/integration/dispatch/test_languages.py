"""A patient's language, from the store through the carriers to the phone and the mailbox."""

from __future__ import annotations

from email import message_from_string, policy
from email.message import EmailMessage

import pytest

from messages.catalog import Catalog
from messages.render import Renderer
from schedules.delivery import State
from schedules.series import load_series
from service.store.records import Status
from tests.integration.dispatch.installation import Worker

SERIES = load_series("restless-legs")


def opened(mail: str) -> EmailMessage:
    return message_from_string(mail, policy=policy.default)


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_patient_gets_a_whole_series_in_their_language(worker: Worker, language: str) -> None:
    patient = worker.enrol(language=language)
    worker.drain()
    while patient.status is Status.ACTIVE:
        worker.to_next_due()
        worker.drain()

    assert set(patient.states) == {State.SENT}
    contact = worker.core.patients.contact(worker.core.patients.load(patient.receipt.patient))
    context = worker.core.composer.context(
        worker.core.composer.clinic(contact), SERIES, language
    ) | {"given_name": "Ana"}
    renderer = Renderer(Catalog.load())
    by_text = [step.message for step in SERIES.steps if step.channel == "sms"]
    by_mail = [step.message for step in SERIES.steps if step.channel == "email"]
    assert patient.texts == [renderer.sms(name, language, context).text for name in by_text]
    mails = [opened(mail) for mail in patient.mails]
    expected = [renderer.email(name, language, context) for name in by_mail]
    assert [mail["Subject"] for mail in mails] == [content.subject for content in expected]
    for mail, content in zip(mails, expected, strict=True):
        assert f'<html lang="{language}"' in part(mail, "html")
        assert part(mail, "plain").splitlines()[0] == content.text.splitlines()[0]


def test_a_spanish_patients_first_text_tells_in_spanish_what_a_first_text_has_to(
    worker: Worker,
) -> None:
    patient = worker.enrol_by_text(language="es", series="sleep-hygiene")
    worker.drain()
    (text,) = patient.texts
    for told in (
        "Riverside Clinic",
        "Aftervisit",
        "1 mensaje por noche durante 14 noches",
        "Pueden aplicarse cargos por mensajes y datos.",
        "AYUDA",
        "STOP o ALTO",
    ):
        assert told in text
