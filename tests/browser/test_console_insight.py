"""The page of figures, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from service.accounts.roles import Role
from service.web.console.access import cookie_name
from tests.browser.conftest import violations
from tests.support.console import signed_in
from tests.support.figures import count_months
from tests.support.web import Site, site

PHONE = (390, 844)
DESKTOP = (1280, 900)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site half a year after it began."""
    with site(tmp_path_factory.mktemp("web"), public_url=None) as running:
        count_months(running.core, patients=300)
        yield running


def opened(
    browser: Browser, web: Site, size: tuple[int, int], *, dark: bool, language: str, weeks: int
) -> Page:
    """The page as a member sees it, who has just come to it."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        bypass_csp=True,  # for axe, which is not ours
    )
    token = signed_in(web, Role.VIEWER, language=language).token
    context.add_cookies([{"name": cookie_name(web.core), "value": token, "url": web.url}])
    page = context.new_page()
    page.goto(f"{web.url}/console/insight?weeks={weeks}")
    return page


@pytest.mark.parametrize(
    ("size", "dark", "language", "weeks"),
    [
        pytest.param(PHONE, True, "es", 52, id="phone-dark"),
        pytest.param(PHONE, False, "en", 4, id="phone-light"),
        pytest.param(DESKTOP, True, "en", 13, id="desktop-dark"),
        pytest.param(DESKTOP, False, "es", 4, id="desktop-light"),
    ],
)
def test_the_page_keeps_wcag_aa_and_scrolls_one_way_only(
    browser: Browser, web: Site, size: tuple[int, int], language: str, weeks: int, *, dark: bool
) -> None:
    page = opened(browser, web, size, dark=dark, language=language, weeks=weeks)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert violations(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    page.context.close()


def test_every_mark_is_filled_and_every_word_of_a_plot_is_legible(
    browser: Browser, web: Site
) -> None:
    page = opened(browser, web, PHONE, dark=False, language="en", weeks=4)
    fills = page.evaluate(
        "[...document.querySelectorAll('.mark')].map(each => getComputedStyle(each).fill)"
    )
    assert len(fills) > 100
    assert not {fill for fill in fills if fill in {"none", "rgb(0, 0, 0)"}}
    heights = page.evaluate(
        "[...document.querySelectorAll('.plot text')].map(e => e.getBoundingClientRect().height)"
    )
    assert min(heights) >= 9
    page.context.close()


def test_it_is_looked_through_by_keyboard(browser: Browser, web: Site) -> None:
    page = opened(browser, web, DESKTOP, dark=False, language="en", weeks=4)
    page.get_by_label("Time").select_option("13")
    page.get_by_role("button", name="Show").press("Enter")
    expect(page.get_by_label("Time")).to_have_value("13")
    summary = page.locator("summary").first
    summary.press("Enter")
    expect(page.locator("details").first.get_by_role("table")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").first.press("Enter")
    assert download.value.suggested_filename.startswith("aftervisit-deliveries-")
    page.context.close()
