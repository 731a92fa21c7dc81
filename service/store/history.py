"""What became of a delivery, as kept in a patient's history: one packed text each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """What became of one delivery.

    Attributes:
        subscription: number within the patient.
        index: step of the series.
        state: one-letter code of ``schedules.delivery.State``.
        channel: empty where none was chosen.
        due_ms: when it was planned, ms UTC (business).
        at_ms: when it ended, ms UTC (business).
        reason: a word of ours (``schedules.reasons`` or the carrier's), never free text.
        code: the provider's code.
    """

    subscription: int
    index: int
    state: str
    message: str
    channel: str
    due_ms: int
    at_ms: int
    attempts: int
    reason: str = ""
    code: str = ""
    provider_id: str = ""

    @property
    def field(self) -> str:
        """Field of the history hash: one entry a delivery, however often it is written."""
        return f"{self.subscription}.{self.index}"

    def rest(self) -> str:
        """All but the state, as stored."""
        return "|".join(
            (
                self.message,
                self.channel[:1],
                str(self.due_ms),
                str(self.at_ms),
                str(self.attempts),
                self.reason,
                self.code,
                self.provider_id,
            )
        )

    @classmethod
    def unpack(cls, field: str, packed: str) -> HistoryEntry:
        """Read an entry of the history hash."""
        number, index = field.split(".")
        state, message, channel, due, at, attempts, reason, code, provider = packed.split("|")
        channels = {"s": "sms", "e": "email", "": ""}
        return cls(
            subscription=int(number),
            index=int(index),
            state=state,
            message=message,
            channel=channels[channel],
            due_ms=int(due),
            at_ms=int(at),
            attempts=int(attempts),
            reason=reason,
            code=code,
            provider_id=provider,
        )
