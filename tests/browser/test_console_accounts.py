"""The way into the console and one's own account, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, Page, expect

from service.accounts.roles import Role
from tests.browser.conftest import examined, violations
from tests.support.accounts import GOOD, add_member, add_second_factor, code_of
from tests.support.web import Site, site

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
NEW = "seven copper umbrellas"
FIRST = re.compile(r"/console/today$")
"""The first section of most members."""
_numbers = count(1)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that is reached by plain http on this machine, where no e-mail is set up."""
    with site(tmp_path_factory.mktemp("web"), public_url=None) as running:
        yield running


def invited(web: Site, role: Role = Role.ADMIN, language: str = "en") -> str:
    """Where somebody who was invited chooses a password."""
    sent = web.core.invitations.invite(
        email=f"eva{next(_numbers)}@riverside.example",
        name="Eva Moss",
        role=role,
        language=language,
        source="test",
    )
    return f"{web.url}/console/invitation/{sent.link.rpartition('/')[2]}"


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_keeps_wcag_aa_and_scrolls_one_way_only(
    browser: Browser, web: Site, size: dict[str, int], scheme: str, language: str
) -> None:
    page = examined(browser, size, scheme, language)

    def look(path: str = "") -> None:
        if path:
            page.goto(f"{web.url}/console/{path}")
        assert page.evaluate("document.documentElement.lang") == language
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert violations(page) == [], page.url
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")

    for path in ("sign-in", "forgotten", "reset/none"):
        look(path)
    page.goto(invited(web, language=language))
    look()
    page.locator("input[type=password]").fill(NEW)
    page.locator("main button").click()
    for path in ("account", "account/password", "account/second-factor", "account/codes"):
        look(path)
    member = add_member(web.core, f"ben{next(_numbers)}@riverside.example", name="Ben Birch")
    add_second_factor(web.core, member)
    for path in ("members", "members/new", f"members/{member.id}", "account/second-factor/remove"):
        look(path)
    page.close()


def test_all_of_it_works_without_javascript_and_by_keyboard(browser: Browser, web: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(invited(web))
    page.get_by_label("New password").focus()
    page.keyboard.type(NEW)
    page.keyboard.press("Enter")
    expect(page).to_have_url(FIRST)
    page.goto(f"{web.url}/console/account")
    page.get_by_role("link", name="Set up a second step").press("Enter")
    page.get_by_text("Or type this key into it").press("Enter")
    secret = page.locator("details code").inner_text().replace(" ", "")
    page.get_by_label("Code", exact=True).fill(code_of(web.core, secret))
    page.get_by_label("Your password as it is now").fill(NEW)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    codes = page.locator(".codes code").all_inner_texts()
    page.get_by_role("link", name="I have kept them").press("Enter")
    expect(page.get_by_text("Recovery codes left: 10")).to_be_visible()
    email = page.locator("dd").first.inner_text()
    page.get_by_role("button", name="Sign out everywhere").press("Enter")
    expect(page.get_by_text("You have signed out.")).to_be_visible()
    _sign_in(page, email, NEW)
    page.get_by_label("Code").fill(codes[0])
    page.keyboard.press("Enter")
    expect(page).to_have_url(FIRST)
    page.goto(f"{web.url}/console/account")
    expect(page.get_by_text("Recovery codes left: 9")).to_be_visible()
    context.close()


def _sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def test_the_policy_of_the_pages_lets_all_of_them_work(browser: Browser, web: Site) -> None:
    page = browser.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    member = add_member(web.core, f"ana{next(_numbers)}@riverside.example", Role.ADMIN)
    page.goto(f"{web.url}/console/members")
    _sign_in(page, member.email, GOOD)
    expect(page).to_have_url(f"{web.url}/console/members")
    for path in ("account", "account/second-factor", "members/new", f"members/{member.id}"):
        page.goto(f"{web.url}/console/{path}")
    assert told == []
    page.close()


def test_a_session_that_is_over_leads_back_after_signing_in(browser: Browser, web: Site) -> None:
    page = browser.new_page()
    member = add_member(web.core, f"ana{next(_numbers)}@riverside.example")
    page.goto(f"{web.url}/console/account")
    _sign_in(page, member.email, GOOD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    web.core.sessions.end_all(member.id)
    page.get_by_role("link", name="Change your password").click()
    expect(page).to_have_url(f"{web.url}/console/sign-in?to=account/password")
    _sign_in(page, member.email, GOOD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Change your password")
    page.close()
