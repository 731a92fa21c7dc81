"""Every page of the console, in the order in which somebody would look at them.

Nothing on the way changes a patient, a member or what is sent, so it can be walked again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.support.patient_files import patient, text

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

    from tests.support.demonstration import Demonstration


@dataclass(frozen=True, slots=True)
class Typed:
    """Something to fill in, or to choose from a list."""

    field: str
    words: str


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file of a few rows to choose."""

    field: str
    rows: str


@dataclass(frozen=True, slots=True)
class Stop:
    """One page.

    Attributes:
        name: of its picture.
        path: below ``/console/``; where it begins.
        follow: what leads from there on, one after the other: a CSS selector of what is pressed,
            or what is typed or chosen before.
        after: name of an earlier stop at whose address this one begins instead.
        until: selector of what has to come, where a page is not whole at once.
    """

    name: str
    path: str = ""
    follow: tuple[str | Typed | Uploaded, ...] = ()
    after: str = ""
    until: str = ""


OUTSIDE: Final = (
    Stop("sign-in", "sign-in"),
    Stop(
        "sign-in-refused",
        "sign-in",
        (
            Typed("#email", "nobody@clinic.example"),
            Typed("#password", "no password of theirs"),
            "main button",
        ),
    ),
    Stop("forgotten", "forgotten"),
    Stop("link-dead", "reset/none"),
)
"""What is seen before somebody has signed in."""

_ROWS: Final = text(patient(1), patient(2), patient(3, phone="4.155551E+10"), patient(1))
"""One of them as a spreadsheet spoils a number, one of them twice."""
_ANA: Final = (Typed("#query", "Ana"), "main [role=search] button")

INSIDE: Final = (
    Stop("today", "today"),
    Stop("deliveries", "today/deliveries"),
    Stop("patients", "patients"),
    Stop("patients-found", "patients", _ANA),
    Stop("patient", "patients", (*_ANA, "main table th a")),
    Stop("patient-message", after="patient", follow=("main a[href$='/message']",)),
    Stop(
        "patient-message-seen", after="patient-message", follow=("main form[action$=see] button",)
    ),
    Stop("patient-add-series", after="patient", follow=("main a[href$='/series']",)),
    Stop(
        "patient-series-seen",
        after="patient-add-series",
        follow=(Typed("#series", "sleep-hygiene"), "main form button"),
    ),
    Stop("patient-phone", after="patient", follow=("main a[href$='/address/phone']",)),
    Stop("patient-phone-wrong", after="patient-phone", follow=("main form button",)),
    Stop("patient-email", after="patient", follow=("main a[href$='/address/email']",)),
    Stop("patient-details", after="patient", follow=("main a[href$='/details']",)),
    Stop("patient-pause", after="patient", follow=("main a[href*='/pause/']",)),
    Stop("patient-move", after="patient", follow=("main a[href*='/move/']",)),
    Stop(
        "patient-move-seen",
        after="patient-move",
        follow=(Typed("#start", "2026-03-20"), "main form button"),
    ),
    Stop("patient-stop", after="patient", follow=("main a[href$='/stop']",)),
    Stop("patient-erase", after="patient", follow=("main a[href$='/erase']",)),
    Stop("enrol", "patients/new"),
    Stop("enrol-wrong", "patients/new", (Typed("#phone", "12"), "main form button")),
    Stop(
        "enrol-check",
        "patients/new",
        (
            Typed("#given_name", "Cora"),
            Typed("#email", "cora@example.org"),
            Typed("#email_consent", "verbal"),
            "main form button",
        ),
    ),
    Stop(
        "imports-wrong",
        "imports",
        (Uploaded("#file", "no header\r\n1\r\n"), Typed("#method", "written"), "main form button"),
    ),
    Stop(
        "import",
        "imports",
        (Uploaded("#file", _ROWS), Typed("#method", "written"), "main form button"),
    ),
    Stop("inbox", "inbox"),
    Stop("thread", "inbox", ("main table th a",)),
    Stop(
        "answer",
        after="thread",
        follow=(Typed("#words", "Come by at 3."), "[action$=check] button"),
    ),
    Stop("correction", after="thread", follow=("main a[href*='/replies/']",)),
    Stop("imports", "imports"),
    Stop("library", "library"),
    Stop("library-message", "library", ("main table th a",)),
    Stop("library-message-spanish", after="library-message", follow=("main .tabs [lang=es]",)),
    Stop("series", "series"),
    Stop("series-calendar", "series", ("main table a",)),
    Stop("series-difference", "series", ("main table a[href*=difference]",)),
    Stop("series-move", "series/moves/new"),
    Stop(
        "series-move-dry",
        after="series-move",
        follow=("main form button",),
        until="#state .badge.good",
    ),
    Stop("insight", "insight"),
    Stop("audit", "audit"),
    Stop("audit-filtered", "audit", (Typed("#kind", "consent"), "main .filters button")),
    Stop("members", "members"),
    Stop("member-new", "members/new"),
    Stop("member", "members", ("main table th a",)),
    Stop("account", "account"),
    Stop("account-password", "account/password"),
    Stop("account-factor", "account/second-factor"),
    Stop("missing", "nowhere"),
)
"""What is seen by who has signed in."""

STOPS: Final = (*OUTSIDE, *INSIDE)


def sign_in(page: Page, demo: Demonstration) -> None:
    """Sign in by the form."""
    page.goto(demo.console)
    page.fill("input[type=email]", demo.email)
    page.fill("input[type=password]", demo.password)
    page.click("main button")
    page.wait_for_url(f"{demo.console}today")


def tour(page: Page, demo: Demonstration) -> Iterator[Stop]:
    """Go to each page in turn, and sign in between those outside and those inside."""
    seen: dict[str, str] = {}
    for stop in OUTSIDE:
        _walk(page, demo, stop, seen)
        yield stop
    sign_in(page, demo)
    for stop in INSIDE:
        _walk(page, demo, stop, seen)
        yield stop


def _walk(page: Page, demo: Demonstration, stop: Stop, seen: dict[str, str]) -> None:
    page.goto(seen[stop.after] if stop.after else demo.console + stop.path)
    for step in stop.follow:
        if isinstance(step, str):
            with page.expect_navigation():
                page.locator(step).first.click()
        elif isinstance(step, Uploaded):
            file: FilePayload = {
                "name": "march.csv",
                "mimeType": "text/csv",
                "buffer": step.rows.encode(),
            }
            page.set_input_files(step.field, file)
        elif page.locator(step.field).evaluate("each => each.localName") == "select":
            page.select_option(step.field, step.words)
        else:
            page.fill(step.field, step.words)
    if stop.until:
        page.locator(stop.until).first.wait_for()
    seen[stop.name] = page.url
