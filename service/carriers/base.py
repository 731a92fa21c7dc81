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
    """Proven not to be with the provider (nothing left, 429, a definite refusal): try later."""
    STOPPED = "stopped"
    """The sender is at fault (credentials, registration): nothing of it may go until mended."""
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
        later_attempts: most further attempts that this answer allows (Twilio 30003 and codes
            nobody listed: one), or None where the general limit on attempts is the only one.
        alert: staff should be told at once, whatever the result (a country that is not enabled).
    """

    result: Result
    reason: str
    provider_id: str | None = None
    code: str | None = None
    retry_after_s: float | None = None
    effect: AddressEffect | None = None
    later_attempts: int | None = None
    alert: bool = False


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

    def begun(self, at: float) -> OutgoingText:
        """The same, begun at an instant."""
        return OutgoingText(
            self.attempt,
            self.to,
            self.body,
            self.sender,
            self.validity_s,
            self.status_callback,
            at,
        )


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
        mailbox: digest of the recipient, by which what comes back is applied to that mailbox.
    """

    attempt: str
    to: str
    sender: str
    content: bytes
    message_id: str
    begun_at: float
    mailbox: str = ""

    def begun(self, at: float) -> OutgoingEmail:
        """The same, begun at an instant."""
        return OutgoingEmail(
            self.attempt,
            self.to,
            self.sender,
            self.content,
            self.message_id,
            at,
            self.mailbox,
        )


class ReceiptStatus(StrEnum):
    """How far a message has come, in the order in which it may move; the last two are terminal."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Found:
    """A message as the provider's own list shows it.

    Attributes:
        provider_id: the provider's id.
        body: its text (empty where redacted).
        created_ms: when the provider created it, ms UTC.
        status: the provider's status word.
        code: the provider's error code, if it has one.
        reached: how far it has come, as a receipt would say it.
        outcome: what a failure means; None unless ``reached`` is ``FAILED``.
    """

    provider_id: str
    body: str
    created_ms: int
    status: str
    code: str | None
    reached: ReceiptStatus = ReceiptStatus.QUEUED
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """A text that somebody sent us, as the provider's own list shows it.

    Attributes:
        provider_id: the provider's id, the same as the inbound webhook carries.
        sender: the patient's number, E.164.
        to: our number.
        body: what was written.
        received_ms: when the provider received it, ms UTC.
    """

    provider_id: str
    sender: str
    to: str
    body: str
    received_ms: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider reports of a message after it took it.

    Attributes:
        attempt: our opaque id, from the callback's URL; None where it carried none.
        provider_id: the provider's id.
        status: how far the message has come.
        word: the provider's own word for it.
        outcome: what a failure means, told as the answer to a send would be: ``TRANSIENT`` (proven
            not delivered, may be tried again), ``UNKNOWN`` (may have arrived), ``PERMANENT`` or
            ``STOPPED``. None unless ``status`` is ``FAILED``.
        certain: False where it is not the provider who says that the message is the attempt's, but
            we who found one with the same text: a receipt that carries the attempt's id knows
            better.
    """

    attempt: str | None
    provider_id: str
    status: ReceiptStatus
    word: str
    outcome: Outcome | None = None
    certain: bool = True

    @property
    def code(self) -> str | None:
        """The provider's error code, if it gave one."""
        return self.outcome.code if self.outcome else None


MAX_AGE_S = 2.0
"""A begun attempt older than this (monotonic seconds) is not sent any more but given back."""


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

    async def inbound(self, since_ms: int, to: str | None = None) -> list[Inbound]:
        """List what patients texted us (to one number of ours, or any), oldest first.

        Raises:
            ProviderUnreachable: the list could not be read in full.
        """
        ...

    async def received_ms(self, provider_id: str) -> int | None:
        """When the provider received a text that somebody sent us, ms UTC; None: it has none such.

        Raises:
            ProviderUnreachable: it did not say; nothing is known.
        """
        ...

    async def redact(self, provider_id: str) -> None:
        """Have the provider forget the text of a message that is over. Doing it twice is harmless.

        Raises:
            ProviderUnreachable: not done; ask again later.
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
