"""Patients in the console, in a real browser: found, enrolled, and all that is done for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, Page, expect

from service.accounts.roles import Role
from tests.browser.conftest import violations
from tests.support.clinics import two_clinics
from tests.support.console import Desk, signed_in
from tests.support.web import Site, site

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
NOON = "2026-03-03T20:00:00"
"""Noon in Portland."""
_numbers = count(1)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("web")
    settings = {"clinics": two_clinics(directory), "clock": f"fast:1@{NOON}", "public_url": None}
    with site(directory, **settings) as running:
        yield running


def somebody(web: Site, zone: str = "America/New_York") -> str:
    """A patient of whom there is something to see on every part of the page."""
    number = next(_numbers)
    phone, email = f"+1503555{number:04d}", f"patient{number}@example.com"
    fields = {"clinic": "riverside", "phone": phone, "email": email, "timezone": zone}
    patient = web.enrol("Ana", series="sleep-hygiene", **fields)
    web.enrol("Ana", **fields)
    answer = web.text(phone, "my legs are a 7 today and I wonder whether that is all right")
    assert answer.status_code == 200
    web.core.staff.pause(patient, series="sleep-hygiene", source="cli:ana")
    web.core.staff.stop(patient, source="page", channels=("email",))
    return patient


def opened(browser: Browser, desk: Desk, **options: object) -> Page:
    """A page in which a member is signed in."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.add_cookies([{"name": "aftervisit", "value": desk.token, "url": desk.site.url}])
    return context.new_page()


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_keeps_wcag_aa_and_scrolls_one_way_only(
    browser: Browser, web: Site, size: dict[str, int], scheme: str, language: str
) -> None:
    desk = signed_in(web, Role.STAFF, language=language)
    page = opened(browser, desk, viewport=size, color_scheme=scheme, bypass_csp=True)
    own = f"patients/{somebody(web)}"

    def look(path: str = "") -> None:
        if path:
            page.goto(f"{web.url}/console/{path}")
        assert page.evaluate("document.documentElement.lang") == language
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert violations(page) == [], page.url
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")

    parts = ("details", "stop", "erase", "message", "series", "address/phone", "pause/2", "move/2")
    for path in ("patients", "patients/new", own, *(f"{own}/{part}" for part in parts)):
        look(path)
    for path in ("message", "series", "erase"):  # what comes of a form
        page.goto(f"{web.url}/console/{own}/{path}")
        page.locator("main form button").first.click()
        look()
    page.goto(f"{web.url}/console/patients")
    page.fill("#query", "12")
    page.locator("main form button").first.click()
    look()
    page.goto(f"{web.url}/console/patients/new")
    page.fill("#phone", "12")
    page.locator("main form button").click()
    expect(page.locator("main [aria-invalid]")).to_have_count(3)
    look()
    web.core.staff.leave(own.partition("/")[2], 1, source=desk.member.source, undoable=True)
    look(own)
    page.locator("form[action$='/restart/1'] button").click()
    expect(page.get_by_role("status")).to_be_visible()
    look()
    page.context.close()


def test_a_nurse_enrols_somebody_without_javascript(browser: Browser, web: Site) -> None:
    desk = signed_in(web, Role.STAFF, "riverside")
    page = opened(browser, desk, java_script_enabled=False)
    page.goto(f"{web.url}/console/patients")
    page.get_by_role("link", name="Enrol a patient").click()
    page.get_by_label("Mobile phone").fill("(503) 555-8812")
    page.get_by_role("button", name="See what they will get").click()
    expect(page.get_by_role("alert").get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_role("alert")).to_contain_text("Say how they agreed")
    page.get_by_role("alert").get_by_role("link", name="Give the given name.").click()
    expect(page.get_by_label("Given name")).to_be_focused()
    page.keyboard.type("Cora")
    page.get_by_role("button", name="See what they will get").click()
    expect(page.get_by_label("Given name")).to_have_value("Cora")
    page.get_by_label("How did they agree to texts?").select_option("verbal")
    page.get_by_role("button", name="See what they will get").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What Cora will get")
    page.get_by_role("button", name="Change something").click()
    page.get_by_label("Usual bedtime").fill("21:00")
    page.get_by_role("button", name="See what they will get").click()
    page.get_by_role("button", name="Enrol Cora").click()
    expect(page.get_by_role("status")).to_have_text("Enrolled.")
    expect(page.get_by_text("9:00 pm", exact=True)).to_be_visible()
    assert "503" not in page.url
    page.context.close()


def test_a_patient_is_found_moved_and_written_to(browser: Browser, web: Site) -> None:
    desk = signed_in(web, Role.STAFF, "riverside")
    patient = somebody(web, "America/Los_Angeles")
    page = opened(browser, desk)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.goto(f"{web.url}/console/patients")
    page.get_by_label("Phone, e-mail, whole name").fill(patient)
    page.keyboard.press("Enter")
    expect(page).to_have_url(
        f"{web.url}/console/patients/search"
    )  # others stand on the page before
    page.get_by_role("link", name="Ana").click()
    expect(page.get_by_text("my legs are a 7 today")).to_be_visible()
    page.get_by_role("link", name="Another first day").last.click()
    page.get_by_label("First day").fill("2026-03-20")
    page.get_by_role("button", name="See the new times").click()
    page.get_by_role("button", name="Move it").click()
    expect(page.get_by_role("status")).to_contain_text("Moved.")
    page.get_by_role("link", name="Send one message now").click()
    page.get_by_label("Message", exact=True).select_option("walking")
    page.get_by_role("button", name="See it").click()
    page.get_by_role("button", name="Send it now").click()
    expect(page.get_by_role("status")).to_contain_text("On its way.")
    page.get_by_role("link", name="Stop messages").click()
    page.get_by_label(re.compile("Texts to")).check()
    page.get_by_label("I have read this").check()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Stopped.")
    assert told == []
    page.context.close()
