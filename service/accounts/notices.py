"""E-mails to members of staff about their accounts, by the way that alerts to staff go.

They stand outside of what patients get: nobody's suppression is asked, and none is listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from service.accounts.links import Purpose
from service.accounts.members import Member
from service.clinics import Clinic
from service.store.keys import RandomBytes, letters
from service.store.responses import Response, Responses

About = Literal["staff-invite", "staff-reset", "staff-locked", "staff-changed"]
"""Messages of the library."""
WAIT_S: Final = 3600.0
"""How long one may wait for a mail server that is away, machine seconds."""
PATHS: Final[Mapping[Purpose, str]] = {
    "invite": "/console/invitation/",
    "reset": "/console/reset/",
}
"""Where links are opened; their tokens follow."""


class Notices:
    """Queues them.

    Args:
        base: of the links, such as ``https://drip.clinic.example``.
        mails: whether e-mail is set up at all.
    """

    def __init__(
        self,
        responses: Responses,
        clinics: Mapping[str, Clinic],
        random: RandomBytes,
        *,
        base: str,
        mails: bool,
    ) -> None:
        self._responses = responses
        self._clinics = clinics
        self._random = random
        self._base = base
        self.mails = mails

    def link(self, token: str, purpose: Purpose) -> str:
        """The whole address that a link's token is opened at."""
        return f"{self._base}{PATHS[purpose]}{token}"

    def send(self, member: Member, about: About, *, link: str = "") -> bool:
        """Queue an e-mail to a member; False where e-mail is not set up.

        Raises:
            StoreUnavailable: it may not be queued.
        """
        if not self.mails:
            return False
        known = [clinic for clinic in member.clinics if clinic in self._clinics]
        return self._responses.queue(
            Response(
                channel="email",
                to=member.email,
                clinic=known[0] if known else next(iter(self._clinics)),
                message=about,
                language=member.language,
                once=f"{about}:{member.id}:{letters(self._random(16))}",
                values={"link": link} if link else {},
                alert=True,
                expires_s=WAIT_S,
            )
        )
