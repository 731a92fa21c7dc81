"""Who is enrolled in a run: phones, mailboxes, both, and phones that two people share."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from messages.render import Renderer
from schedules.series import load_series
from service.enrolment.form import EnrolmentForm

if TYPE_CHECKING:
    import random

    from tests.chaos.installation import Installation

SERIES: Final = "sleep-hygiene"
STEPS: Final = 15
MAIL_HOURS: Final = (6, 22)
PLACES: Final = (
    ("America/Los_Angeles", "OR", "19:00", (8, 21)),
    ("America/New_York", "FL", "18:30", (8, 20)),
    ("America/Chicago", "", "18:00", (10, 20)),
)
"""Zone, state, bedtime, and the hours in which that state allows texts (47 CFR 64.1200(c)(1), the
vendors' tables that schedules/quiet_hours.toml names, and 10 to 20 where the state is not known).
Several patients have one bedtime, so that many messages are due at once."""
NAMES: Final = ("Ana", "Ben", "Chloe", "Dev", "Eli", "Fay", "Gus", "Hana")
SHARING, BY_MAIL, BY_BOTH = 0.05, 0.25, 0.08
"""Shares of the patients: on the phone of the one before, by e-mail alone, reached both ways."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A patient of a run; addresses are empty where they have none."""

    id: str
    phone: str
    email: str


def enrol(
    installation: Installation,
    draw: random.Random,
    count: int,
    *,
    both: float = BY_BOTH,
    places: int = 3,
) -> list[Enrolled]:
    """Enrol patients, and leave word of who they are and what each step looks like.

    Args:
        installation: where to.
        draw: decides who has which addresses.
        count: how many.
        both: the share that can be reached both ways.
        places: how many of `PLACES` they live in.
    """
    _write_steps(installation)
    people: list[Enrolled] = []
    for number in range(count):
        zone, state, bedtime, hours = PLACES[number % places]
        phone, email = _addresses(draw, number, people[-places:], both)
        form = EnrolmentForm(
            clinic="",
            given_name=f"{NAMES[number % len(NAMES)]} {number}",
            series=SERIES,
            timezone=zone,
            state=state,
            bedtime=bedtime,
            phone=phone,
            email=email,
            sms_consent="verbal" if phone else "",
            email_consent="verbal" if email else "",
            wording="2026-01",
        )
        receipt = installation.core.enrolment.enrol(form, source="test")
        people.append(Enrolled(receipt.patient, phone, email))
        installation.journal.write(
            "roster",
            id=receipt.patient,
            number=int(receipt.subscription.partition(".")[2]),
            phone=phone,
            email=email,
            zone=zone,
            hours={"sms": hours, "email": MAIL_HOURS},
        )
    return people


def _addresses(
    draw: random.Random, number: int, before: list[Enrolled], both: float
) -> tuple[str, str]:
    phone, email = f"+1503{2_000_000 + number:07d}", f"patient{number}@example.org"
    kind = draw.random()
    if kind > 1 - both:
        return phone, email
    if kind < SHARING and before and before[0].phone:
        return before[0].phone, ""
    if kind < SHARING + BY_MAIL:
        return "", email
    return phone, ""


def _write_steps(installation: Installation) -> None:
    """What a far end sees of each step; the texts of a clinic are the same for all its patients."""
    core = installation.core
    renderer, series = Renderer(core.catalog), load_series(SERIES)
    source = Path(__file__).parents[2] / "schedules/series" / f"{SERIES}.v{series.version}.toml"
    steps = tomllib.loads(source.read_text("utf-8"))["step"]
    context = core.composer.context(next(iter(core.clinics.values())), series, "en")
    for index, step in enumerate(steps):
        installation.journal.write(
            "steps",
            index=index,
            message=step["message"],
            kind=step.get("kind", "drip"),
            text=renderer.sms(step["message"], "en", context).text,
            subject=renderer.email(step["message"], "en", context).subject,
        )
