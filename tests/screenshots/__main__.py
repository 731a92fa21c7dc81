"""``make screenshots``: every page of the console, as a clinic sees it after two weeks of the demo.

Writes ``docs/screens/<page>-<desktop|phone>-<light|dark>.png`` and a page that shows them.
"""

# ruff: noqa: T201

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.demonstration import Demonstration, demonstration
from tests.support.tour import STOPS, tour

DOCS = Path(__file__).parents[2] / "docs"
SCREENS = DOCS / "screens"
DAYS = 14
COLOURS = 64
"""Of each picture: pages are flat, and a repository is not for photographs."""
UNSTUCK = ".row.last { position: static !important }"
"""What stays in sight while one scrolls stands at the end of a picture."""
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def main() -> int:
    """Take every picture, and write the page."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        print("This needs a browser: apt-get install chromium", file=sys.stderr)
        return 1
    shutil.rmtree(SCREENS, ignore_errors=True)
    SCREENS.mkdir()
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    with (
        tempfile.TemporaryDirectory(prefix="av-") as folder,
        demonstration(Path(folder), DAYS) as demo,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=program, args=sandbox)
        for size in SIZES:
            for scheme in SCHEMES:
                _pictures(browser, demo, size, scheme)
        browser.close()
    (SCREENS / "README.md").write_text(_page(), "utf-8")
    return 0


def _pictures(
    browser: Browser, demo: Demonstration, size: str, scheme: Literal["light", "dark"]
) -> None:
    width, height = SIZES[size]
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        reduced_motion="reduce",
        bypass_csp=True,  # for a style of a picture's own
    )
    for stop in tour(page, demo):
        name = f"{stop.name}-{size}-{scheme}.png"
        with Image.open(BytesIO(_taken(page))) as taken:
            taken.convert("RGB").quantize(COLOURS).save(SCREENS / name, optimize=True)
        print(name)
    page.close()


def _taken(page: Page) -> bytes:
    """The whole page, also what a browser paints only where somebody looks."""
    for each in page.locator("iframe").all():
        each.scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, 0)")
    return page.screenshot(full_page=True, style=UNSTUCK)


def _page() -> str:
    parts = [
        "# The console's pages",
        "",
        "Taken by `make screenshots` from `aftervisit demo` after two weeks.",
        "",
    ]
    for stop in STOPS:
        parts += [f"## {stop.name.replace('-', ' ').capitalize()}", ""]
        parts += [
            f"![{stop.name}, {size}, {scheme}]({stop.name}-{size}-{scheme}.png)"
            for size in SIZES
            for scheme in SCHEMES
        ]
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
