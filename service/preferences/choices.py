"""What patients decide on their page beside their details: channels, one series, erasure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from service.errors import InvalidInput
from service.preferences.overview import ONE_CLICK
from service.store.patients import Patients
from service.store.records import Channel
from service.store.suppressions import Suppressions
from service.store.tasks import TaskKind, Tasks

SOURCE: Final = "page"
"""Who did it, for the audit and the ledger."""
REASONS: Final[Mapping[Channel, str]] = {"sms": "stop", "email": ONE_CLICK}
"""As if the patient had texted STOP, or had used the link that ends e-mail: so a START restores the
one, and the leave page the other."""


class Choices:
    """The use cases behind the buttons of the page."""

    def __init__(self, patients: Patients, suppressions: Suppressions, tasks: Tasks) -> None:
        self._patients = patients
        self._suppressions = suppressions
        self._tasks = tasks

    def stop(self, identifier: str, channel: Channel) -> None:
        """Stop a channel to the patient's address, for everybody who shares it; durably.

        Raises:
            InvalidInput: the patient has no such address.
            NotFound: there is no such patient.
        """
        digest = self._digest(identifier, channel)
        self._suppressions.suppress(
            channel, digest, reason=REASONS[channel], source=SOURCE, own=True
        )

    def undo(self, identifier: str, channel: Channel) -> bool:
        """Take back what `stop` did to a channel; whether it reaches the patient again.

        Texts are not taken back here: the provider has its own list, which only a START from the
        phone itself changes.

        Raises:
            InvalidInput: it is texts, or the patient has no such address.
            NotFound: there is no such patient.
        """
        if channel == "sms":
            raise InvalidInput("channel", "text_start", "Texts come back by texting START.")
        digest = self._digest(identifier, channel)
        self._suppressions.lift(channel, digest, source=SOURCE, lifts=(REASONS[channel],))
        return channel in self._patients.load(identifier).reachable()

    def ask_for_erasure(self, identifier: str) -> None:
        """Have staff erase the patient; asked again, it is the same request.

        Raises:
            NotFound: there is no such patient.
            StoreUnavailable: staff may not see it; ask again.
        """
        patient = self._patients.contact(self._patients.load(identifier))
        channel: Channel = "sms" if patient.phone else "email"
        self._tasks.open(
            TaskKind.ERASURE,
            self._digest(identifier, channel),
            clinic=patient.clinic,
            patients=[identifier],
            once=f"erasure:{identifier}",
            content={"given_name": patient.given_name, "via": SOURCE},
            source=SOURCE,
        )

    def _digest(self, identifier: str, channel: Channel) -> str:
        address = self._patients.contact(self._patients.load(identifier)).address(channel)
        if address is None:
            raise InvalidInput("channel", "address_missing", "There is no such address on record.")
        return self._suppressions.digest(channel, address)
