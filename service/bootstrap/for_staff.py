"""The use cases of clinic staff, built lazily on an open store."""

from __future__ import annotations

from service.bootstrap.for_patients import ForPatients


class ForStaff(ForPatients):
    """What the console and the commands of staff do beyond one patient's details."""
