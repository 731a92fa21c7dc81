"""Every page of the console, in the order in which somebody would look at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.sync_api import Page


@dataclass(frozen=True, slots=True)
class Stop:
    """One page.

    Attributes:
        name: of its picture.
        path: below ``/console/``; where it begins.
        follow: texts of links, or CSS selectors, that lead from there on, one after the other.
    """

    name: str
    path: str
    follow: tuple[str, ...] = ()


STOPS: Final = (
    Stop("today", "today"),
    Stop("patients", "patients"),
    Stop("patient", "patients", ("main table a",)),
    Stop("enrol", "patients/new"),
    Stop("message", "patients", ("main table a", "main a[href$='/message']", "main form button")),
    Stop("move", "patients", ("main table a", "main a[href*='/move/']")),
    Stop("address", "patients", ("main table a", "main a[href$='/address/phone']")),
    Stop("add-series", "patients", ("main table a", "main a[href$='/series']")),
    Stop("stop", "patients", ("main table a", "main a[href$='/stop']")),
    Stop("imports", "imports"),
    Stop("inbox", "inbox"),
    Stop("thread", "inbox", ("main a[href*='inbox/']",)),
    Stop("insight", "insight"),
    Stop("members", "members"),
    Stop("member", "members", ("main table a",)),
    Stop("account", "account"),
)


def sign_in(page: Page, console: str, email: str, password: str) -> None:
    """Sign in by the form, and put off the second step where that is offered."""
    page.goto(console)
    page.fill("input[type=email]", email)
    page.fill("input[type=password]", password)
    page.click("main button")
    page.wait_for_load_state()


def tour(page: Page, console: str) -> Iterator[Stop]:
    """Go to each page in turn; ``console`` is the address of the console, with its slash."""
    for stop in STOPS:
        page.goto(console + stop.path)
        for step in stop.follow:
            page.locator(step).first.click()
            page.wait_for_load_state()
        yield stop
