"""Each reason has a sentence for people, which names no code and no jargon."""

import pytest

from schedules.reasons import SENTENCES, Reason, sentence


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_sentence_for_people(reason: Reason) -> None:
    assert sentence(reason)[0].isupper()
    assert sentence(reason).endswith(".")
    assert "_" not in sentence(reason)


def test_no_two_reasons_read_the_same() -> None:
    assert len(set(SENTENCES.values())) == len(Reason)
