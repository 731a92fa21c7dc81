"""A patient's answer to a mail, as the sandbox writes it and as the service reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import uvloop

from service.carriers.sandbox.answers import Answers, answer_to
from service.carriers.sandbox.letters import Letter
from service.dispatch.return_paths import Purpose
from service.inbox.mail.reading import Kind, read

if TYPE_CHECKING:
    from pathlib import Path

LETTER = Letter(
    key="1",
    to=("ana@example.org",),
    sender="Riverside Clinic",
    subject="A short walk",
    sent_ms=1_772_539_200_000,
    text="Hello Ana,\n\nPlease stop for a rest when you tire.",
    html=None,
    unsubscribe=None,
    reply_to="reply+token@mail.clinic.example",
    message_id="<one@clinic.example>",
)


def test_only_the_words_above_the_quoted_mail_are_the_patients() -> None:
    mail = answer_to(LETTER, "ana@example.org", "Seven\ntonight, señor", LETTER.sent_ms)
    reading = read(mail.as_bytes(), Purpose.REPLY, null_sender=False)
    assert reading.kind is Kind.REPLY
    assert reading.body == "Seven\ntonight, señor"
    assert reading.message_id == mail["Message-ID"]
    assert "> Please stop for a rest" in mail.get_content()


def test_an_answer_is_threaded_under_its_mail_and_goes_where_that_asks() -> None:
    mail = answer_to(LETTER, "ana@example.org", "Thanks", LETTER.sent_ms)
    assert mail["In-Reply-To"] == mail["References"] == "<one@clinic.example>"
    assert mail["To"] == "reply+token@mail.clinic.example"
    assert mail["Subject"] == "Re: A short walk"


def test_an_answer_that_nobody_takes_is_kept_with_the_reason(tmp_path: Path) -> None:
    answers = Answers(tmp_path / "answers.jsonl", 1, lambda: LETTER.sent_ms)
    answer = uvloop.run(answers.send(LETTER, "ana@example.org", "Hello?"))
    assert answer.fault == "nobody listens"
    again = Answers(tmp_path / "answers.jsonl", None, lambda: 0)
    assert again.all() == [answer]
    assert not again.takes(LETTER)
