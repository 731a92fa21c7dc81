"""What is stored is packed, is read as it was, and is read in the form of an earlier release."""

from __future__ import annotations

import json
import string
from datetime import time

from hypothesis import example, given
from hypothesis import strategies as st

from service.store.history import HistoryEntry
from service.store.patients import _unpack_evidence, pack_evidence
from service.store.records import CHANNELS, Patient

words = st.text(string.ascii_lowercase + "-", max_size=20)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
instants = st.integers(0, 4_102_444_800_000)


@st.composite
def patients(draw: st.DrawFn) -> Patient:
    return Patient(
        id="00" + "a" * 10,
        clinic=draw(words),
        given_name=draw(texts),
        phone=draw(st.none() | texts),
        email=draw(st.none() | texts),
        language=draw(words),
        timezone=draw(texts),
        country=draw(words),
        state=draw(st.none() | words),
        bedtime=time(draw(st.integers(0, 23)), draw(st.integers(0, 59))),
        channels=draw(st.sampled_from([CHANNELS, ("sms",), ("email",), ()])),
    )


@given(patients())
def test_a_contact_is_read_as_it_was_packed(patient: Patient) -> None:
    assert Patient.unpack(patient.id, patient.pack()) == patient


def test_a_contact_of_an_earlier_release_is_read() -> None:
    packed = {
        "clinic": "riverside",
        "given_name": "José",
        "phone": "+15035550142",
        "language": "es",
        "timezone": "America/Los_Angeles",
        "country": "US",
        "bedtime": "22:30",
        "channels": "s",
    }
    patient = Patient.unpack("00" + "a" * 10, json.dumps(packed).encode())
    assert (patient.given_name, patient.email, patient.state) == ("José", None, None)
    assert patient.bedtime == time(22, 30)
    assert patient.channels == ("sms",)


def test_consents_are_read_as_they_were_packed() -> None:
    consents = [
        {"channel": "sms", "method": "verbal", "at": "2026-03-02T08:00:00+00:00"},
        {"channel": "email", "method": "written", "wording": "2026-01", "address": "a@b.example"},
    ]
    assert _unpack_evidence(pack_evidence(consents)) == consents


def test_a_consent_of_an_earlier_release_is_read() -> None:
    consent = {"channel": "sms", "method": "verbal", "wording": "2026-01"}
    assert _unpack_evidence(json.dumps(consent).encode()) == [consent]


@given(
    message=words,
    due_ms=instants,
    at_ms=instants,
    provider_id=st.from_regex(r"\A(SM|MM)[0-9a-f]{32}\Z") | st.from_regex(r"\A[^|\n]{0,60}\Z"),
)
@example("walking", 1_795_315_747_139, 1_795_315_747_139, "SM" + "0" * 32)
@example("walking", 1_795_315_747_139, 1_795_315_747_138, "SM" + "0" * 31)
@example("walking", 0, 0, "<a.b@clinic.example>")
def test_a_history_entry_is_read_as_it_was_packed(
    message: str, due_ms: int, at_ms: int, provider_id: str
) -> None:
    entry = HistoryEntry(1, 12, "s", message, "sms", due_ms, at_ms, 2, "", "30003", provider_id)
    assert HistoryEntry.unpack(entry.field, f"{entry.state}|{entry.rest()}") == entry


def test_a_history_entry_of_an_earlier_release_is_read() -> None:
    packed = f"d|walking|s|1795315740000|1795315747139|1|||SM{'1f' * 16}"
    entry = HistoryEntry.unpack("1.4", packed)
    assert (entry.due_ms, entry.at_ms) == (1_795_315_740_000, 1_795_315_747_139)
    assert entry.provider_id == "SM" + "1f" * 16


def test_a_history_entry_of_a_text_takes_little_room() -> None:
    entry = HistoryEntry(
        1, 12, "s", "symptom-check-middle", "sms", 10**12, 10**12, 1, "", "", "SM" + "1f" * 16
    )
    assert len(entry.field) + len(f"s|{entry.rest()}") <= 80
