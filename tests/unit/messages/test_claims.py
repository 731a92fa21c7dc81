"""What a message must not say: each forbidden claim is found, careful wording is not."""

from pathlib import Path

import pytest

from messages.catalog import Catalog
from messages.lint import Problem, lint
from tests.unit.messages.conftest import EN, WriteMessage, blocks

NAMED = "{{ clinic_name }}: "


def problems_of(root: Path) -> list[Problem]:
    """Everything but the topics and minimums, which a library of one message always lacks."""
    return [problem for problem in lint(Catalog.load(root)) if problem.rule != "coverage"]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("discloses-condition", "Restless legs tonight?"),
        ("discloses-condition", "Tips for your RLS"),
        ("discloses-condition", "Living with diabetes"),
        ("discloses-condition", "Low iron and you"),
        ("discloses-test", "Ask about your ferritin"),
        ("discloses-test", "About your sleep study"),
        ("names-a-drug", "Ropinirole and you"),
        ("names-a-drug", "Taking gabapentin?"),
    ],
)
def test_a_text_or_subject_discloses_nothing(
    write: WriteMessage, root: Path, rule: str, text: str
) -> None:
    write("as-text", en=blocks(sms=NAMED + text))
    write("as-subject", en=blocks(subject=text, sms=NAMED + "Hi."))
    found = [problem for problem in problems_of(root) if problem.rule == rule]
    assert [problem.where for problem in found] == ["as-subject/en", "as-text/en"]


def test_the_body_of_an_email_may_name_the_condition(write: WriteMessage, root: Path) -> None:
    write(en=blocks(sms=NAMED + "Hi.", email="Many people have restless legs."))
    assert problems_of(root) == []


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("promises-a-cure", "This walk will cure you."),
        ("promises-a-cure", "It will get rid of your restless legs."),
        ("promises-a-cure", "Relief is guaranteed."),
        ("take-iron", "Take iron with your meals."),
        ("take-iron", "Never take extra iron at home."),
        ("take-a-supplement", "Try a magnesium tablet at night."),
        ("gives-a-dose", "Have 325 mg at breakfast."),
        ("gives-a-dose", "Use two tablets at night."),
        ("changes-a-medicine", "Stop your allergy medicine."),
        ("changes-a-medicine", "You can halve the dose."),
        ("names-a-drug", "Ask about pramipexole."),
        ("names-a-drug", "Antihistamines can do this."),
        ("circulation-as-cause", "Poor circulation causes restless legs."),
        ("circulation-as-cause", "It is often caused by poor blood flow."),
        ("circulation-as-cause", "Weak veins lead to restless legs."),
        ("promises-a-treatment", "We will treat your veins."),
        ("offers-a-procedure", "Laser therapy opens the vein."),
        ("offers-a-procedure", "Angioplasty helps many people."),
        ("gives-a-result", "Your ferritin level is low."),
        ("gives-a-result", "You have restless legs."),
        ("copyrighted-scale", "Fill in the IRLS form."),
        ("hard-coded-number", "Call 911 at once."),
        ("hard-coded-number", "Call (503) 555-0142 today."),
        ("url-shortener", "See [this](https://bit.ly/x)."),
        ("marketing", "Act now and call us."),
    ],
)
def test_a_forbidden_claim_is_found_in_email_and_text(
    write: WriteMessage, root: Path, rule: str, sentence: str
) -> None:
    write("in-email", en=blocks(sms=NAMED + "Hi.", email=f"Good day. {sentence} Be well."))
    write("in-text", en=blocks(sms=NAMED + sentence))
    found = {problem.where for problem in problems_of(root) if problem.rule == rule}
    assert found >= {"in-email/en", "in-text/en"}


@pytest.mark.parametrize(
    "sentence",
    [
        "Ask whether your ferritin and transferrin saturation should be tested.",
        "Don't stop any medicine on your own.",
        "Ask the person who prescribed it before you change a dose.",
        "Ask whether surgery is an option for you.",
        "Blood vessel problems can feel much the same, so have them checked.",
        "If you have diabetes, look at your feet each night.",
        "Beans and lentils are rich in iron.",
        "Try iron-rich foods such as beans.",
        "What makes your legs worse, and what helps?",
    ],
)
def test_careful_wording_is_left_alone(write: WriteMessage, root: Path, sentence: str) -> None:
    email = f"{sentence} We can talk it all through when you next come in to see us."
    write(en=blocks(sms=NAMED + "Hi.", email=email))
    assert problems_of(root) == []


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("take-iron", "Debe tomar hierro."),
        ("circulation-as-cause", "La mala circulación causa el problema."),
        ("changes-a-medicine", "Suspenda su medicamento."),
        ("promises-a-cure", "Esto lo va a curar."),
        ("discloses-condition", "Consejos para piernas inquietas."),
    ],
)
def test_spanish_is_held_to_the_same_claims(
    write: WriteMessage, root: Path, rule: str, sentence: str
) -> None:
    write(en=EN, es=blocks(sms=NAMED + sentence))
    assert rule in {problem.rule for problem in problems_of(root)}
