"""Settings: each wrong value is refused in one sentence that names the variable and the remedy."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.errors import ConfigurationError
from service.settings import QUICK_ON_LOOPBACK, load_settings, parse_clock

LOOPBACK = {"twilio_account_sid": "AC1", "twilio_api_base_url": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("text", "factor", "start"),
    [
        ("real", None, None),
        ("fast:60", 60.0, None),
        ("fast:0.5", 0.5, None),
        ("fast:3600@2026-03-02T08:00", 3600.0, datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("fast:1@2026-03-02T08:00:00+01:00", 1.0, datetime(2026, 3, 2, 7, tzinfo=UTC)),
        ("fast:1@2026-03-02T08:00:00Z", 1.0, datetime(2026, 3, 2, 8, tzinfo=UTC)),
    ],
)
def test_a_clock_is_real_or_fast(text: str, factor: float | None, start: datetime | None) -> None:
    setting = parse_clock(text)
    assert (setting.factor, setting.start) == (factor, start)
    assert setting.fast is (factor is not None)


@pytest.mark.parametrize(
    "text", ["", "slow", "fast", "fast:", "fast:0", "fast:-1", "fast:x", "fast:1e3", "real "]
)
def test_any_other_clock_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="give real, or fast:FACTOR"):
        parse_clock(text)


def test_a_start_that_is_no_instant_is_refused_in_a_sentence() -> None:
    with pytest.raises(ConfigurationError, match="AFTERVISIT_CLOCK"):
        load_settings(clock="fast:1@yesterday")


@pytest.mark.parametrize(
    "carriers",
    [
        {},
        LOOPBACK,
        {"twilio_account_sid": "AC1", "twilio_api_base_url": "http://localhost:9"},
        {"twilio_account_sid": "AC1", "twilio_api_base_url": "http://[::1]:9"},
        {"smtp_url": "smtp://127.0.0.1:25"},
        {"smtp_url": "smtp://user:secret@localhost:25?starttls=required", **LOOPBACK},
        {"twilio_api_base_url": "https://api.twilio.com"},  # no account: not a carrier
    ],
)
def test_time_may_run_fast_where_no_carrier_leaves_the_machine(carriers: dict[str, str]) -> None:
    assert load_settings(clock="fast:60", **carriers).carriers_on_loopback


@pytest.mark.parametrize(
    ("carriers", "named"),
    [
        ({"twilio_account_sid": "AC1"}, "TWILIO_API_BASE_URL"),
        ({"twilio_account_sid": "AC1", "twilio_api_base_url": "http://127.0.0.2"}, "TWILIO_API"),
        (
            {"twilio_account_sid": "AC1", "twilio_api_base_url": "http://127.0.0.1.evil.example"},
            "TWILIO_API_BASE_URL",
        ),
        (
            {"twilio_account_sid": "AC1", "twilio_api_base_url": "http://localhost@evil.example"},
            "TWILIO_API_BASE_URL",
        ),
        ({"smtp_url": "smtp://mail.example.org"}, "SMTP_URL"),
        ({"smtp_url": "smtp://user:pa55word@mail.example.org", **LOOPBACK}, "SMTP_URL"),
        ({"smtp_url": "not a url"}, "SMTP_URL"),
    ],
)
def test_fast_time_is_refused_where_a_carrier_might_reach_somebody(
    carriers: dict[str, str], named: str
) -> None:
    with pytest.raises(ConfigurationError, match="refused unless every carrier") as refusal:
        load_settings(clock="fast:60", **carriers)
    assert named in str(refusal.value)
    assert "pa55word" not in str(refusal.value)
    assert not load_settings(**carriers).carriers_on_loopback


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("twilio_api_base_url", "api.twilio.com"),
        ("twilio_api_base_url", "ftp://api.twilio.com"),
        ("public_url", "drip.example.org"),
        ("public_url", "https://"),
        ("web_port", "70000"),
        ("web_port", "http"),
        ("worker_processes", "0"),
        ("in_flight", "0"),
        ("partitions", "2000"),
        ("lease_s", "0.5"),
        ("retry_base_s", "0"),
        ("sms_per_second", "0"),
        ("log_level", "loud"),
        ("clock", "often"),
    ],
)
def test_a_wrong_value_is_refused_by_its_variables_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"AFTERVISIT_{name.upper()}", value)
    with pytest.raises(ConfigurationError, match=f"^AFTERVISIT_{name.upper()}: .+"):
        load_settings()


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERVISIT_PUBLIC_URL", "")
    monkeypatch.setenv("AFTERVISIT_SMTP_URL", "")
    settings = load_settings()
    assert (settings.public_url, settings.smtp_url) == (None, None)


def test_what_is_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERVISIT_IN_FLIGHT", "7")
    assert load_settings().in_flight == 7
    assert load_settings(in_flight=9).in_flight == 9


def test_links_go_to_the_public_address_or_to_this_machine() -> None:
    assert load_settings(public_url="https://drip.example.org/").public_base == (
        "https://drip.example.org"
    )
    assert load_settings(web_port=8123).public_base == "http://127.0.0.1:8123"


def test_secrets_are_in_no_print_of_the_settings() -> None:
    settings = load_settings(
        twilio_auth_token="hush-token", secret_keys="hush-key", smtp_url="smtp://u:hush@127.0.0.1"
    )
    assert "hush" not in repr(settings)
    assert "hush" not in str(settings.model_dump())


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    with pytest.raises(ValueError, match="frozen"):
        settings.in_flight = 3


@pytest.mark.parametrize("name", sorted(QUICK_ON_LOOPBACK))
def test_on_loopback_it_is_quick_unless_told_otherwise(name: str) -> None:
    real = load_settings(twilio_account_sid="AC1")
    assert getattr(load_settings(**LOOPBACK), name) == QUICK_ON_LOOPBACK[name]
    assert getattr(real, name) != QUICK_ON_LOOPBACK[name]
    told = load_settings(**LOOPBACK, **{name: 7})
    assert getattr(told, name) == 7


def test_a_call_ends_well_inside_the_lease_it_is_begun_under() -> None:
    for lease_s in (1, 20, 60):
        assert load_settings(lease_s=lease_s).send_timeout_s <= lease_s / 2
