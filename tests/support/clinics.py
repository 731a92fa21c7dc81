"""A clinics file of two clinics, in two time zones."""

from __future__ import annotations

from pathlib import Path

TWO = """
[[clinic]]
id = "riverside"
name = "Riverside Vein Clinic"
phone = "(503) 555-0100"
postal_address = "12 River Street, Portland, OR 97201"
state = "OR"
timezone = "America/Los_Angeles"

[[clinic]]
id = "hillside"
name = "Hillside Clinic"
phone = "(212) 555-0100"
postal_address = "3 Hill Street, New York, NY 10001"
state = "NY"
timezone = "America/New_York"
"""
"""Riverside is in Portland, Hillside in New York."""


def two_clinics(directory: Path) -> Path:
    """The file."""
    path = directory / "clinics.toml"
    path.write_text(TWO, "utf-8")
    return path
