"""One member of staff, as everything else sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from service.accounts.roles import RIGHTS, Right, Role

LANGUAGES: Final = ("en", "es")
"""Those of the console."""
SOURCE: Final = "staff:"
"""What a member's source in the audit begins with; the member's id follows."""

Standing = Literal["invited", "active", "disabled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Encrypted at rest; never logged but for the id.

    Attributes:
        id: 12 letters and digits, for ever the same.
        email: normalised; nobody else has it.
        clinics: ids of those whose patients they see; empty: every clinic's.
        language: one of ``LANGUAGES``.
        standing: ``invited`` until they have set a password; who is ``disabled`` cannot sign in.
        second_factor: whether a second factor is set up.
        signed_in_ms: when they last signed in, business ms UTC; None: never.
    """

    id: str
    email: str
    name: str
    role: Role
    clinics: tuple[str, ...] = ()
    language: str = "en"
    standing: Standing = "active"
    second_factor: bool = False
    signed_in_ms: int | None = None

    @property
    def source(self) -> str:
        """How the audit names what they do."""
        return f"{SOURCE}{self.id}"

    def may(self, right: Right) -> bool:
        """Whether their role has a right; none is left to who cannot sign in."""
        return self.standing == "active" and right in RIGHTS[self.role]

    def sees(self, clinic: str) -> bool:
        """Whether patients and tasks of a clinic (its id) exist for them."""
        return not self.clinics or clinic in self.clinics

    def oversees(self, clinics: tuple[str, ...]) -> bool:
        """Whether these clinics (their ids; none: every clinic) are all among those they see."""
        return not self.clinics or (bool(clinics) and set(clinics) <= set(self.clinics))
