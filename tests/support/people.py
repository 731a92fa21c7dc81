"""Patients that tests enrol."""

from __future__ import annotations

from service.enrolment.form import EnrolmentForm

ANA = EnrolmentForm(
    clinic="",
    given_name="Ana",
    series="restless-legs",
    timezone="America/Los_Angeles",
    phone="+15035550142",
    sms_consent="verbal",
    wording="2026-01",
)
"""She gets texts, and is in the first of the clinics."""
