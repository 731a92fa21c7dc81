from __future__ import annotations

from urllib.parse import urljoin

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.web.console.cookies import browser_name
from service.web.console.qr import qr_of
from service.web.console.sign_in import below

HOME = "https://drip.clinic.example/prefix/console/"


@given(st.text(st.sampled_from("ab./\\?#:%@ \n\t-_é"), max_size=30) | st.text(max_size=30))
@example("../sign-in")
@example("//evil.example")
@example("patients\n/x")
@example("a/..")
def test_a_sign_in_leads_to_the_console_and_nowhere_else(to: str) -> None:
    led = urljoin(HOME, below(to))
    assert led.startswith(HOME)
    assert urljoin(led, ".").startswith(HOME)


@pytest.mark.parametrize("to", ["patients/0123456789ab", "account/second-factor", "today"])
def test_where_a_reader_wanted_to_go_is_led_to(to: str) -> None:
    assert below(to) == to


_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "Firefox, Linux",
        ),
        (f"Mozilla/5.0 (Windows NT 10.0) {_WEBKIT} Chrome/142.0 Safari/537.36", "Chrome, Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0) {_WEBKIT} Chrome/142 Safari/537 Edg/142", "Edge, Windows"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) {_WEBKIT} Safari/605", "Safari, Mac"),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) {_WEBKIT} Safari/6",
            "Safari, iPhone",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 15) {_WEBKIT} Chrome/142 Mobile Safari/537",
            "Chrome, Android",
        ),
        ("curl/8.5", ""),
        ("", ""),
        ("<script>alert(1)</script>", ""),
    ],
)
def test_a_browser_is_called_what_people_call_it(agent: str, name: str) -> None:
    assert browser_name(agent) == name


@given(st.text(max_size=400))
def test_nothing_that_a_browser_says_of_itself_is_shown_as_it_is(agent: str) -> None:
    assert len(browser_name(agent)) < 40


def test_a_qr_code_has_no_style_and_nothing_of_its_text() -> None:
    svg = qr_of("otpauth://totp/Aftervisit:<b>?secret=ABC")
    assert svg.startswith("<svg ")
    for word in ("style", "<script", "<b>", "ABC", "class"):
        assert word not in svg
