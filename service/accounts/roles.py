"""What a member of staff may do, by role."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Role(StrEnum):
    """What a member of staff is in the console; one each."""

    VIEWER = "viewer"
    STAFF = "staff"
    AUTHOR = "author"
    ADMIN = "admin"


class Right(StrEnum):
    """What a page or a form of the console asks for."""

    SEE_PATIENTS = "see_patients"
    CHANGE_PATIENTS = "change_patients"
    SEE_CONTENT = "see_content"
    CHANGE_SERIES = "change_series"
    SEE_INSIGHT = "see_insight"
    SEE_AUDIT = "see_audit"
    ADMINISTER = "administer"


_VIEWER: Final = frozenset({Right.SEE_PATIENTS, Right.SEE_CONTENT, Right.SEE_INSIGHT})

RIGHTS: Final[Mapping[Role, frozenset[Right]]] = MappingProxyType(
    {
        Role.VIEWER: _VIEWER,
        Role.STAFF: _VIEWER | {Right.CHANGE_PATIENTS},
        # Who writes the messages has no need to know who gets them.
        Role.AUTHOR: frozenset({Right.SEE_CONTENT, Right.CHANGE_SERIES, Right.SEE_INSIGHT}),
        Role.ADMIN: frozenset(Right),
    }
)
"""Role -> what it may."""
