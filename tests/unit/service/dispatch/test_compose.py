"""From a decision to a text or a letter: wording, links and headers, with no patient in any URL."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import UTC, date, datetime, time
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from messages.catalog import Catalog
from messages.render import Renderer
from schedules.series import load_series
from service.clinics import SAMPLE_CLINIC, Clinic
from service.clock import to_ms
from service.dispatch.compose import UNSUBSCRIBE, Composer, Delivery
from service.dispatch.return_paths import ReturnPaths
from service.dispatch.senders import Senders
from service.errors import ConfigurationError
from service.mail.addresses import ReturnAddress
from service.settings import load_settings
from service.store.keyring import Index, InvalidToken, KeyRing
from service.store.keys import new_attempt_id
from service.store.records import Channel, Patient, Status, Subscription

PUBLIC = "https://drip.example.org"
NOW = to_ms(datetime(2026, 3, 2, 20, tzinfo=UTC))
KEYRING = KeyRing.generate()
INDEX = Index(os.urandom(32))
SERIES = load_series("restless-legs")
PATIENT = Patient(
    id="01" + "a" * 10,
    clinic=SAMPLE_CLINIC.id,
    given_name="Anamaria",
    phone="+15035550177",
    email="anamaria@example.org",
    language="en",
    timezone="America/Los_Angeles",
    country="US",
    state="OR",
    bedtime=time(22, 30),
    channels=("sms", "email"),
)
SUBSCRIPTION = Subscription(
    patient=PATIENT.id,
    number=1,
    series="restless-legs",
    version=1,
    start=date(2026, 3, 2),
    enrolled_ms=NOW,
    status=Status.ACTIVE,
    index=0,
    attempts=0,
    lost_leases=0,
    flight=None,
)


def composer(
    *,
    receipts: bool = True,
    clinics: tuple[Clinic, ...] = (SAMPLE_CLINIC,),
    paths: ReturnPaths | None = None,
) -> Composer:
    known = {clinic.id: clinic for clinic in clinics}
    settings = load_settings(
        twilio_from="+15005550006", mail_from="Riverside Clinic <tips@clinic.example>"
    )
    return Composer(
        Renderer(Catalog.load()),
        known,
        Senders(settings, known),
        KEYRING,
        INDEX,
        PUBLIC,
        receipts=receipts,
        return_paths=paths,
    )


def delivery(channel: Channel, message: str = "walking", patient: Patient = PATIENT) -> Delivery:
    return Delivery(
        patient=patient,
        subscription=SUBSCRIPTION,
        series=SERIES,
        message=message,
        channel=channel,
        attempt=new_attempt_id(1, os.urandom),
        at_ms=NOW,
        validity_s=14_400 if channel == "sms" else None,
    )


def letter(made: Delivery, by: Composer | None = None) -> tuple[EmailMessage, bytes]:
    content = (by or composer()).email(made).content
    parsed = message_from_bytes(content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed, content


def test_a_text_is_the_rendered_message_from_the_clinics_sender() -> None:
    made = delivery("sms")
    text = composer().text(made)
    assert text.body.startswith("Riverside Clinic: ")
    assert (text.to, text.sender) == (PATIENT.phone, "+15005550006")
    assert (text.attempt, text.validity_s) == (made.attempt, 14_400)


def test_receipts_come_to_a_url_that_holds_the_attempt_and_nothing_else() -> None:
    made = delivery("sms")
    url = composer().text(made).status_callback
    assert url == f"{PUBLIC}/webhooks/twilio/status?a={made.attempt}#rc=3&rp=all"


def test_without_a_public_address_no_receipts_are_asked_for() -> None:
    assert composer(receipts=False).text(delivery("sms")).status_callback is None


def test_the_unsubscribe_link_opens_to_the_digest_of_the_mailbox() -> None:
    parsed, _ = letter(delivery("email"))
    (url,) = re.findall(r"<(https://[^>]+)>", parsed["List-Unsubscribe"])
    base, _, token = url.rpartition("/u/")
    assert base == PUBLIC
    digest = KEYRING.open_token(UNSUBSCRIBE, token).decode()
    assert digest == INDEX.digest("email", "anamaria@example.org")
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    with pytest.raises(InvalidToken):
        KEYRING.open_token("preferences", token)


def test_the_same_link_stands_in_the_letter_itself() -> None:
    parsed, _ = letter(delivery("email"))
    plain = parsed.get_body(("plain",))
    assert plain is not None
    tokens = set(re.findall(r"/u/([\w-]+)", plain.get_content()))
    assert len(tokens) == 1
    assert KEYRING.open_token(UNSUBSCRIBE, tokens.pop())


def test_no_url_and_no_header_of_ours_tells_who_the_patient_is() -> None:
    parsed, content = letter(delivery("email", "when-to-seek-help"))
    urls = b" ".join(re.findall(rb"https?://[^\s<>\"]+", content))
    ours = [value for name, value in parsed.items() if name not in {"To", "Subject"}]
    for secret in ("anamaria", "15035550177", PATIENT.id, "restless"):
        assert secret.encode() not in urls.lower()
        assert not [value for value in ours if secret in value.lower()]


def test_a_delivery_has_one_message_id_whenever_it_is_composed() -> None:
    first, _ = letter(delivery("email"))
    again, _ = letter(delivery("email"))
    assert first["Message-ID"] == again["Message-ID"]
    assert first["Message-ID"].endswith("@clinic.example>")
    other, _ = letter(delivery("email", "yoga"))
    further = replace(delivery("email"), subscription=replace(SUBSCRIPTION, number=2))
    repeated, _ = letter(further)
    assert len({m["Message-ID"] for m in (first, other, repeated)}) == 3


def test_a_letter_has_the_headers_that_the_rules_ask_for() -> None:
    parsed, _ = letter(delivery("email"))
    assert parsed["To"] == "anamaria@example.org"
    assert parsed["From"] == "Riverside Clinic <tips@clinic.example>"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert "<tips.riverside.clinic.example>" in parsed["List-Id"]
    assert parsed["Date"].datetime == datetime(2026, 3, 2, 20, tzinfo=UTC)


def test_a_letter_greets_the_patient_and_a_text_names_nobody() -> None:
    parsed, _ = letter(delivery("email"))
    plain = parsed.get_body(("plain",))
    assert plain is not None
    assert "Anamaria" in plain.get_content()
    for message in Catalog.load():
        assert "Anamaria" not in composer().text(delivery("sms", message.name)).body


def test_the_text_of_a_message_is_the_same_for_all_patients_of_a_clinic() -> None:
    by = composer()
    other = replace(PATIENT, id="02" + "b" * 10, given_name="Ben", phone="+15035550178")
    bodies = {by.text(delivery("sms", patient=who)).body for who in (PATIENT, other)}
    assert len(bodies) == 1
    assert by.body_digest(bodies.pop()) == by.body_digest(by.text(delivery("sms")).body)


def test_a_clinics_own_senders_come_before_the_installations() -> None:
    clinic = SAMPLE_CLINIC.model_copy(
        update={"sms_from": "MG" + "1" * 32, "mail_from": "legs@other.example"}
    )
    by = composer(clinics=(clinic,))
    assert by.text(delivery("sms")).sender == "MG" + "1" * 32
    parsed, _ = letter(delivery("email"), by)
    assert parsed["From"] == "Riverside Clinic <legs@other.example>"


def test_a_patient_of_a_clinic_that_left_the_file_waits_for_it() -> None:
    with pytest.raises(ConfigurationError, match="put it back"):
        composer(clinics=()).text(delivery("sms"))


@pytest.mark.parametrize(
    ("channel", "variable"), [("sms", "AFTERVISIT_TWILIO_FROM"), ("email", "AFTERVISIT_MAIL_FROM")]
)
def test_a_sender_that_is_not_set_is_named(channel: Channel, variable: str) -> None:
    senders = Senders(load_settings(), {SAMPLE_CLINIC.id: SAMPLE_CLINIC})
    with pytest.raises(ConfigurationError, match=variable):
        senders.of(SAMPLE_CLINIC, channel)


PATHS = ReturnPaths(ReturnAddress("bounces", "mail.clinic.example"), INDEX)
IN_THE_INBOX = SAMPLE_CLINIC.model_copy(update={"email_replies": "inbox"})


def test_a_letter_leaves_under_a_return_path_of_its_own_attempt() -> None:
    made = delivery("email")
    assert composer().email(made).sender == "tips@clinic.example"
    email = composer(paths=PATHS).email(made)
    path = PATHS.open(email.sender)
    assert path is not None
    assert path.attempt == made.attempt
    assert email.mailbox == INDEX.digest("email", PATIENT.email or "")
    assert letter(made, composer(paths=PATHS))[0]["From"].addresses[0].domain == "clinic.example"


def test_mail_to_leave_stands_beside_the_one_click_link() -> None:
    message, _ = letter(delivery("email"), composer(paths=PATHS))
    link, mail = (uri.strip("<> ") for uri in message["List-Unsubscribe"].split(","))
    assert link.startswith(f"{PUBLIC}/u/")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = mail.removeprefix("mailto:").removesuffix("?subject=unsubscribe")
    path = PATHS.open(address)
    assert path is not None
    assert path.mailbox == INDEX.digest("email", PATIENT.email or "")


def test_answers_go_to_the_clinic_unless_it_wants_them_in_the_inbox() -> None:
    made = delivery("email")
    assert letter(made, composer(paths=PATHS))[0]["Reply-To"] is None
    assert letter(made, composer(clinics=(IN_THE_INBOX,)))[0]["Reply-To"] is None
    message, _ = letter(made, composer(paths=PATHS, clinics=(IN_THE_INBOX,)))
    path = PATHS.open(message["Reply-To"])
    assert path is not None
    assert (path.attempt, path.patient) == (made.attempt, PATIENT.id)
