"""The clinics file: what is wrong in it is named with its place and what to give instead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from service.bootstrap import clinics_of
from service.clinics import SAMPLE_CLINIC, load_clinics, shared_timezone
from service.errors import ConfigurationError
from service.inbox.understanding import Intent, understand
from service.settings import load_settings

GOOD = {
    "id": "riverside",
    "name": "Riverside Clinic",
    "phone": "(503) 555-0142",
    "postal_address": "12 Harbor Street, Portland, OR 97201",
}


def written(directory: Path, *clinics: Mapping[str, object]) -> Path:
    lines = []
    for clinic in clinics:
        lines.append("[[clinic]]")
        lines += [
            f"{key} = {value if isinstance(value, int | float) else repr(value)}"
            for key, value in clinic.items()
        ]
    path = directory / "clinics.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_clinics_are_read_by_their_ids(tmp_path: Path) -> None:
    second = GOOD | {"id": "hillside", "state": "OR", "opt_out_handling": "toll_free"}
    clinics = load_clinics(written(tmp_path, GOOD, second))
    assert sorted(clinics) == ["hillside", "riverside"]
    assert clinics["riverside"].emergency_number == "911"
    assert clinics["hillside"].opt_out_handling == "toll_free"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "Riverside"),
        ("id", ""),
        ("id", "a" * 33),
        ("name", "x"),
        ("name", "n" * 31),
        ("name", "Riverside \u2019Leg\u2019 Clinic"),
        ("name", "Cl\u00ednica \u4e2d"),
        ("phone", "1"),
        ("phone", "503\u2013555\u20130142"),
        ("postal_address", "x"),
        ("country", "USA"),
        ("country", "us"),
        ("state", "Oregon"),
        ("opt_out_handling", "whoever"),
        ("sms_per_second", 0),
        ("sms_per_second", -1),
        ("colour", "blue"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, field: str, value: object) -> None:
    path = written(tmp_path, GOOD | {field: value})
    with pytest.raises(ConfigurationError, match=rf"clinics\.toml, clinic\.0\.{field}: .+"):
        load_clinics(path)


@pytest.mark.parametrize("field", sorted(GOOD))
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    clinic: dict[str, object] = {key: value for key, value in GOOD.items() if key != field}
    with pytest.raises(ConfigurationError, match=rf"clinic\.0\.{field}"):
        load_clinics(written(tmp_path, clinic))


def test_two_clinics_of_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="two clinics with one id"):
        load_clinics(written(tmp_path, GOOD, GOOD))


@pytest.mark.parametrize("content", [b"", b"[[clinic]\n", b"\xff\xfe", b"clinic = 3"])
def test_a_file_that_is_no_clinics_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clinics.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="clinics file"):
        load_clinics(path)


def test_a_file_that_is_not_there_is_told_with_the_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="AFTERVISIT_CLINICS"):
        load_clinics(tmp_path / "none.toml")


def test_a_real_carrier_needs_a_real_clinic() -> None:
    with pytest.raises(ConfigurationError, match="AFTERVISIT_CLINICS"):
        clinics_of(load_settings(twilio_account_sid="AC1"))


def test_on_loopback_a_made_up_clinic_will_do() -> None:
    assert clinics_of(load_settings()) == {SAMPLE_CLINIC.id: SAMPLE_CLINIC}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("join_keyword", "legs"),
        ("join_keyword", "STOP"),
        ("join_keyword", "YES"),
        ("join_keyword", "INFO"),
        ("join_keyword_es", "AYUDA"),
        ("timezone", "Oregon"),
    ],
)
def test_a_word_that_means_something_else_or_a_zone_that_is_none_is_refused(
    tmp_path: Path, field: str, value: str
) -> None:
    with pytest.raises(ConfigurationError, match=field):
        load_clinics(written(tmp_path, GOOD | {field: value}))


def test_clinics_on_one_number_need_a_word_each(tmp_path: Path) -> None:
    one = GOOD | {"join_keyword": "LEGS"}
    other = GOOD | {"id": "hillside", "join_keyword": "LEGS"}
    with pytest.raises(ConfigurationError, match="a word of its own"):
        load_clinics(written(tmp_path, one, other))
    apart = other | {"sms_from": "+15005550007"}
    assert load_clinics(written(tmp_path, one, apart))["hillside"].join_words == {"LEGS": "en"}


def test_the_sample_words_mean_nothing_else_in_a_text() -> None:
    for word in SAMPLE_CLINIC.join_words:
        assert understand(word).intents == (Intent.OTHER,)


@pytest.mark.parametrize(
    ("zones", "shared"),
    [
        ([], "UTC"),
        ([None], "UTC"),
        (["America/New_York"], "America/New_York"),
        (["America/New_York", "America/New_York"], "America/New_York"),
        (["America/New_York", "America/Chicago"], "UTC"),
        (["America/New_York", None], "UTC"),
    ],
)
def test_clinics_share_a_clock_where_all_are_in_one_zone(
    zones: list[str | None], shared: str
) -> None:
    clinics = [SAMPLE_CLINIC.model_copy(update={"timezone": zone}) for zone in zones]
    assert shared_timezone(clinics) == shared
