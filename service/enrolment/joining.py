"""Joining by oneself: asked for by form or by text, and nothing before the address has answered.

By form: a text that asks for a YES, an e-mail with a link to a page with a button. By text: the
clinic's word, and a YES. Until then nobody is a patient, and what was asked for vanishes in a day.
What a form does never depends on whether its addresses are known, suppressed or awaited: it takes
the same steps, and where a limit is reached the last of them comes to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import structlog

from schedules.series import load_series
from service.clinics import Clinic
from service.clock import BusinessClock, from_ms
from service.enrolment.joined import Joined
from service.enrolment.joining_form import JoinForm
from service.enrolment.joining_limits import JoinLimits
from service.enrolment.wordings import Wording
from service.errors import ConfigurationError
from service.store.joins import PENDING_MS, Join, Joins
from service.store.keyring import KeyRing
from service.store.records import Channel
from service.store.responses import Response, Responses
from service.store.suppressions import Suppressions

log = structlog.get_logger(__name__)

LINK: Final = "join"
"""Purpose of the tokens in ``/j/<token>``; they hold a join's id, no address and no name."""
CONFIRM: Final = "join-confirm"
"""The message that asks for the YES, or brings the link."""
VOID_MS: Final = 1_000
"""What is not going to be followed is kept for a second: the step is taken all the same."""
_EXPIRED_S: Final = -1.0

Confirmed = Literal["done", "expired", "closed"]
"""What pressing the button came to; ``closed``: e-mail to that mailbox was stopped meanwhile."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A form that has been checked.

    Attributes:
        form: normalised, see ``joining_form.normalised``.
        wording: the very one that was shown.
        shown_at: when.
        ip: where the form came from.
        once: names this form; sent again, it is the same one.
    """

    clinic: Clinic
    form: JoinForm
    wording: Wording
    shown_at: datetime
    ip: str
    once: str


class Joining:
    """The use case behind the form and the link; ``JoiningByText`` is the one behind the word."""

    def __init__(
        self,
        joins: Joins,
        joined: Joined,
        suppressions: Suppressions,
        responses: Responses,
        limits: JoinLimits,
        clinics: Mapping[str, Clinic],
        keyring: KeyRing,
        business: BusinessClock,
        public_url: str,
    ) -> None:
        self._joins = joins
        self._joined = joined
        self._suppressions = suppressions
        self._responses = responses
        self._limits = limits
        self._clinics = clinics
        self._keyring = keyring
        self._business = business
        self._public_url = public_url

    def ask(self, asked: Asked) -> None:
        """Keep what was asked for, and write to each address to have it confirmed.

        Raises:
            StoreUnavailable: ask again, it is idempotent.
        """
        form = asked.form
        told: dict[Channel, str] = {"sms": form.phone, "email": form.email}
        digests = {c: self._suppressions.digest(c, told[c]) for c in form.channels}
        let_through = self._limits.let_through(asked.ip, asked.clinic.id, digests)
        first = form.channels[0]
        once = asked.once if any(let_through.values()) else f"void:{asked.once}"
        join = Join(self._joins.name(digests[first], once), _told(asked))
        self._joins.keep(
            join,
            digests[first],
            by_reply=let_through.get("sms", False),
            for_ms=PENDING_MS if any(let_through.values()) else VOID_MS,
        )
        for channel in form.channels:
            self._write(join, asked.clinic, channel, told[channel], void=not let_through[channel])
        log.info("join_asked", join=join.id, let_through=all(let_through.values()))

    def _write(self, join: Join, clinic: Clinic, channel: Channel, to: str, *, void: bool) -> None:
        """Queue the message that asks for confirmation; a void one expires before it is sent."""
        language = join.asked["language"]
        words = load_series(join.asked["series"]).words(language)
        token = self._keyring.seal_token(LINK, join.id.encode())
        self._responses.queue(
            Response(
                channel=channel,
                to=to,
                clinic=clinic.id,
                message=CONFIRM,
                language=language,
                values={"link": f"{self._public_url}/j/{token}", "frequency": words.frequency},
                once="join:void" if void else f"join:{join.id}:{channel}",
                expires_s=_EXPIRED_S if void else 900.0,
            )
        )

    def linked(self, token: str) -> Join | None:
        """The join that a link in an e-mail is for; None where it has expired. Changes nothing.

        Raises:
            InvalidToken: it is no link of ours.
            StoreUnavailable: the store does not answer.
        """
        identifier = self._keyring.open_token(LINK, token).decode()
        found = self._joins.find(identifier)
        return found if found is not None and found.asked["email"] else None

    def confirm_by_link(self, token: str, ip: str) -> tuple[Confirmed, Join | None]:
        """The mailbox has proven itself: enrol it; pressed again, it changes nothing.

        Args:
            token: of the link.
            ip: where the button was pressed, for the evidence.

        Raises:
            InvalidToken: it is no link of ours.
            StoreUnavailable: ask again.
        """
        join = self.linked(token)
        if join is None:
            return "expired", None
        digest = self._suppressions.digest("email", join.asked["email"])
        if "email" not in join.enrolled and self._suppressions.stand(digest).reasons:
            return "closed", join
        at = from_ms(self._business.now_ms()).isoformat()
        proven = self._joins.prove(join, "email", evidence(join, f"link from {ip}", at))
        if proven is None:
            return "expired", None
        self._joined.carry_out(proven)
        log.info("join_confirmed", join=join.id, channel="email")
        return "done", proven

    def clinic(self, join: Join) -> Clinic:
        """The clinic that somebody asked to join.

        Raises:
            ConfigurationError: it has left the clinics file.
        """
        clinic = self._clinics.get(join.asked["clinic"])
        if clinic is None:
            raise ConfigurationError("A clinic that is being joined is not in the clinics file.")
        return clinic


def evidence(join: Join, confirmed: str, at: str) -> dict[str, str]:
    """What is kept with a consent of a join; names from ``patients.EVIDENCE``."""
    return {
        "at": at,
        "shown_at": join.asked["shown_at"],
        "ip": join.asked["ip"],
        "confirmed": confirmed,
        "join": join.id,
    }


def _told(asked: Asked) -> dict[str, str]:
    return {
        **asked.form.fields(),
        "clinic": asked.clinic.id,
        "method": "web",
        "wording": asked.wording.name,
        "shown_at": asked.shown_at.isoformat(),
        "ip": asked.ip,
    }
