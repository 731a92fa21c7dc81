"""The patient's page, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser.conftest import examined, violations
from tests.support.web import PUBLIC_URL, Site, site

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
_numbers = count(1)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("web")) as running:
        yield running


def url(web: Site, *patients: str) -> str:
    people = [web.core.patients.load(patient) for patient in patients]
    return f"{web.url}/p/{web.core.page_access.token(people)}"


def somebody(web: Site, language: str = "en") -> str:
    """A patient in two series, by both channels."""
    number = next(_numbers)
    addresses = {"phone": f"+1503555{number:04d}", "email": f"patient{number}@example.com"}
    web.enrol(series="sleep-hygiene", language=language, **addresses)
    return web.enrol(language=language, **addresses)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_keeps_wcag_aa_and_scrolls_one_way_only(
    browser: Browser, web: Site, size: dict[str, int], scheme: str, language: str
) -> None:
    page = examined(browser, size, scheme, language)
    own, other = url(web, somebody(web, language)), somebody(web, language)
    pages = [own, f"{own}?done=saved", f"{own}/record", url(web, other, somebody(web, language))]
    for address in (*pages, f"{web.url}/p", f"{web.url}/p/x", _left(web)):
        page.goto(address)
        assert page.evaluate("document.documentElement.lang") == language
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert violations(page) == [], address
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    page.close()


def _left(web: Site) -> str:
    """The page behind a link that has ended e-mail."""
    address = f"nobody{next(_numbers)}@example.com"
    path = web.core.composer.unsubscribe_url(address).removeprefix(PUBLIC_URL)
    web.client.post(path)
    return web.url + path


def test_the_pages_own_policy_blocks_nothing_of_theirs(browser: Browser, web: Site) -> None:
    page, complaints = browser.new_page(), list[str]()

    def listen(message: ConsoleMessage) -> None:
        complaints.append(message.text)

    page.on("console", listen)
    own = url(web, somebody(web))
    for address in (own, f"{own}/record", f"{web.url}/p"):
        page.goto(address)
        assert page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") != "none"
    assert complaints == []
    page.close()


def test_all_of_it_works_without_javascript(browser: Browser, web: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    page, patient = context.new_page(), somebody(web)
    page.goto(url(web, patient))
    day = web.core.overviews.of(web.core.patients.load(patient)).today + timedelta(days=7)
    page.get_by_label("Go on again on").fill(day.isoformat())
    page.get_by_role("button", name="Pause until then").click()
    _told(page, "Your messages are on hold.")
    page.get_by_role("button", name="Go on now").click()
    _told(page, "Your messages go on.")
    page.get_by_label("As texts, whenever possible").check()
    page.get_by_label("Usual bedtime").fill("21:45")
    page.get_by_label("Time zone").select_option("America/New_York")
    page.get_by_role("button", name="Save").click()
    _told(page, "Saved.")
    expect(page.get_by_label("Usual bedtime")).to_have_value("21:45")
    page.get_by_label("Language").select_option("es")
    page.get_by_role("button", name="Save").click()
    _told(page, "Guardado.")
    context.close()


def _told(page: Page, words: str) -> None:
    expect(page.get_by_role("status")).to_contain_text(words)


def test_stopping_asks_once_more_and_e_mail_can_be_had_again(browser: Browser, web: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    page, patient = context.new_page(), somebody(web)
    page.goto(url(web, patient))
    stop = page.get_by_role("button", name="Stop the e\u2011mails")
    expect(stop).to_be_hidden()
    page.locator("summary", has_text="Stop the e\u2011mails").click()
    stop.click()
    _told(page, "No more e\u2011mails will come.")
    assert web.silent(patient, "email")
    page.get_by_role("button", name="Get e\u2011mails again").click()
    _told(page, "E\u2011mails will come again.")
    assert not web.silent(patient, "email")
    context.close()


def test_what_is_wrong_is_told_at_its_field_which_has_the_focus(
    browser: Browser, web: Site
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{web.url}/p")
    page.get_by_label("Phone number or e\u2011mail address").fill("half a number")
    page.keyboard.press("Enter")
    field = page.get_by_label("Phone number or e\u2011mail address")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_contain_text("Type a whole phone number")
    assert page.title().startswith("Error:")
    page.close()


def test_keys_alone_reach_and_work_everything(browser: Browser, web: Site) -> None:
    page, patient = browser.new_page(), somebody(web)
    page.goto(url(web, patient))
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("(document.activeElement.textContent || '').trim().slice(0, 30)"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        on_body = page.evaluate("document.activeElement === document.body")
        which = page.evaluate("document.activeElement.outerHTML.slice(0, 80)")
        assert on_body or outline != "none", f"the focus cannot be seen on {which}"
    for name in ("Pause until then", "Save", "Stop the texts", "Ask us to erase it"):
        assert any(each.startswith(name) for each in reached), name
    page.close()


def test_no_request_leaves_the_site_and_none_tells_the_token(browser: Browser, web: Site) -> None:
    page, own = browser.new_page(), url(web, somebody(web))
    asked: list[tuple[str, str]] = []
    page.on("request", lambda request: asked.append((request.url, str(request.headers))))
    page.goto(own)
    token = own.rpartition("/")[2]
    assert all(address.startswith(web.url) for address, _ in asked)
    assert not any(token in headers for _, headers in asked), "no referrer"
    page.close()
