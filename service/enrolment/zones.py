"""The time zones that a person may choose from, by the country of their clinic."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

COMMON: Final[dict[str, tuple[str, ...]]] = {
    "US": (
        "America/New_York",
        "America/Chicago",
        "America/Denver",
        "America/Phoenix",
        "America/Los_Angeles",
        "America/Anchorage",
        "Pacific/Honolulu",
    )
}
"""Those in which most people of a country live; the others stand behind them."""


@cache
def zones_of(country: str) -> tuple[str, ...]:
    """The zones of a country without its common ones; all there are where a country has none.

    Args:
        country: ISO 3166, two letters.
    """
    table = files("tzdata").joinpath("zoneinfo/zone.tab").read_text("utf-8")
    rows = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    own = sorted(row[2] for row in rows if row[0] == country)
    found = own or sorted(row[2] for row in rows)
    return tuple(zone for zone in found if zone not in COMMON.get(country, ()))


def place(zone: str) -> str:
    """A zone as its place is known: ``Knox, Indiana``."""
    parts = zone.replace("_", " ").split("/")[1:] or [zone]
    return ", ".join(reversed(parts))
