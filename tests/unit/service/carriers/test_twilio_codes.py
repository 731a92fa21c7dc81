"""The table of codes says what the product's rules say, and no code is without a reason."""

from __future__ import annotations

import pytest

from service.carriers.base import AddressEffect, Result
from service.carriers.twilio_codes import meaning_of, meanings


@pytest.mark.parametrize(
    ("codes", "result", "effect", "later", "alert"),
    [
        (("20429",), Result.TRANSIENT, None, None, False),
        (("21211", "21614", "21635"), Result.PERMANENT, AddressEffect.INVALID, None, False),
        (("30005", "30006"), Result.PERMANENT, AddressEffect.INVALID, None, False),
        (("21610",), Result.PERMANENT, AddressEffect.OPTED_OUT, None, False),
        (("21408",), Result.PERMANENT, None, None, True),
        (("20003", "30034"), Result.STOPPED, None, None, True),
        (("30001", "30003"), Result.TRANSIENT, None, 1, False),
        (("30008",), Result.UNKNOWN, None, None, False),
        (("30007",), Result.PERMANENT, None, None, False),
        (("99999", "", "unheard of"), Result.TRANSIENT, None, 1, True),
    ],
)
def test_each_code_means_what_the_rules_say(
    codes: tuple[str, ...],
    result: Result,
    effect: AddressEffect | None,
    later: int | None,
    alert: bool,  # noqa: FBT001
) -> None:
    for code in codes:
        row = meaning_of(code)
        assert (row.result, row.effect, row.later_attempts, row.alert) == (
            result,
            effect,
            later,
            alert,
        )


@pytest.mark.parametrize("code", meanings())
def test_each_row_has_a_sentence_for_staff_and_a_source(code: str) -> None:
    row = meanings()[code]
    assert row.reason.endswith(".")
    assert row.source.startswith("https://www.twilio.com/docs/")
    assert row.result is not Result.ACCEPTED


def test_a_meaning_becomes_an_outcome_with_the_messages_own_facts() -> None:
    outcome = meaning_of("30003").outcome("30003", provider_id="SM1", wait_s=2.0)
    assert (outcome.code, outcome.provider_id, outcome.retry_after_s) == ("30003", "SM1", 2.0)
    assert outcome.later_attempts == 1
