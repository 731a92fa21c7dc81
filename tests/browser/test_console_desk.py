"""Today and the inbox of the console, in a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from service.accounts.roles import Role
from service.inbox.receive import InboundText
from service.store.keys import LAST_TICK
from service.store.tasks import TaskState
from service.web.console.access import cookie_name
from tests.browser.conftest import violations
from tests.support.console import signed_in
from tests.support.web import SENDER, Site, new_sid, site

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
URGENT = "since this morning my left leg is swollen and hot"
_numbers = count(1)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that is reached by plain http on this machine."""
    with site(tmp_path_factory.mktemp("web"), public_url=None) as running:
        running.core.client.set(LAST_TICK, running.core.machine.now_ms())
        yield running


def entered(
    browser: Browser,
    web: Site,
    *,
    language: str = "en",
    size: ViewportSize = DESKTOP,
    scheme: str = "light",
    scripts: bool = True,
) -> BrowserContext:
    """A browser in which a member of staff has signed in."""
    desk = signed_in(web, Role.STAFF, language=language)
    context = browser.new_context(
        viewport=size,
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=scripts,
        bypass_csp=scripts,  # for axe, which is not ours
    )
    context.add_cookies([{"name": cookie_name(web.core), "value": desk.token, "url": web.url}])
    return context


def wrote(web: Site, *bodies: str) -> str:
    """Somebody who has written; the address of their thread."""
    number = next(_numbers)
    phone = f"+1503555{number:04d}"
    web.enrol(f"Ana{number}", phone=phone)
    for body in bodies:
        web.core.inbox.receive(InboundText(new_sid(), phone, SENDER, body))
    return web.core.suppressions.digest("sms", phone)


def shot(page: Page, name: str) -> None:
    """A picture, where somebody asks for them."""
    if directory := os.environ.get("AFTERVISIT_SHOTS"):
        page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_keeps_wcag_aa_and_scrolls_one_way_only(
    browser: Browser, web: Site, size: ViewportSize, scheme: str, language: str
) -> None:
    thread = wrote(web, "what about magnesium and a word that is " + "long" * 30, URGENT, "7")
    left = wrote(web, "please stop texting me")
    replies = [each.id for each in web.core.inbox_cases.threads.open(thread, ()).replies]
    context = entered(browser, web, language=language, size=size, scheme=scheme)
    page = context.new_page()

    def look(name: str) -> None:
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        shot(page, f"{name}-{language}-{scheme}-{size['width']}")
        assert violations(page) == [], name
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth"), name

    paths = {
        "today": "today",
        "deliveries": "today/deliveries",
        "inbox": "inbox",
        "thread": f"inbox/{thread}",
        "left": f"inbox/{left}",
        "correction": f"inbox/{thread}/replies/{replies[0]}",
    }
    for name, path in paths.items():
        page.goto(f"{web.url}/console/{path}")
        look(name)
    page.goto(f"{web.url}/console/inbox/{thread}")
    page.locator("#words").fill("It is about your restless legs.")
    page.locator("form[action$=check] button").click()
    look("answer")
    context.close()


def test_a_nurse_takes_and_answers_an_escalation_by_keyboard_without_javascript(
    browser: Browser, web: Site
) -> None:
    thread = wrote(web, URGENT)
    (task,) = web.core.inbox_cases.threads.open(thread, ()).tasks
    context = entered(browser, web, scripts=False)
    page = context.new_page()
    page.goto(f"{web.url}/console/today")
    row = page.locator(f"#task-{task.id}")
    row.get_by_role("button", name="I see to it").press("Enter")
    expect(page.get_by_role("status").first).to_have_text("The task is yours.")
    row.get_by_role("link").press("Enter")
    page.get_by_label("Your answer").focus()
    page.keyboard.type("Please go to the hospital now. We have told them.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your answer")
    page.get_by_label("Close what waits").check()
    page.get_by_role("button", name="Send it").press("Enter")
    expect(page.get_by_text("Your answer is on its way.")).to_be_visible()
    expect(page.get_by_text("Please go to the hospital now.")).to_be_visible()
    assert web.core.tasks.find(task.id).state is TaskState.CLOSED
    context.close()


def test_what_renews_itself_moves_nothing_and_keeps_the_focus(browser: Browser, web: Site) -> None:
    wrote(web, URGENT)
    context = entered(browser, web)
    page = context.new_page()
    page.clock.install()
    page.goto(f"{web.url}/console/today")
    button = page.get_by_role("button", name="Close").first
    button.focus()
    before = button.bounding_box()
    wrote(web, URGENT)
    with page.expect_response(lambda answer: "seen=" in answer.url):
        page.clock.run_for(31_000)
    expect(page.get_by_text("Something has changed in these lists.")).to_be_visible()
    assert button.bounding_box() == before
    expect(button).to_be_focused()
    page.get_by_role("link", name="Show it").click()
    expect(page.get_by_text("Something has changed in these lists.")).to_be_hidden()
    context.close()


def test_the_policy_of_the_pages_lets_all_of_them_work(browser: Browser, web: Site) -> None:
    thread = wrote(web, URGENT)
    desk = signed_in(web, Role.STAFF)
    context = browser.new_context()
    context.add_cookies([{"name": cookie_name(web.core), "value": desk.token, "url": web.url}])
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    for path in ("today", "today/deliveries", "inbox", f"inbox/{thread}"):
        page.goto(f"{web.url}/console/{path}")
    assert told == []
    context.close()
