"""The wordings of consent: what people agreed to stays word for word."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from messages.plain import read
from service.clinics import SAMPLE_CLINIC
from service.enrolment import wordings as module
from service.enrolment.joining_form import shown_wording
from service.enrolment.wordings import LANGUAGES, versions, wording
from service.errors import NotFound

PUBLISHED = {"2026-11": "105db1b74d34297662dad4216770298af4d1a0d3c05384e52dfc99a640a25ef1"}
FOLDER = Path(module.__file__).with_name("wordings")
CASES = [(version, language) for version in versions() for language in LANGUAGES]


def test_a_published_wording_is_never_changed() -> None:
    found = {
        path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.toml")
    }
    assert found == PUBLISHED, "write the next version beside it, and add its hash here"


@pytest.mark.parametrize(("version", "language"), CASES)
def test_each_says_what_has_to_be_disclosed(version: str, language: str) -> None:
    shown = shown_wording(SAMPLE_CLINIC, language, version)
    said = " ".join(shown.disclosures)
    for needed in (SAMPLE_CLINIC.name, SAMPLE_CLINIC.phone, SAMPLE_CLINIC.emergency_number, "STOP"):
        assert needed in said
    patterns = {
        "en": (r"HELP", r"about 4 messages a week", r"data rates", r"not encrypted", r"want them"),
        "es": (r"AYUDA", r"unos 4 mensajes", r"cargos", r"no van cifrados", r"los quiere"),
    }
    for pattern in patterns[language]:
        assert re.search(pattern, said)
    assert SAMPLE_CLINIC.name in shown.sms
    assert SAMPLE_CLINIC.name in shown.email
    assert "{" not in said + shown.sms + shown.email
    assert shown.name == f"{version}/{language}"


def test_the_english_is_plain() -> None:
    shown = shown_wording(SAMPLE_CLINIC, "en")
    assert read(" ".join((shown.sms, shown.email, *shown.disclosures))).grade <= 8


def test_the_newest_is_shown_where_none_is_named() -> None:
    assert wording("en").version == versions()[-1]


@pytest.mark.parametrize(("version", "language"), [("1999-01", "en"), ("2026-11", "fr")])
def test_an_unknown_one_is_refused_with_those_that_there_are(version: str, language: str) -> None:
    with pytest.raises(NotFound, match="2026-11"):
        wording(language, version)
