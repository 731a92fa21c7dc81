"""The labelled corpus: what texts mean, judged strictly."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from service.inbox.understanding import Intent, Understanding, understand
from tests.support.labelled import Labelled, corpus

TEXTS = tuple(corpus())
UNDERSTOOD: dict[str, Understanding] = {each.text: understand(each.text) for each in TEXTS}


def wrong(intent: Intent) -> tuple[list[str], list[str]]:
    """The texts in which an intent was missed, and those in which it was seen though not there."""
    missed = [t.text for t in TEXTS if intent in t.intents and intent not in found(t)]
    false = [t.text for t in TEXTS if intent not in t.intents and intent in found(t)]
    return missed, false


def found(each: Labelled) -> tuple[Intent, ...]:
    return UNDERSTOOD[each.text].intents


def test_the_corpus_is_large_and_says_nothing_twice() -> None:
    assert len(TEXTS) >= 700
    assert [text for text, times in Counter(t.text for t in TEXTS).items() if times > 1] == []


def test_the_confusion_matrix_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counter((meant, seen) for each in TEXTS for meant, seen in pairs(each))
    lines = ["meant, seen: " + "".join(f"{intent:>10}" for intent in Intent)]
    for meant in Intent:
        row = "".join(f"{counts[meant, seen] or '.':>10}" for seen in Intent)
        lines.append(f"{meant:13}{row}")
    with capsys.disabled():
        sys.stdout.write("\n\n" + "\n".join(lines) + "\n")


def pairs(each: Labelled) -> Iterator[tuple[Intent, Intent]]:
    """What was meant beside what was seen; an intent that was found stands on the diagonal."""
    seen = found(each)
    for meant in each.intents:
        others = [intent for intent in seen if intent not in each.intents]
        for intent in [meant] if meant in seen else others:
            yield meant, intent


def test_every_wish_to_leave_is_heard_and_none_is_invented() -> None:
    assert wrong(Intent.OPT_OUT) == ([], [])


def test_at_least_99_of_100_urgent_texts_are_heard() -> None:
    missed, _ = wrong(Intent.URGENT)
    meant = sum(Intent.URGENT in each.intents for each in TEXTS)
    assert len(missed) <= meant / 100, missed


def test_what_is_plainly_not_urgent_alarms_nobody() -> None:
    _, false = wrong(Intent.URGENT)
    assert false == []


@pytest.mark.parametrize("intent", [Intent.OPT_IN, Intent.HELP, Intent.AFFIRM, Intent.DECLINE])
def test_answers_are_taken_as_meant(intent: Intent) -> None:
    assert wrong(intent) == ([], [])


def test_every_answer_to_the_check_in_is_read_and_no_other_number_is() -> None:
    assert wrong(Intent.CHECK_IN) == ([], [])
    read = {each.text: UNDERSTOOD[each.text].check_in for each in TEXTS}
    assert read == {each.text: each.check_in for each in TEXTS}


def test_whatever_was_understood_names_its_rules() -> None:
    for text, understood in UNDERSTOOD.items():
        assert (understood.intents == (Intent.OTHER,)) == (understood.rules == ()), text
