"""A real Chromium, and a demonstration for it to look at."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.polling import until
from tests.support.servers import data_dir_for_embedded
from tests.support.system import COMMAND

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
def demo_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the phones and mailboxes of a demonstration whose two days are over."""
    directory = tmp_path_factory.mktemp("demo")
    log = directory / "stderr.log"
    environment = {key: value for key, value in os.environ.items() if "AFTERVISIT" not in key}
    environment["AFTERVISIT_DATA_DIR"] = str(directory)
    with data_dir_for_embedded(directory / "demo"), log.open("wb") as errors:
        process = subprocess.Popen(
            [COMMAND, "demo", "--days", "2"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            yield until(lambda: _finished(process, log), "the two days pass", limit_s=90)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(40)
            finally:
                process.kill()
                process.wait()


def _finished(process: subprocess.Popen[bytes], log: Path) -> str:
    assert process.poll() is None, log.read_text()
    words = log.read_text().split()
    return next((w for w in words if w.startswith("http://")), "") if "over;" in words else ""


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA on a page."""
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    page.evaluate(axe)
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", rules)
    return [
        f"{rule['id']}: {rule['help']} ({', '.join(str(n['target']) for n in rule['nodes'])})"
        for rule in found["violations"]
    ]
