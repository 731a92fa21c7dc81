"""What staff write back leaves as other answers do: once, in the patient's hours, and is shown."""

from __future__ import annotations

from email import message_from_bytes, policy
from itertools import count

import pytest

from service.errors import InvalidInput, NotFound
from service.inbox.mail.arrivals import InboundEmail
from service.inbox.receive import InboundText
from service.inbox.thread import Entry, Thread
from service.inbox.writing import Checked, MayNotWrite, NeedsDecision
from service.store.conversations import Sent
from service.store.installation import StoredClock
from tests.fakes.provider import SENDER
from tests.integration.dispatch.installation import Patient, Worker

BY = "staff:0123456789ab"
ONE_AT_NIGHT = 1_772_528_400_000
"""Tuesday 2026-03-03 01:00 in Los Angeles, ms."""
TEN = ONE_AT_NIGHT + 9 * 3_600_000
"""When texts may go out in a state that is not known."""
_sids = (f"SM{number:032x}" for number in count(900_000))
_keys = (f"key-{number:08d}" for number in count())


@pytest.fixture
def ana(worker: Worker) -> Patient:
    worker.drain()
    enrolled = worker.enrol_by_text()
    worker.drain()  # she is welcomed
    return enrolled


def writes(worker: Worker, phone: str, body: str = "what about magnesium") -> None:
    worker.core.inbox.receive(InboundText(next(_sids), phone, SENDER, body))


def thread(worker: Worker, phone: str, *clinics: str) -> Thread:
    digest = worker.core.suppressions.digest("sms", phone)
    return worker.core.inbox_cases.threads.open(digest, clinics)


def answers(
    worker: Worker, of: Thread, words: str, *, key: str | None = None, despite: bool = False
) -> bool:
    return worker.core.inbox_cases.writing.send(
        of, words, key=key or next(_keys), by=BY, despite=despite
    )


def check(worker: Worker, of: Thread, words: str) -> Checked:
    return worker.core.inbox_cases.writing.check(of, words)


def written(of: Thread) -> Entry:
    (entry,) = [e for e in of.entries if isinstance(e.what, Sent) and e.what.by]
    return entry


def state(of: Thread) -> str:
    sent = written(of).what
    assert isinstance(sent, Sent)
    return sent.state


def at_night(worker: Worker) -> None:
    assert isinstance(worker.core.business, StoredClock)
    worker.core.business.set_ms(ONE_AT_NIGHT)


def test_an_answer_leaves_at_once_and_stays_in_the_thread(worker: Worker, ana: Patient) -> None:
    writes(worker, ana.phone)
    before = len(ana.texts)
    assert answers(worker, thread(worker, ana.phone), "Yes, come by on Monday.")
    assert state(thread(worker, ana.phone)) == "queued"
    worker.drain()
    assert ana.texts[before:] == ["Riverside Clinic: Yes, come by on Monday."]
    entry = written(thread(worker, ana.phone))
    assert entry.text == "Yes, come by on Monday."
    assert isinstance(entry.what, Sent)
    assert (entry.what.state, entry.what.by) == ("sent", BY)


def test_a_form_that_is_sent_twice_sends_one_text(worker: Worker, ana: Patient) -> None:
    writes(worker, ana.phone)
    before = len(ana.texts)
    assert answers(worker, thread(worker, ana.phone), "Yes.", key="the-same-form")
    assert not answers(worker, thread(worker, ana.phone), "Yes, do.", key="the-same-form")
    worker.drain()
    assert ana.texts[before:] == ["Riverside Clinic: Yes."]


def test_what_is_shown_before_is_what_is_sent(worker: Worker, ana: Patient) -> None:
    writes(worker, ana.phone)
    shown = check(worker, thread(worker, ana.phone), " Yes,\r\n\r\n\r\n come  by. ")
    assert (shown.text, shown.segments) == ("Riverside Clinic: Yes,\n\ncome by.", 1)
    assert check(worker, thread(worker, ana.phone), "Sí").costly == ("í",)
    answers(worker, thread(worker, ana.phone), " Yes,\r\n\r\n\r\n come  by. ")
    worker.drain()
    assert ana.texts[-1] == shown.text


def test_words_that_break_a_rule_are_sent_by_decision_only(worker: Worker, ana: Patient) -> None:
    writes(worker, ana.phone)
    words = "It is about your restless legs."
    (warned,) = check(worker, thread(worker, ana.phone), words).warnings
    assert warned.rule == "discloses-condition"
    with pytest.raises(NeedsDecision):
        answers(worker, thread(worker, ana.phone), words)
    assert answers(worker, thread(worker, ana.phone), words, despite=True)


def test_who_has_left_is_not_written_to(worker: Worker, ana: Patient) -> None:
    writes(worker, ana.phone)
    writes(worker, ana.phone, "STOP")
    with pytest.raises(MayNotWrite) as refused:
        answers(worker, thread(worker, ana.phone), "Yes.")
    assert refused.value.refusal == "suppressed"


