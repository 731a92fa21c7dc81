"""Every page of the console on the demonstration: read by axe, weighed, tabbed through."""

from __future__ import annotations

from typing import Any, Final

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.conftest import violations
from tests.support.demonstration import Demonstration
from tests.support.polling import until
from tests.support.tour import INSIDE, STOPS, sign_in, tour

PHONE: Final = {"width": 390, "height": 844}
DESKTOP: Final = {"width": 1280, "height": 900}
HEAVIEST: Final = 200 * 1024
"""Bytes that a page may weigh with all it loads."""
MOST_SHIFT: Final = 0.02
"""Sum of layout shifts; above 0.1 web.dev calls a page unsteady."""

WATCH_SHIFTS: Final = """
window.shifted = 0;
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""
WEIGH: Final = """
[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((sum, entry) => sum + entry.transferSize, 0)
"""
EXPECT_FOCUS: Final = """
window.named = each => each.outerHTML.slice(0, 120);
window.unfocused = new Set([...document.querySelectorAll(
  "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
)].filter(each => each.checkVisibility({visibilityProperty: true}) && !each.disabled
  && (each.type !== "radio" || each.checked)));
window.unseen = [];
document.addEventListener("focusin", event => {
  const each = event.target, style = getComputedStyle(each), box = each.getBoundingClientRect();
  window.unfocused.delete(each);
  const ringed = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const within = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  if (!ringed || !within) window.unseen.push(window.named(each));
});
window.unfocused.size
"""


pytestmark = pytest.mark.timeout(600)  # a tour is of more than fifty pages


@pytest.fixture(scope="module")
def desk(browser: Browser, demo: Demonstration) -> Demonstration:
    """The demonstration once somebody has written who waits for staff."""
    page = browser.new_page()
    page.goto(demo.page)
    page.get_by_label("Text back as Ana").fill("since this morning my left leg is swollen and hot")
    page.get_by_label("Text back as Ana").press("Enter")
    sign_in(page, demo)

    def waits() -> bool:
        page.goto(f"{demo.console}inbox")
        return page.locator("main table th a", has_text="Ana").count() > 0

    until(waits, "what Ana wrote waits for staff", limit_s=30)
    page.context.close()
    return demo


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_keeps_wcag_aa_in_either_scheme_and_scrolls_one_way_only(
    browser: Browser, desk: Demonstration, size: dict[str, int]
) -> None:
    page = browser.new_page(
        viewport={"width": size["width"], "height": size["height"]},
        bypass_csp=True,  # for axe, which is not ours
        reduced_motion="reduce",
    )
    found: list[str] = []
    for stop in tour(page, desk):
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        found += [f"{stop.name}: {each}" for each in violations(page)]
        page.emulate_media(color_scheme="dark")
        found += [f"{stop.name}, dark: {each}" for each in violations(page, "color-contrast")]
        page.emulate_media(color_scheme="light")
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            found.append(f"{stop.name} scrolls sideways")
        if page.locator("h1").count() != 1:
            found.append(f"{stop.name} has not one first heading")
        if page.evaluate("document.documentElement.lang") != "en":
            found.append(f"{stop.name} names no language")
    assert found == []
    page.context.close()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_is_light_and_steady_and_complains_of_nothing(
    browser: Browser, desk: Demonstration, size: dict[str, int]
) -> None:
    page = browser.new_page(viewport={"width": size["width"], "height": size["height"]})
    page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.add_init_script(WATCH_SHIFTS)
    found: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        refused = "Failed to load resource" in message.text and message.location["url"] == page.url
        if message.type in {"error", "warning"} and not refused:  # a page that says 404 says so
            found.append(f"{page.url}: {message.text}")

    page.on("console", listen)
    page.on("pageerror", lambda error: found.append(f"{page.url}: {error}"))
    for stop in tour(page, desk):
        page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        weight, shifted = page.evaluate(WEIGH), page.evaluate("window.shifted")
        if not 0 < weight <= HEAVIEST:
            found.append(f"{stop.name} weighs {weight} bytes")
        if shifted >= MOST_SHIFT:
            found.append(f"{stop.name} shifts by {shifted}")
    assert found == []
    page.context.close()


def test_every_page_is_gone_through_by_keyboard_with_the_focus_in_sight(
    browser: Browser, desk: Demonstration
) -> None:
    page = browser.new_page(
        viewport={"width": 1280, "height": 900}, bypass_csp=True, reduced_motion="reduce"
    )
    found: list[str] = []
    for stop in tour(page, desk):
        found += [f"{stop.name}: {each}" for each in _not_tabbed(page)]
    assert found == []
    page.context.close()


def _not_tabbed(page: Page) -> list[str]:
    """What Tab does not come to, and what shows no focus when it does."""
    page.evaluate("document.activeElement.blur()")
    count: int = page.evaluate(EXPECT_FOCUS)
    page.locator(".skip, h1").first.evaluate("() => getSelection().removeAllRanges()")
    for _ in range(3 * count + 30):  # parts of a date are stops of their own
        page.keyboard.press("Tab")
        if not page.evaluate("window.unfocused.size"):
            break
    left: Any = page.evaluate(
        "[...[...unfocused].map(each => `not reached: ${named(each)}`),"
        " ...unseen.map(each => `no focus seen: ${each}`)]"
    )
    return list(left)


def test_the_menu_of_a_phone_opens_and_leads_on_by_keyboard(
    browser: Browser, desk: Demonstration
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    sign_in(page, desk)
    page.get_by_role("button", name="Menu").press("Enter")
    page.get_by_role("link", name="Patients", exact=True).press("Enter")
    page.wait_for_url(f"{desk.console}patients")
    page.context.close()


def test_the_tour_goes_to_every_section(browser: Browser, desk: Demonstration) -> None:
    page = browser.new_page()
    sign_in(page, desk)
    paths = page.locator("nav a").evaluate_all("all => all.map(each => each.href)")
    assert {path.removeprefix(desk.console) for path in paths} <= {stop.path for stop in INSIDE}
    assert len({stop.name for stop in STOPS}) == len(STOPS)
    page.context.close()
