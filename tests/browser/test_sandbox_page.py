"""The page of phones and mailboxes, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, ConsoleMessage, expect

from tests.browser.conftest import violations

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_page_keeps_wcag_aa_and_reports_nothing_to_the_console(
    browser: Browser, demo_page: str, size: dict[str, int], scheme: str
) -> None:
    page = browser.new_page(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,  # for axe, which is not ours
    )
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        complaints.append(message.text)

    page.on("console", listen)
    page.goto(demo_page)
    expect(page.get_by_role("heading", name="Ana", exact=True)).to_be_visible()
    assert violations(page) == []
    assert complaints == []
    wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert not wide, "the page scrolls sideways"
    page.close()


def test_a_patients_texts_and_mails_can_be_read_without_javascript(
    browser: Browser, demo_page: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(demo_page)
    page.get_by_role("link", name=re.compile("Ana")).first.click()
    expect(page.get_by_text("Welcome to").first).to_be_visible()
    page.get_by_role("link", name=re.compile("when to call")).first.click()
    mail = page.frame_locator("iframe")
    expect(mail.get_by_text("Hello Ana,")).to_be_visible()
    context.close()


def test_stop_texted_from_the_page_ends_the_texts_of_everybody_on_that_phone(
    browser: Browser, demo_page: str
) -> None:
    page = browser.new_page()
    page.goto(demo_page)
    page.get_by_role("link", name=re.compile("Fay")).first.click()
    page.get_by_role("button", name="STOP", exact=True).click()
    expect(page.get_by_text("You have successfully been unsubscribed").first).to_be_visible()
    page.get_by_role("link", name=re.compile("Eli")).first.click()
    expect(page.get_by_text("You have successfully been unsubscribed").first).to_be_visible()
    page.close()


def test_the_link_in_a_mail_asks_first_and_the_button_behind_it_unsubscribes(
    browser: Browser, demo_page: str
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(demo_page)
    page.get_by_role("link", name=re.compile("Chloé")).first.click()
    mail = page.frame_locator("iframe")
    with context.expect_page() as opened:
        mail.get_by_role("link", name=re.compile("unsubscribe|stop|leave", re.IGNORECASE)).click()
    leaving = opened.value
    leaving.wait_for_load_state()
    assert "/u/" in leaving.url
    button = leaving.get_by_role("button")
    expect(button).to_be_visible()
    button.press("Enter")
    expect(leaving.get_by_role("heading", level=1)).to_contain_text(
        re.compile("stopped|left|no more", re.IGNORECASE)
    )
    context.close()
