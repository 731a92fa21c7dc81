"""Joining in a real browser: with scripts and without, on a phone and on a desk."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser.conftest import violations
from tests.support.joining import CLINIC, SMTP, link_to, patients_of, queued
from tests.support.polling import until
from tests.support.web import Site, site

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
_people = count(1)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("joining"), **SMTP) as running:
        yield running


@pytest.fixture
def email() -> str:
    return f"somebody{next(_people)}@example.com"


@pytest.fixture
def network() -> str:
    """An address in a network that no other test asks from."""
    return f"198.51.{next(_people)}.7"


def fill(page: Page, email: str) -> None:
    """Type what is asked for, and look at the second page."""
    page.get_by_label("First name").fill("Ana")
    page.get_by_label("E\u2011mail address").fill(email)
    page.get_by_label("Yes, e-mail me").check()
    until(lambda: pressed(page, "Continue", "Is this right?"), "the form is taken")


def pressed(page: Page, button: str, heading: str) -> bool:
    """Press a button, once more where that was too soon; whether the next page is there."""
    page.get_by_role("button", name=button).click()
    return page.get_by_role("heading", level=1).inner_text() == heading


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_somebody_joins_by_e_mail(
    browser: Browser, web: Site, email: str, network: str, *, scripts: bool
) -> None:
    context = browser.new_context(
        java_script_enabled=scripts,
        timezone_id="America/Denver",
        extra_http_headers={"X-Forwarded-For": network},
    )
    page = context.new_page()
    page.goto(f"{web.url}/join")
    zone = "America/Denver" if scripts else "America/Los_Angeles"
    expect(page.get_by_label("Time zone")).to_have_value(zone)
    expect(page.get_by_label("Yes, e-mail me")).not_to_be_checked()
    fill(page, email)
    expect(page.get_by_text(email)).to_be_visible()
    until(lambda: pressed(page, "Yes, ask me", "Almost done: please confirm"), "it is asked for")
    assert patients_of(web, "email", email) == []
    page.goto(web.url + link_to(web, email))
    expect(page.get_by_role("heading", level=1)).to_have_text("Start the tips?")
    page.get_by_role("button").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have joined")
    (patient,) = patients_of(web, "email", email)
    assert web.core.patients.contact(web.core.patients.load(patient)).timezone == zone
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_keeps_wcag_aa_and_reports_nothing_to_the_console(
    browser: Browser, web: Site, email: str, network: str, size: dict[str, int], language: str,
    scheme: str,
) -> None:  # fmt: skip
    context = browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if scheme == "dark" else "light",
        locale=language,
        extra_http_headers={"X-Forwarded-For": network},
        bypass_csp=True,  # for axe, which is not ours
    )
    page = context.new_page()
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        complaints.append(message.text)

    def look() -> None:
        assert violations(page) == []
        wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not wide, "the page scrolls sideways"

    page.on("console", listen)
    page.goto(f"{web.url}/join/{CLINIC}")
    look()
    assert complaints == []
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look()
    page.locator("#given_name").fill("Ana")
    page.locator("#email").fill(email)
    page.locator("#email_too").check()
    for _ in range(2):
        step = page.get_by_role("heading", level=1).inner_text()
        until(lambda step=step: moved_on(page, step), "the next page")  # type: ignore[misc]
        look()
    for path in (link_to(web, email), "/j/nothing"):
        page.goto(web.url + path)
        look()
    page.goto(web.url + link_to(web, email))
    page.get_by_role("button").click()
    look()
    assert len(queued(web, email)) == 1
    context.close()


def moved_on(page: Page, step: str) -> bool:
    page.locator("main form button").first.click()
    return page.get_by_role("heading", level=1).inner_text() != step


def test_the_scripted_page_keeps_to_its_policy(browser: Browser, web: Site) -> None:
    context = browser.new_context(timezone_id="Asia/Kolkata")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    answer = page.goto(f"{web.url}/join/{CLINIC}")
    assert answer is not None
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Calcutta")
    assert complaints == []
    context.close()


@pytest.mark.parametrize("kind", ["svg", "pdf"])
def test_the_poster_is_shown(browser: Browser, web: Site, kind: str) -> None:
    answer = web.client.get(f"/join/{CLINIC}/poster.{kind}?lang=es")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("inline")
    if kind == "svg":
        page = browser.new_page()
        page.goto(f"{web.url}/join/{CLINIC}/poster.svg?lang=es")
        expect(page.get_by_text("O envíe PIERNAS")).to_be_visible()
        page.close()
