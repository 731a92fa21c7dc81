"""What every carrier is given and what it answers; no provider appears here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Result(StrEnum):
    """What one provider call came to. Only ``TRANSIENT`` may ever be attempted again."""

    ACCEPTED = "accepted"
    """The provider has it."""
    PERMANENT = "permanent"
    """The provider refused it for good: this address, or this message, will never pass."""
    TRANSIENT = "transient"
    """Proven not to be with the provider (nothing left, 429, a definite refusal): try again later."""
    STOPPED = "stopped"
    """The sender itself is at fault (credentials, registration): nothing of it may go until mended."""
    UNKNOWN = "unknown"
    """It may have reached the provider. Never attempted again; settled by receipt or list."""
    TOO_LATE = "too_late"
    """Begun more than the allowed time ago, so it was not sent at all and is given back."""


class AddressEffect(StrEnum):
    """What an answer says about the address itself."""

    OPTED_OUT = "opted_out"
    """The provider holds an opt-out for it (Twilio 21610): record a suppression."""
    INVALID = "invalid"
    """It cannot receive messages of this channel (21211, 21614, 5.1.x)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one send, told in our words.

    Attributes:
        result: what became of it.
        reason: one sentence for staff, without patient data.
        provider_id: the provider's id (Twilio's SID) once accepted.
        code: the provider's own code as text (``"21610"``, ``"550 5.1.1"``).
        retry_after_s: seconds the provider asked everybody to wait.
        effect: what it means for the address, if anything.
    """

    result: Result
    reason: str
    provider_id: str | None = None
    code: str | None = None
    retry_after_s: float | None = None
    effect: AddressEffect | None = None


@dataclass(frozen=True, slots=True)
class OutgoingText:
    """One text message, ready to go.

    Attributes:
        attempt: opaque id of the attempt, also carried by ``status_callback``.
        to: E.164.
        body: the rendered text.
        sender: E.164 number or short code, or a Messaging Service SID (``MG...``).
        validity_s: seconds the provider may hold it in its queue.
        status_callback: absolute URL for receipts, or None where we have no public address.
        begun_at: ``time.monotonic()`` seconds at which the attempt was begun.
    """

    attempt: str
    to: str
    body: str
    sender: str
    validity_s: int
    status_callback: str | None
    begun_at: float


@dataclass(frozen=True, slots=True)
class OutgoingEmail:
    """One e-mail, ready to go.

    Attributes:
        attempt: opaque id of the attempt.
        to: envelope recipient.
        sender: envelope sender (return path).
        content: the RFC 5322 message with CRLF line ends.
        message_id: its Message-ID, angle brackets included.
        begun_at: ``time.monotonic()`` seconds at which the attempt was begun.
    """

    attempt: str
    to: str
    sender: str
    content: bytes
    message_id: str
    begun_at: float


@dataclass(frozen=True, slots=True)
class Found:
    """A message as the provider's own list shows it.

    Attributes:
        provider_id: the provider's id.
        body: its text (empty where redacted).
        created_ms: when the provider created it, ms UTC.
        status: the provider's status word.
        code: the provider's error code, if it has one.
    """

    provider_id: str
    body: str
    created_ms: int
    status: str
    code: str | None


class ProviderUnreachable(Exception):
    """The provider's list could not be read; what was asked stays open. Look again later."""


class TextCarrier(Protocol):
    """Sends texts. ``send`` never raises for what a provider or a network does: it answers."""

    async def send(self, text: OutgoingText) -> Outcome:
        """Send one text and say what became of it, within the carrier's total deadline."""
        ...

    async def find(self, to: str, since_ms: int) -> list[Found]:
        """List what the provider has for a number, newest first, created at or after ``since_ms``.

        Raises:
            ProviderUnreachable: the list could not be read in full.
        """
        ...

    async def aclose(self) -> None:
        """Close kept connections."""
        ...


class EmailCarrier(Protocol):
    """Sends e-mail. ``send`` never raises for what a server or a network does: it answers."""

    async def send(self, email: OutgoingEmail) -> Outcome:
        """Send one e-mail and say what became of it, within the carrier's total deadline."""
        ...

    async def aclose(self) -> None:
        """Close kept connections."""
        ...
