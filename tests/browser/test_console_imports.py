"""A file of patients in a real browser: chosen, checked, confirmed, followed to its end."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from service.accounts.roles import Role
from tests.browser.conftest import examined, violations
from tests.support.console import PASSWORD
from tests.support.patient_files import patient, row, text
from tests.support.web import Site, site

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
ONE_IMPORT = re.compile(r"/console/imports/\w{12}$")


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("web"), public_url=None) as running:
        yield running


def at_the_form(page: Page, web: Site, language: str = "en") -> None:
    """Sign somebody in who has no second step, and go to the form."""
    number = len(web.core.accounts.all())
    member = web.core.accounts.create(
        email=f"nora{number}@clinic.example",
        name="Nora Nurse",
        role=Role.STAFF,
        language=language,
        password=PASSWORD,
        source="test",
    )
    token = web.core.sessions.start(member.id)
    page.context.add_cookies([{"name": "aftervisit", "value": token, "url": web.url}])
    page.goto(f"{web.url}/console/imports")


def choose(page: Page, content: str) -> None:
    """Choose a file, say how its patients agreed, and send it."""
    file = FilePayload(name="march.csv", mimeType="text/csv", buffer=content.encode())
    page.set_input_files("input[type=file]", file)
    page.select_option("select[name=method]", "written")
    page.locator("main form button").click()


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_of_an_import_keeps_wcag_aa_and_scrolls_one_way_only(
    browser: Browser, web: Site, size: dict[str, int], scheme: str, language: str
) -> None:
    page = examined(browser, size, scheme)

    def look() -> None:
        assert page.evaluate("document.documentElement.lang") == language
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert violations(page) == [], page.url
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")

    at_the_form(page, web, language)
    look()
    choose(page, "no header\r\n1\r\n")
    expect(page.locator(".notice.bad")).to_be_visible()
    look()
    number = int(page.evaluate("performance.timeOrigin")) % 900_000
    good = patient(number, language=language)
    choose(page, text(good, row(phone="4.155551E+10"), good))
    page.wait_for_url(ONE_IMPORT)
    look()
    page.locator("main .sheet form button").click()
    expect(page.locator("progress")).to_be_visible()
    look()
    assert web.core.imports.go_on(page.url.rpartition("/")[2], "worker", lambda: True)
    expect(page.locator("progress")).to_have_count(0)  # the page has renewed itself
    look()
    page.close()


def test_a_nurse_imports_a_file_puts_the_bad_row_right_and_imports_that(
    browser: Browser, web: Site
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    at_the_form(page, web)
    rows = [patient(950_000 + number) for number in range(3)]
    choose(page, text(*rows, patient(950_010, phone="+1503")))
    page.wait_for_url(ONE_IMPORT)
    expect(page.locator("main")).to_contain_text("What Pat950000 gets first")
    frame = page.frame_locator("iframe")
    expect(frame.locator("body")).to_contain_text("Pat950000")
    with page.expect_download() as taken:
        page.get_by_text("Download the rejected rows").click()
    assert taken.value.suggested_filename.endswith(".csv")
    rejected = taken.value.path().read_text("utf-8-sig")
    page.get_by_role("button", name="Enrol 3 patients").click()
    expect(page.locator("progress")).to_be_visible()
    assert web.core.imports.go_on(page.url.rpartition("/")[2], "worker", lambda: True)
    expect(page.locator("h1")).to_have_text("The file is imported")
    page.goto(f"{web.url}/console/imports")
    choose(page, rejected.replace("'+1503,", "'+15032950010,"))
    expect(page.get_by_role("button", name="Enrol 1 patient")).to_be_visible()
    page.close()


def test_it_works_without_javascript(browser: Browser, web: Site) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    at_the_form(page, web)
    choose(page, text(patient(960_000)))
    page.get_by_role("button", name="Enrol 1 patient").click()
    expect(page.locator("progress")).to_be_visible()
    assert web.core.imports.go_on(page.url.rpartition("/")[2], "worker", lambda: True)
    page.locator("#renew").click()
    expect(page.locator("h1")).to_have_text("The file is imported")
    page.close()
