"""A real Chromium, and a demonstration for it to look at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.resources import files

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.demonstration import Demonstration, demonstration

QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; without one a test is skipped, or fails where CI is set.

    For a module, not longer: Playwright keeps an event loop running in the test's thread, and
    other modules' tests run loops of their own.
    """
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        reason = "this test needs a browser (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    sandbox = [] if os.geteuid() else ["--no-sandbox"]  # root has no user namespace to put it in
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=[*QUIET, *sandbox])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """A demonstration whose two days are over."""
    with demonstration(tmp_path_factory.mktemp("demo"), days=2) as running:
        yield running


@pytest.fixture
def demo_page(demo: Demonstration) -> str:
    """URL of the phones and mailboxes of a demonstration whose two days are over."""
    return demo.page


def examined(
    browser: Browser, size: dict[str, int], scheme: str, language: str | None = None
) -> Page:
    """A page that axe may be run in: our own policy would keep its script out."""
    return browser.new_page(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if scheme == "dark" else "light",
        locale=language,
        bypass_csp=True,
    )


def violations(page: Page, *only: str) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA on a page; ``only``: by these rules of its alone."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", list(only) or tags)
    return [
        f"{rule['id']}: {rule['help']} ({', '.join(str(n['target']) for n in rule['nodes'])})"
        for rule in found["violations"]
    ]
