"""The library, the series and the audit in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from service.accounts.roles import Role
from service.store.migrations import Order
from service.web.console.access import cookie_name
from tests.browser.conftest import violations
from tests.support.console import signed_in
from tests.support.web import Site, site

PHONE = (390, 844)
DESKTOP = (1280, 900)
DRY = Order("restless-legs", 2, 1, dry=True)
PAGES = (
    "library",
    "library/walking",
    "series",
    "series/restless-legs/2?start=2026-12-01",
    "series/restless-legs/difference?old=1&new=2",
    "series/moves/new",
    "series/moves/{move}",
    "audit",
)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a few patients, and a dry run that was done."""
    with site(tmp_path_factory.mktemp("web"), public_url=None) as running:
        for number in range(3):
            running.enrol(phone=f"+1503555{number:04d}")
        dry = running.core.series_migrations.start(DRY, by="test")
        running.core.series_migrations.go_on(dry.id, seconds=5, token="test")
        yield running


def opened(
    browser: Browser,
    web: Site,
    path: str,
    size: tuple[int, int] = DESKTOP,
    *,
    dark: bool = False,
    language: str = "en",
    scripts: bool = True,
    axe: bool = False,
) -> Page:
    """A page of the console, as a member sees it who may see all."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
        bypass_csp=axe,  # which is not ours
    )
    token = signed_in(web, Role.ADMIN, language=language).token
    context.add_cookies([{"name": cookie_name(web.core), "value": token, "url": web.url}])
    page = context.new_page()
    page.goto(f"{web.url}/console/{path}")
    return page


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("size", "dark", "language"),
    [
        pytest.param(PHONE, True, "es", id="phone-dark"),
        pytest.param(DESKTOP, False, "en", id="desktop-light"),
    ],
)
def test_each_page_keeps_wcag_aa_and_scrolls_one_way_only(
    browser: Browser, web: Site, path: str, size: tuple[int, int], language: str, *, dark: bool
) -> None:
    (dry, *_) = [each for each in web.core.series_migrations.recent() if each.order.dry]
    page = opened(
        browser, web, path.format(move=dry.id), size, dark=dark, language=language, axe=True
    )
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert violations(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def test_the_mailbox_shows_the_email_and_runs_nothing_of_it(browser: Browser, web: Site) -> None:
    page = opened(browser, web, "library/walking")
    faults: list[str] = []
    page.on("console", lambda told: faults.append(told.text) if told.type == "error" else None)
    page.reload(wait_until="networkidle")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("Today, walk for ten minutes.")).to_be_visible()
    assert frame.locator("body").evaluate("body => getComputedStyle(body).fontFamily") != ""
    # Of another origin: what is in the frame gets at nothing of the page around it.
    assert page.evaluate("document.querySelector('iframe').contentDocument") is None
    assert faults == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])
def test_an_author_moves_patients_after_a_dry_run(
    browser: Browser, web: Site, *, scripts: bool
) -> None:
    """As a worker would, the test goes on with what was ordered; the page tells how far it is."""
    old, new = ("2", "1") if version_of(web) == 2 else ("1", "2")  # as the other test left it
    page = opened(browser, web, "series", scripts=scripts)
    page.get_by_role("link", name="Move patients under way").click()
    page.get_by_label("From version").select_option(old)
    page.get_by_label("To version").select_option(new)
    page.get_by_label("Series").select_option("restless-legs")
    page.get_by_label("Riverside Clinic").check()
    page.get_by_role("button", name="Begin the dry run").click()
    go_on(web, page)
    if not scripts:
        page.get_by_role("link", name="Look again").click()
    page.get_by_role("button", name="Move 3 patients").click()
    expect(page.get_by_text("The move has begun.")).to_be_visible()
    go_on(web, page)
    if not scripts:
        page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("listitem").filter(has_text="moved")).to_contain_text("3")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)


def version_of(web: Site) -> int:
    """The version that the patients are in."""
    (patient, *_) = web.core.patients.identifiers()
    *_, last = web.core.patients.load(patient).subscriptions()
    return last.version


def go_on(web: Site, page: Page) -> None:
    """Do what the page has ordered, to its end."""
    identifier = page.url.rpartition("/")[2].partition("?")[0]
    web.core.series_migrations.go_on(identifier, seconds=5, token="test")
    assert web.core.series_migrations.find(identifier).state == "done"


def test_the_audit_is_handed_over_as_a_file(browser: Browser, web: Site) -> None:
    page = opened(browser, web, "audit")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as CSV").click()
    assert download.value.suggested_filename.startswith("aftervisit-audit-")
    text = download.value.path().read_text("utf-8")
    assert text.startswith("at,who,source,what,about,reason,sentence")
    assert text.count("enrolled") >= 3
