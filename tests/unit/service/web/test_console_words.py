"""Whatever a page of the console may have to name has words in its languages."""

from __future__ import annotations

import pytest

from messages.safety import safety_rules
from service.inbox.meanings import CHOICES
from service.inbox.understanding import Intent
from service.inbox.understanding.rules import rules_of
from service.reporting.events import STATES, SUPPRESSED
from service.store.tasks import TaskKind, TaskState
from service.web.language import LANGUAGES, words

RULE_FILES = (
    *("opt_out", "leaving", "plainly", "spanish", "stranger"),
    *("answers", "check_in", "urgent"),
)


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("file", RULE_FILES)
def test_every_rule_of_understanding_is_explained(language: str, file: str) -> None:
    say = words(language)["console_rules"]
    intent = "" if file == "answers" else "opt_out"
    assert {rule.name for rule in rules_of(file, intent).rules} <= say.keys()


def test_whatever_may_be_understood_or_meant_has_a_phrase(language: str) -> None:
    say = words(language)["console_understood"]
    assert {*map(str, Intent), "everything", "wrong_number", "died", "restored"} <= say.keys()
    assert {f"choose_{word}" for word in CHOICES} <= say.keys()


def test_every_kind_and_state_of_a_task_has_a_word(language: str) -> None:
    assert {f"kind_{kind.value}" for kind in TaskKind} <= words(language)["console_tasks"].keys()
    thread = words(language)["console_thread"].keys()
    assert {f"task_{state.word}" for state in TaskState} <= thread


def test_every_state_of_an_answer_and_reason_of_a_stop_has_words(language: str) -> None:
    thread = words(language)["console_thread"].keys()
    assert {f"state_{state}" for state in STATES} <= thread
    assert {f"reason_{reason}" for reason in SUPPRESSED} <= thread


def test_every_rule_that_words_may_break_is_told(language: str) -> None:
    rules = {rule.rule for rule in safety_rules().must_not_say if not rule.literal}
    say = words(language)["console_answer"].keys()
    assert {rule.replace("-", "_") for rule in rules} <= say
