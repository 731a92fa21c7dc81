"""What the sandbox's page says about a message, and how it follows what another process writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.carriers.sandbox.tail import Tail, note
from service.carriers.sandbox.why import Followed, Journal, Why

if TYPE_CHECKING:
    from pathlib import Path


def followed(
    *words: str,
    check_in: int | None = None,
    effects: tuple[tuple[str, str], ...] = (),
    answers: tuple[str, ...] = (),
) -> Followed:
    return Followed("SM1", "sms", words, check_in, ("some.rule",), answers, effects)


@pytest.mark.parametrize(
    ("message", "understood"),
    [
        (followed("opt_out", "everything"), "wants no more messages, of any kind"),
        (followed("check_in", check_in=4), "a rating of 4"),
        (followed("check_in"), "a rating that is not clear"),
        (followed("a-word-of-a-later-release"), "a-word-of-a-later-release"),
    ],
)
def test_what_was_understood_is_said_in_plain_words(message: Followed, understood: str) -> None:
    assert Why.of(message).understood == understood


def test_what_was_done_is_told_and_a_stop_of_both_channels_is_told_apart() -> None:
    effects = (("suppressed", "sms"), ("suppressed", "email"))
    why = Why.of(followed("opt_out", effects=effects, answers=("goodbye-all",)))
    assert why.did == (
        "Opted out: no more texts to this phone",
        "Opted out: no more e-mail either",
        "Answered with “goodbye-all”",
    )


def test_a_task_says_whether_staff_are_alerted() -> None:
    effects = (("task", "urgent"), ("task", "reply"), ("rated", "symptom-check"))
    escalation, reading, rating = Why.of(followed("urgent", check_in=8, effects=effects)).did
    assert "alerted" in escalation
    assert "alerted" not in reading
    assert rating == "Rating 8 kept, for symptom-check"


def test_a_message_without_effect_says_so() -> None:
    assert Why.of(followed("affirm")).did == ("Nothing had to be done",)


def test_a_line_that_is_half_written_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    tail = Tail(path)
    assert tail.new() == []
    note(path, {"number": 1})
    with path.open("a", encoding="utf-8") as file:
        file.write('{"number"')
    assert tail.new() == [{"number": 1}]
    with path.open("a", encoding="utf-8") as file:
        file.write(": 2}\n")
    assert tail.new() == [{"number": 2}]
    assert tail.new() == []


def test_the_journal_knows_a_message_as_soon_as_it_is_written_down(tmp_path: Path) -> None:
    path = tmp_path / "followed.jsonl"
    journal = Journal(path)
    assert journal.why() == {}
    line = {
        "id": "SM1",
        "channel": "sms",
        "words": ["help"],
        "check_in": None,
        "rules": ["answers.help"],
        "answers": ["help"],
        "effects": [],
    }
    note(path, line)
    assert journal.why()["SM1"] == Why(
        "asks for help", ("answers.help",), ("Answered with “help”",)
    )
