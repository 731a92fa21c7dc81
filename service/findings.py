"""What a check found, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; holds no secret and no patient data.

    Attributes:
        name: stable words for what was checked (``store: eviction``).
        status: ``problem`` keeps the service, or a promise of it, from working.
        detail: one sentence with what was found.
        remedy: one sentence with what to do; None where nothing is to be done.
    """

    name: str
    status: Status
    detail: str
    remedy: str | None = None
