"""What messages cost, as the clinics file tells."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from service.clinics import SAMPLE_CLINIC, load_clinics
from service.errors import ConfigurationError
from service.reporting.prices import Prices, shown

CLINIC = """
[[clinic]]
id = "riverside"
name = "Riverside Clinic"
phone = "(503) 555-0142"
postal_address = "12 Harbor Street, Portland, OR 97201"
"""


def read(directory: Path, prices: str) -> Prices | None:
    path = directory / "clinics.toml"
    path.write_text(CLINIC + prices, encoding="utf-8")
    return load_clinics(path)["riverside"].prices


def test_a_clinic_without_prices_has_no_costs(tmp_path: Path) -> None:
    assert read(tmp_path, "") is None
    assert SAMPLE_CLINIC.prices is None


def test_a_clinics_own_prices_are_read_to_the_last_digit(tmp_path: Path) -> None:
    prices = read(tmp_path, '[clinic.prices]\nsms_segment = 0.0113\ncurrency = "EUR"\n')
    assert prices == Prices(sms_segment=Decimal("0.0113"), email=Decimal(0), currency="EUR")


@pytest.mark.parametrize(
    "wrong",
    ["sms_segment = -1", "email = 0.1", 'sms_segment = 1\ncurrency = "dollars"', "sms = 1"],
)
def test_a_wrong_price_is_named(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ConfigurationError, match=r"clinic\.0\.prices\.\w+: "):
        read(tmp_path, f"[clinic.prices]\n{wrong}\n")


def test_segments_and_emails_are_summed_exactly() -> None:
    prices = Prices(sms_segment=Decimal("0.0113"), email=Decimal("0.0004"))
    assert prices.cost(segments=3, emails=2) == Decimal("0.0347")


@pytest.mark.parametrize(
    ("cost", "told"),
    [
        ("0", "0.00 USD"),
        ("0.0113", "0.0113 USD"),
        ("0.008", "0.008 USD"),
        ("0.25", "0.25 USD"),
        ("1234.567", "1,234.57 USD"),
    ],
)
def test_small_costs_are_told_with_more_digits(cost: str, told: str) -> None:
    assert shown(Decimal(cost), "USD") == told
