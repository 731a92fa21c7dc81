"""``make screenshots``: every page of the console, as a clinic sees it after two weeks of the demo.

Writes ``docs/screens/<page>-<desktop|phone>-<light|dark>.png`` and a page that shows them.
"""

# ruff: noqa: T201

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.support.polling import until
from tests.support.system import COMMAND
from tests.support.tour import STOPS, sign_in, tour

DOCS = Path(__file__).parents[2] / "docs"
SCREENS = DOCS / "screens"
DAYS = 14
COLOURS = 64
"""Of each picture: pages are flat, and a repository is not for photographs."""
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_SIGN_IN = re.compile(r"console: (\S+) as (\S+), (\S+)")


@dataclass(frozen=True)
class Demonstration:
    """A demonstration whose days are over, and who may sign in there."""

    console: str
    email: str
    password: str


@contextmanager
def demonstration(directory: Path, days: int = DAYS) -> Iterator[Demonstration]:
    """Run one until its days are over, and keep it at rest."""
    log = directory / "stderr.log"
    environment = {key: value for key, value in os.environ.items() if "AFTERVISIT" not in key}
    environment["AFTERVISIT_DATA_DIR"] = str(directory)
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [COMMAND, "demo", "--days", str(days)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    try:
        until(lambda: "over;" in log.read_text(), f"the {days} days pass", limit_s=180)
        found = _SIGN_IN.search(log.read_text())
        assert found is not None, log.read_text()
        yield Demonstration(*found.groups())
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(40)
        finally:
            process.kill()
            process.wait()


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
        demonstration(Path(folder)) as demo,
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
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    sign_in(page, demo.console, demo.email, demo.password)
    for stop in tour(page, demo.console):
        name = f"{stop.name}-{size}-{scheme}.png"
        with Image.open(BytesIO(page.screenshot(full_page=True))) as taken:
            taken.convert("RGB").quantize(COLOURS).save(SCREENS / name, optimize=True)
        print(name)
    page.close()


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
