"""Whatever may have happened to a patient has words in the console, in every language."""

from __future__ import annotations

import pytest

from schedules.delivery import State
from service.dispatch.reasons import SENTENCES
from service.reporting import events
from service.reporting.lines import STANDING_SENTENCES
from service.store.records import CHANNELS
from service.store.responses import WORDS
from service.store.tasks import TaskKind
from service.web.language import LANGUAGES, words

DAYS_WITHOUT = {"not_enrolled", "not_begun", "no_step", "over"}
"""Reasons why a day has nothing: days are not asked for in the console."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_record_has_words(language: str) -> None:
    wanted = {
        *(f"outcome_{state.value}" for state in State),
        *(f"reason_{reason}" for reason in {*SENTENCES, *STANDING_SENTENCES} - DAYS_WITHOUT),
        *(f"intent_{intent}" for intent in events._INTENTS),
        *(f"opted_out_{reason}" for reason in events.SUPPRESSED),
        *(f"response_{state}" for state in WORDS.values()),
        *(f"mail_{kind}" for kind in events.MAILS),
        *(f"by_{source}" for source in events._SOURCES),
        *(f"task_{kind.value}" for kind in TaskKind),
        *(f"channel_{channel}" for channel in CHANNELS),
        *(f"channels_{channel}" for channel in CHANNELS),
        *(outcome for _, outcome, _ in events._PLAIN.values()),
        *(outcome for outcome, _ in events._CHANGED.values()),
    }
    assert wanted - set(words(language)["console_timeline"]) == set()
