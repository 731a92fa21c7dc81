"""The page of phones and mailboxes, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser.conftest import examined, violations
from tests.support.polling import until

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


GOODBYE = "You have left our mailing list"


def text(page: Page, who: str, words: str) -> None:
    """Text as a patient, by the keyboard alone."""
    field = page.get_by_label(f"Text back as {who}")
    field.fill(words)
    field.press("Enter")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_page_keeps_wcag_aa_and_reports_nothing_to_the_console(
    browser: Browser, demo_page: str, size: dict[str, int], scheme: str
) -> None:
    page = examined(browser, size, scheme)
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        complaints.append(message.text)

    page.on("console", listen)
    page.goto(demo_page)
    expect(page.get_by_role("heading", name="Ana", exact=True)).to_be_visible()
    text(page, "Ana", "What is this?")
    expect(page.get_by_text("Answered with “help”").last).to_be_visible()
    page.get_by_label("Answer as Ana").fill("Thank you")
    page.get_by_label("Answer as Ana").press("Control+Enter")
    expect(page.get_by_text("nothing that a rule knows").last).to_be_visible()
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


def test_what_a_text_was_taken_for_and_what_came_of_it_stand_beneath_it(
    browser: Browser, demo_page: str
) -> None:
    page = browser.new_page()
    page.goto(demo_page)
    page.get_by_role("link", name=re.compile("Gus")).first.click()
    text(page, "Gus", "I do not want these texts any more")
    expect(page.get_by_text("wants no more messages")).to_be_visible()
    expect(page.get_by_text("opt_out.want_none", exact=True)).to_be_visible()
    expect(page.get_by_text("Opted out: no more texts to this phone")).to_be_visible()
    expect(page.get_by_text("Answered with “goodbye”")).to_be_visible()
    expect(page.get_by_text("Answered by the carrier")).to_have_count(0)
    expect(page.get_by_label("Text back as Gus")).to_be_focused()
    page.close()


def test_an_urgent_text_is_answered_and_alerts_the_clinics_desk_though_the_days_are_over(
    browser: Browser, demo_page: str
) -> None:
    page = browser.new_page()
    page.goto(demo_page)
    page.get_by_role("link", name=re.compile("Dev")).first.click()
    text(page, "Dev", "my foot is cold and blue")
    expect(page.get_by_text("Escalation opened")).to_be_visible()
    expect(page.get_by_text("Do not wait for a text")).to_be_visible()
    page.get_by_role("link", name=re.compile("Clinic desk")).first.click()
    expect(page.get_by_role("heading", name="A reply waits")).to_be_visible(timeout=20_000)
    expect(page.get_by_label("Answer as")).to_have_count(0)
    page.close()


def test_a_mail_is_answered_without_javascript_and_the_answer_to_that_comes_by_mail(
    browser: Browser, demo_page: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(demo_page)
    page.get_by_role("link", name=re.compile("Hana")).first.click()
    page.get_by_label("Answer as Hana").fill("Please take me off your list")
    page.get_by_role("article").get_by_role("button", name="Send").click()
    expect(page.get_by_text("Please take me off your list")).to_be_visible()

    def shows(words: str) -> bool:
        page.reload()
        return page.get_by_text(words).count() > 0

    until(lambda: shows("Opted out: no more e-mail to this mailbox"), "it is followed")
    until(lambda: shows("· answered"), "the answered mail is marked")
    until(lambda: shows(GOODBYE), "it is confirmed by mail")
    context.close()


def test_somebody_new_joins_by_text_though_the_days_are_over(
    browser: Browser, demo_page: str
) -> None:
    page = browser.new_page()
    page.goto(demo_page)
    page.get_by_role("link", name=re.compile("Kim")).first.click()
    text(page, "Kim", "LEGS")
    expect(page.get_by_text("Reply YES")).to_be_visible()
    expect(page.get_by_text("wants to join")).to_be_visible()
    text(page, "Kim", "YES")
    expect(page.get_by_text("Enrolled: a series begins")).to_be_visible(timeout=20_000)
    page.close()
