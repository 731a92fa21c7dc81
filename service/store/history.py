"""What became of a delivery, as kept in a patient's history: one packed text each."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

_HEX_ID = re.compile(r"\A([A-Z]{2})([0-9a-f]{32})\Z")
_SHORT_ID = re.compile(r"\A([A-Z]{2})~([A-Za-z0-9_-]{22})\Z")


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
        """All but the state, as stored: the end as ms after the due time, ids without their hex."""
        return "|".join(
            (
                self.message,
                self.channel[:1],
                str(self.due_ms),
                f"{self.at_ms - self.due_ms:+}",
                str(self.attempts),
                self.reason,
                self.code,
                _HEX_ID.sub(_shorter, self.provider_id),
            )
        )

    @classmethod
    def unpack(cls, field: str, packed: str) -> HistoryEntry:
        """Read an entry of the history hash, also one with its end as an instant of its own."""
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
            at_ms=int(due) + int(at) if at[0] in "+-" else int(at),
            attempts=int(attempts),
            reason=reason,
            code=code,
            provider_id=_SHORT_ID.sub(_as_given, provider),
        )


def _shorter(found: re.Match[str]) -> str:
    """An id as Twilio gives it, ``SM`` and 32 hex digits, as ``SM~`` and 22 letters."""
    letters = urlsafe_b64encode(bytes.fromhex(found[2])).rstrip(b"=").decode()
    return f"{found[1]}~{letters}"


def _as_given(found: re.Match[str]) -> str:
    return found[1] + urlsafe_b64decode(found[2] + "==").hex()
