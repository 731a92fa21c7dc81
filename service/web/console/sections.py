"""The sections of the console, in the order of its navigation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from service.accounts.members import Member
from service.accounts.roles import Right


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the navigation.

    Attributes:
        name: its key in the words of ``console_frame``.
        path: below ``/console/``.
        right: what a member must have to see it.
    """

    name: str
    path: str
    right: Right


SECTIONS: Final = (
    Section("today", "today", Right.SEE_PATIENTS),
    Section("patients", "patients", Right.SEE_PATIENTS),
    Section("imports", "imports", Right.CHANGE_PATIENTS),
    Section("inbox", "inbox", Right.SEE_PATIENTS),
    Section("library", "library", Right.SEE_CONTENT),
    Section("series", "series", Right.SEE_CONTENT),
    Section("insight", "insight", Right.SEE_INSIGHT),
    Section("audit", "audit", Right.SEE_AUDIT),
    Section("members", "members", Right.ADMINISTER),
)


def sections_of(member: Member) -> tuple[Section, ...]:
    """Those that a member may see."""
    return tuple(section for section in SECTIONS if member.may(section.right))