def test_who_leaves_before_it_is_sent_does_not_get_it(worker: Worker, ana: Patient) -> None:
    writes(worker, ana.phone)
    before = len(ana.texts)
    answers(worker, thread(worker, ana.phone), "Yes.")
    writes(worker, ana.phone, "STOP")
    worker.drain()
    assert ana.texts[before:] == []
    assert state(thread(worker, ana.phone)) == "suppressed"


def test_something_urgent_is_answered_though_they_have_left(worker: Worker, ana: Patient) -> None:
    writes(worker, ana.phone, "please stop texting me")
    writes(worker, ana.phone, "my left leg is swollen and hot")
    assert answers(worker, thread(worker, ana.phone), "Go to the hospital now, please.")
    worker.drain()
    assert ana.texts[-1] == "Riverside Clinic: Go to the hospital now, please."


def test_at_night_it_waits_for_the_patients_morning(worker: Worker, ana: Patient) -> None:
    writes(worker, ana.phone)
    worker.wait(2 * 3600)
    at_night(worker)
    shown = check(worker, thread(worker, ana.phone), "Yes.")
    assert not shown.slot.now
    assert (shown.slot.at.timestamp() * 1000, shown.timezone) == (
        TEN,
        "America/Los_Angeles",
    )
    before = len(ana.texts)
    answers(worker, thread(worker, ana.phone), "Yes.")
    worker.drain()
    assert ana.texts[before:] == []
    worker.wait(9 * 3600 + 60)
    worker.drain()
    assert "Riverside Clinic: Yes." in ana.texts[before:]


def test_who_wrote_just_now_is_answered_in_the_night(worker: Worker, ana: Patient) -> None:
    at_night(worker)
    writes(worker, ana.phone)
    answers(worker, thread(worker, ana.phone), "Yes.")
    worker.drain()
    assert ana.texts[-1] == "Riverside Clinic: Yes."


def test_one_that_could_not_be_sent_in_their_hours_is_not_sent_at_all(
    worker: Worker, ana: Patient
) -> None:
    writes(worker, ana.phone)
    before = len(ana.texts)
    answers(worker, thread(worker, ana.phone), "Yes.")
    worker.wait(10 * 3600)
    worker.drain()
    assert ana.texts[before:] == []
    assert state(thread(worker, ana.phone)) == "expired"


def test_somebody_who_is_no_patient_is_answered_for_a_day(worker: Worker) -> None:
    worker.drain()
    stranger = "+15035559999"
    writes(worker, stranger)
    assert answers(worker, thread(worker, stranger), "Please phone us.")
    worker.drain()
    texts = [text["body"] for text in worker.provider.accepted() if text["to"] == stranger]
    assert texts == ["Riverside Clinic: Please phone us."]
    worker.wait(25 * 3600)
    with pytest.raises(MayNotWrite) as refused:
        check(worker, thread(worker, stranger), "Please phone us.")
    assert refused.value.refusal == "no_consent"


def test_an_e_mail_is_answered_to_the_mailbox_on_record_with_its_lines(worker: Worker) -> None:
    worker.drain()
    ben = worker.enrol_by_mail()
    mailbox = worker.core.suppressions.digest("email", ben.email)
    worker.core.inbox.receive_email(
        InboundEmail(
            message_id="m-1@example.org",
            sender="stranger@example.org",
            attempt="",
            body="what about magnesium",
            patient=ben.receipt.patient,
            mailbox=mailbox,
        )
    )
    of = worker.core.inbox_cases.threads.open(mailbox, ())
    assert answers(worker, of, "Yes.\n\nCome by on <Monday>.")
    worker.drain()
    letters = [message_from_bytes(m.encode(), policy=policy.default) for m in ben.mails]
    (letter,) = [each for each in letters if each["Subject"] == "An answer from Riverside Clinic"]
    plain = letter.get_body(("plain",))
    html = letter.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "Yes.\n\nCome by on <Monday>." in plain.get_content().replace("\r\n", "\n")
    assert "Yes.<br><br>Come by on &lt;Monday&gt;." in html.get_content()


@pytest.mark.parametrize(
    ("words", "code"),
    [("", "words_missing"), (" \n ", "words_missing"), ("x" * 1001, "words_long")],
)
def test_no_words_and_too_many_are_refused(
    worker: Worker, ana: Patient, words: str, code: str
) -> None:
    writes(worker, ana.phone)
    with pytest.raises(InvalidInput) as fault:
        check(worker, thread(worker, ana.phone), words)
    assert fault.value.code == code


def test_erasing_takes_the_words_of_answers_along(worker: Worker, ana: Patient) -> None:
    writes(worker, ana.phone)
    answers(worker, thread(worker, ana.phone), "Yes, come by.")
    worker.drain()
    answers(worker, thread(worker, ana.phone), "And bring a friend.")
    worker.core.erasure.erase(ana.receipt.patient, source="test")
    worker.drain()
    entries = thread(worker, ana.phone).entries
    assert [e.text for e in entries if isinstance(e.what, Sent) and e.what.by] == [None, None]


def test_a_thread_of_another_clinic_does_not_exist(worker: Worker, ana: Patient) -> None:
    writes(worker, ana.phone)
    assert thread(worker, ana.phone, "riverside").people
    with pytest.raises(NotFound):
        thread(worker, ana.phone, "hilltop")
