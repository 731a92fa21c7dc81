"""Every reason that is stored has a sentence, and no other reason is written anywhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import service.dispatch
from schedules.reasons import Reason
from service.carriers.base import Outcome, Result
from service.dispatch.outcomes import verdict
from service.dispatch.reasons import SENTENCES, sentence

SOURCES = sorted(Path(service.dispatch.__path__[0]).glob("*.py"))
WRITERS = {"Settled": 1, "_park": 2}
"""Calls that name a stored reason, and which argument is the reason."""


def reasons_of_outcomes() -> Iterator[str]:
    for result in Result:
        for failures in (0, 1):
            outcome = Outcome(result, "", later_attempts=1)
            ruling = verdict(outcome, failures, failures, random=0, base_s=1)
            if ruling.where == "next":
                yield ruling.reason


def reasons_in_the_source() -> Iterator[str]:
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call):
                function = node.func
                name = function.attr if isinstance(function, ast.Attribute) else ""
                name = function.id if isinstance(function, ast.Name) else name
                place = WRITERS.get(name)
                if place is not None and len(node.args) > place:
                    reason = node.args[place]
                    if isinstance(reason, ast.Constant):
                        yield str(reason.value)


def test_the_source_is_searched_where_reasons_are() -> None:
    assert {"no_answer", "receipt", "found", "template", "poison"} <= set(reasons_in_the_source())


@pytest.mark.parametrize(
    "reason",
    sorted({*reasons_of_outcomes(), *reasons_in_the_source(), *(r.value for r in Reason)}),
)
def test_a_reason_that_is_stored_has_a_sentence(reason: str) -> None:
    told = sentence(reason)
    assert told == SENTENCES[reason]
    assert told.endswith(".")


@pytest.mark.parametrize("reason", sorted(SENTENCES))
def test_a_reason_fits_a_packed_entry(reason: str) -> None:
    assert reason.isascii()
    assert "|" not in reason


def test_a_reason_of_another_release_is_told_as_such() -> None:
    assert "another release" in sentence("from_the_future")
