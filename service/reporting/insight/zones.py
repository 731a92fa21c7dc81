"""Which clock the days of a clinic's figures go by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo

from schedules.calendar import zone_of
from service.clinics import Clinic


def zones_of(clinics: Mapping[str, Clinic]) -> Callable[[str], tzinfo]:
    """Each clinic's own zone by its id; UTC where the clinics file gives none, or has left it."""

    def zone(clinic: str) -> tzinfo:
        known = clinics.get(clinic)
        return zone_of(known.timezone) if known is not None and known.timezone else UTC

    return zone
