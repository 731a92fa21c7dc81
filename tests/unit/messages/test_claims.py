"""What a message must not say: each forbidden claim is found, careful wording is not."""

from pathlib import Path

import pytest

from messages.catalog import Catalog
from messages.lint import Problem, lint
from messages.safety import safety_rules
from tests.unit.messages.conftest import WriteMessage, blocks

NAMED = "{{ clinic_name }}: "


def problems_of(root: Path) -> list[Problem]:
    """Everything but the topics, minimums and languages, which a library of one message lacks."""
    found = lint(Catalog.load(root))
    return [problem for problem in found if problem.rule not in {"coverage", "languages"}]


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


SPANISH_CLAIMS = [
    ("promises-a-cure", "Esto lo va a curar."),
    ("promises-a-cure", "Va a eliminar las molestias de sus piernas."),
    ("promises-a-cure", "El alivio está garantizado."),
    ("promises-a-cure", "Los síntomas van a desaparecer."),
    ("promises-a-cure", "Sus piernas van a mejorar para siempre."),
    ("take-iron", "Debe tomar hierro."),
    ("take-iron", "Nunca tome más hierro en casa."),
    ("take-a-supplement", "Pruebe una tableta de magnesio por la noche."),
    ("take-a-supplement", "Compre suplementos."),
    ("gives-a-dose", "Use 325 mg en el desayuno."),
    ("gives-a-dose", "Use dos tabletas por la noche."),
    ("gives-a-dose", "Use la pastilla tres veces al día."),
    ("changes-a-medicine", "Suspenda su medicamento."),
    ("changes-a-medicine", "Deje la medicina para la alergia."),
    ("changes-a-medicine", "Puede reducir la dosis."),
    ("names-a-drug", "Pregunte por el pramipexol."),
    ("names-a-drug", "Los antihistamínicos pueden hacer esto."),
    ("names-a-drug", "Una aspirina puede ayudar."),
    ("circulation-as-cause", "La mala circulación causa el problema."),
    ("circulation-as-cause", "Muchas veces se debe a la mala circulación."),
    ("circulation-as-cause", "Las venas débiles provocan piernas inquietas."),
    ("circulation-as-cause", "La causa es un problema de las arterias."),
    ("promises-a-treatment", "Le recetaremos algo para dormir."),
    ("promises-a-treatment", "Vamos a verle: debe recibir un tratamiento."),
    ("offers-a-procedure", "El láser abre la vena."),
    ("offers-a-procedure", "La angioplastia ayuda a muchas personas."),
    ("offers-a-procedure", "Una operación ayuda a muchas personas."),
    ("gives-a-result", "Su ferritina está baja."),
    ("gives-a-result", "Usted tiene piernas inquietas."),
    ("gives-a-result", "Su nivel de hierro es bajo."),
    ("copyrighted-scale", "Llene la escala de gravedad."),
    ("hard-coded-number", "Llame al 911 de inmediato."),
    ("hard-coded-number", "Llame hoy al (503) 555-0142."),
    ("url-shortener", "Mire [esto](https://bit.ly/x)."),
    ("marketing", "Reserve ya su cita."),
]


@pytest.mark.parametrize(("rule", "sentence"), SPANISH_CLAIMS)
def test_spanish_is_held_to_the_same_claims(
    write: WriteMessage, root: Path, rule: str, sentence: str
) -> None:
    write("in-email", es=blocks(sms=NAMED + "Hola.", email=f"Buen día. {sentence} Ya está."))
    write("in-text", es=blocks(sms=NAMED + sentence))
    found = {problem.where for problem in problems_of(root) if problem.rule == rule}
    assert found >= {"in-email/es", "in-text/es"}


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("discloses-condition", "¿Piernas inquietas esta noche?"),
        ("discloses-condition", "Consejos para la inquietud"),
        ("discloses-condition", "Vivir con diabetes"),
        ("discloses-condition", "La falta de hierro y usted"),
        ("discloses-condition", "Cuide su riñón"),
        ("discloses-condition", "El síndrome de Willis"),
        ("discloses-test", "Pregunte por la ferritina"),
        ("discloses-test", "Su estudio del sueño"),
        ("discloses-test", "Ya hay resultados"),
        ("names-a-drug", "El ropinirol y usted"),
        ("names-a-drug", "Toma antidepresivos"),
    ],
)
def test_a_spanish_text_or_subject_discloses_nothing(
    write: WriteMessage, root: Path, rule: str, text: str
) -> None:
    write("as-text", es=blocks(sms=NAMED + text))
    write("as-subject", es=blocks(subject=text, sms=NAMED + "Hola."))
    found = {problem.where for problem in problems_of(root) if problem.rule == rule}
    assert found == {"as-subject/es", "as-text/es"}


@pytest.mark.parametrize(
    "sentence",
    [
        "Pregunte si conviene medir su ferritina y su saturación de transferrina.",
        "No deje ninguna medicina por su cuenta.",
        "Pregunte a quien se la recetó antes de cambiar la dosis.",
        "Pregunte si una cirugía es una opción para usted.",
        "Los problemas de los vasos pueden sentirse igual, así que revíselos.",
        "Si tiene diabetes, mire sus pies cada noche.",
        "Los frijoles y las lentejas son ricos en hierro.",
        "Pruebe comidas ricas en hierro, como los frijoles.",
        "¿Qué empeora sus piernas y qué ayuda?",
        "Después de una operación, consulte con nosotros.",
    ],
)
def test_careful_spanish_is_left_alone(write: WriteMessage, root: Path, sentence: str) -> None:
    email = f"{sentence} Lo vemos todo con calma cuando venga la próxima vez a su cita."
    write(es=blocks(sms=NAMED + "Hola.", email=email))
    assert problems_of(root) == []


def test_each_rule_for_english_has_its_like_in_spanish() -> None:
    rules = safety_rules()
    languages: dict[str, set[str]] = {}
    for rule in rules.must_not_say:
        languages.setdefault(rule.rule, set()).update(rule.languages or rules.languages)
    assert all(found == set(rules.languages) for found in languages.values())
    for must in rules.must_say:
        assert not must.patterns or set(must.patterns) == set(rules.languages)
