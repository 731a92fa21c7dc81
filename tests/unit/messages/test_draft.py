import pytest

from messages.draft import Warned, warnings_of


def rules(text: str, block: str = "sms") -> set[str]:
    return {each.rule for each in warnings_of(text, "email" if block == "email" else "sms")}


def test_plain_words_are_not_warned_of() -> None:
    assert warnings_of("Yes, please come by on Monday at nine.", "sms") == ()
    assert warnings_of("Sí, venga el lunes a las nueve.", "sms") == ()


def test_a_text_that_names_the_condition_is_warned_of_and_an_e_mail_is_not() -> None:
    assert "discloses-condition" in rules("It is about your restless legs.")
    assert "discloses-condition" not in rules("It is about your restless legs.", "email")


def test_the_rules_of_both_languages_count() -> None:
    assert "discloses-condition" in rules("Es por sus piernas inquietas.")


def test_who_would_change_a_medicine_is_warned_of_that() -> None:
    assert "changes-a-medicine" in rules("Stop taking your blood pressure medicine.", "email")


@pytest.mark.parametrize("text", ["Call 503-555-0142.", "Ring 911."])
def test_people_may_give_a_number(text: str) -> None:
    assert rules(text) == set()


def test_a_rule_is_told_once_with_the_words_that_break_it() -> None:
    found = warnings_of("We will cure you. This will cure your sleep.", "email")
    assert len({each.rule for each in found}) == len(found)
    assert all(isinstance(each, Warned) and each.found for each in found)
