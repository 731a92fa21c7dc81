"""The installation's senders, and whether their providers let them send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from service.clinics import Clinic
from service.clock import from_ms
from service.dispatch.senders import Senders
from service.errors import ConfigurationError, InvalidInput
from service.store.rates import Rates
from service.store.records import Channel

Standing = Literal["open", "waiting", "stopped"]


@dataclass(frozen=True, slots=True)
class SenderStanding:
    """How a sender stands.

    Attributes:
        address: number, Messaging Service or mailbox.
        clinics: ids of those that send from it.
        per_second: its rate.
        standing: ``waiting`` where its provider asked for a pause, ``stopped`` where it refuses it.
        since: of a stop; machine time, UTC.
        code: the provider's, of the latest refusal.
        reason: one sentence for staff.
        next_try: when the next message may go.
        sent: messages granted today (UTC), probes not counted.
        filtered: of these, filtered as unwanted.
    """

    address: str
    channel: Channel
    clinics: tuple[str, ...]
    per_second: float
    standing: Standing
    since: datetime | None
    code: str
    reason: str
    next_try: datetime | None
    sent: int
    filtered: int


class SenderList:
    """The use cases behind ``dispatch senders`` and ``dispatch resume``.

    Args:
        channels: those that have a carrier.
    """

    def __init__(
        self,
        rates: Rates,
        senders: Senders,
        clinics: Mapping[str, Clinic],
        channels: Iterable[Channel],
    ) -> None:
        self._rates = rates
        self._known: dict[tuple[Channel, str], tuple[float, list[str]]] = {}
        for channel in channels:
            for clinic in clinics.values():
                try:
                    sender = senders.of(clinic, channel)
                except ConfigurationError:
                    continue  # doctor tells
                place = (channel, sender.address)
                self._known.setdefault(place, (sender.per_second, []))[1].append(clinic.id)

    def all(self) -> list[SenderStanding]:
        """Every sender, texts first.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        return [
            self._standing(channel, address, per_second, clinics)
            for (channel, address), (per_second, clinics) in self._known.items()
        ]

    def stopped(self) -> list[SenderStanding]:
        """Those that their providers refuse."""
        return [sender for sender in self.all() if sender.standing == "stopped"]

    def _standing(
        self, channel: Channel, address: str, per_second: float, clinics: list[str]
    ) -> SenderStanding:
        record = self._rates.record(address)
        standing: Standing = "open" if record.until_ms is None else "waiting"
        if record.stopped_ms is not None:
            standing = "stopped"
        waits = [ms for ms in (record.until_ms, record.probe_ms) if ms is not None]
        return SenderStanding(
            address=address,
            channel=channel,
            clinics=tuple(clinics),
            per_second=per_second,
            standing=standing,
            since=None if record.stopped_ms is None else from_ms(record.stopped_ms),
            code=record.code,
            reason=record.reason,
            next_try=from_ms(max(waits)) if waits else None,
            sent=record.sent,
            filtered=record.filtered,
        )

    def resume(self, address: str, *, source: str) -> bool:
        """Let a stopped sender send again at once; whether it was stopped.

        Args:
            address: as ``all`` tells it.
            source: who resumes it, for the audit.

        Raises:
            InvalidInput: there is no such sender; nothing was changed.
        """
        known = {known.casefold(): known for _, known in self._known}
        found = known.get(address.strip().casefold())
        if found is None:
            told = ", ".join(sorted(known.values())) or "none"
            raise InvalidInput("sender", "sender_unknown", f"No such sender. There are: {told}.")
        return self._rates.resume_by(found, source)
