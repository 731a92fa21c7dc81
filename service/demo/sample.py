"""Who the demonstration enrols, and what they do in it. Nobody here is real (555-01XX numbers)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from service.enrolment.form import EnrolmentForm

START: Final = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
"""A Monday; six days later clocks change in most of the United States."""
WORDING: Final = "demo-1"


@dataclass(frozen=True, slots=True)
class SamplePatient:
    """One patient of the demonstration.

    Attributes:
        place: shown beside the name.
    """

    given_name: str
    place: str
    timezone: str
    state: str = ""
    phone: str = ""
    email: str = ""
    series: str = "restless-legs"
    bedtime: str = "22:30"
    language: str = "en"

    def form(self) -> EnrolmentForm:
        """The enrolment form staff would fill in."""
        return EnrolmentForm(
            clinic="",
            given_name=self.given_name,
            phone=self.phone,
            email=self.email,
            language=self.language,
            timezone=self.timezone,
            state=self.state,
            bedtime=self.bedtime,
            series=self.series,
            sms_consent="verbal" if self.phone else "",
            email_consent="verbal" if self.email else "",
            wording=WORDING,
        )


PATIENTS: Final = (
    SamplePatient(
        "Ana", "Portland", "America/Los_Angeles", "OR", "+15035550101", "ana@example.org"
    ),
    SamplePatient(
        "Ben",
        "New York",
        "America/New_York",
        "NY",
        "+12125550102",
        series="sleep-hygiene",
        bedtime="23:15",
    ),
    SamplePatient("Chloé", "Chicago", "America/Chicago", "IL", email="chloe@example.org"),
    SamplePatient("Dev", "Austin", "America/Chicago", "TX", "+15125550104", "dev@example.org"),
    SamplePatient("Eli", "Honolulu", "Pacific/Honolulu", "HI", "+18085550105"),
    SamplePatient("Fay", "Honolulu", "Pacific/Honolulu", "HI", "+18085550105", "fay@example.org"),
    SamplePatient(
        "Gus",
        "Phoenix",
        "America/Phoenix",
        "AZ",
        "+16025550107",
        series="sleep-hygiene",
        bedtime="00:30",
    ),
    SamplePatient("Hana", "Madrid, travelling", "Europe/Madrid", email="hana@example.org"),
    SamplePatient(
        "Inés",
        "Denver",
        "America/Denver",
        "CO",
        "+13035550109",
        "ines@example.org",
        language="es",
    ),
)
"""Eli and Fay share a phone; Gus goes to bed after midnight; Hana is eight time zones from her
clinic; Inés reads Spanish."""

NEWCOMER: Final = SamplePatient(
    "Kim", "text LEGS to join", "America/Los_Angeles", phone="+15035550111"
)
"""Not enrolled; whoever watches can join as her."""

STAFF: Final = SamplePatient(
    "Clinic desk", "where staff are alerted", "America/Los_Angeles", email="desk@riverside.example"
)
"""Whose mailbox stands beside those of the patients."""

REFUSED: Final = SamplePatient(
    "Jules", "Boston", "America/New_York", "MA", "+16175550110", language="fr"
)
"""The library has no French, so his enrolment is refused rather than half in English."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a sample patient does.

    Attributes:
        at: business instant, an hour at which nothing is due.
        who: given name.
        says: what they write; None to press their mailbox's unsubscribe button.
        by_mail: whether they answer their newest mail; else they text.
    """

    at: datetime
    who: str
    says: str | None
    by_mail: bool = False


DEEDS: Final = (
    Deed(START + timedelta(days=5, hours=19), "Eli", "STOP"),
    Deed(START + timedelta(days=7, hours=10), "Dev", "about a 4 this week"),
    Deed(START + timedelta(days=7, hours=11), "Chloé", "May I swim, too?", by_mail=True),
    Deed(START + timedelta(days=8, hours=10), "Hana", None),
    Deed(START + timedelta(days=9, hours=10), "Ana", "my left leg is swollen and hot today"),
)
