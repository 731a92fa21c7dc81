"""A mail that came back: whose it is, what it says, what follows; each once, durably."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, assert_never

import structlog

from service.carriers.base import AddressEffect, Outcome, Receipt, ReceiptStatus, Result
from service.dispatch.parts import Stores
from service.dispatch.receipts import Receipts
from service.dispatch.return_paths import Purpose, ReturnPath, ReturnPaths
from service.errors import NotFound
from service.inbox.mail.reading import Kind, Reading, read
from service.inbox.mail.statuses import Severity, severity
from service.store.keyring import Index
from service.store.mails import Mails

log = structlog.get_logger(__name__)

MOST_BOUNCES: Final = 3
"""So many of those that are only counted, within 30 days, and nothing is sent to the mailbox."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail as a mail server handed it over.

    Attributes:
        sender: the envelope's, empty for the null sender.
        recipient: the envelope's, one.
    """

    sender: str
    recipient: str
    content: bytes


@dataclass(frozen=True, slots=True)
class InboundEmail:
    """A patient's answer to one of our e-mails.

    Attributes:
        message_id: ours, the same for every copy of one mail; fit for logs.
        sender: who it says it is from. It proves nothing: the signed address it came to does.
        attempt: the e-mail that it answers; empty once its record is gone, after 14 days, and
            for an e-mail outside of any series.
        body: the sender's own words, without what was quoted; empty where it cannot be read.
        patient: to whom that e-mail went; empty where only the mailbox is known.
        mailbox: digest of the mailbox that it went to, by which it is suppressed.
    """

    message_id: str
    sender: str
    attempt: str
    body: str
    patient: str
    mailbox: str


class NotRead(NotFound):
    """Nobody reads the address that a mail came to (any more); its sender is to be told."""

    def __init__(self) -> None:
        super().__init__("This address is not read. Please call the clinic.")


@dataclass(frozen=True, slots=True)
class _Whose:
    """Whose mail a return path is about.

    Attributes:
        attempt: empty where its record is gone, or the path names none.
        same: the patient still has the mailbox that the attempt went to.
    """

    mailbox: str
    patient: str = ""
    attempt: str = ""
    same: bool = True


def mail_id(index: Index, message_id: str, recipient: str, kind: Kind) -> str:
    """The name of a mail, the same for each of its copies; fit for logs."""
    # Some mail servers give a delay and the failure after it one Message-ID.
    return index.digest("mail", f"{message_id}\n{recipient.lower()}\n{kind}")


class Arrivals:
    """The use case behind the listener.

    Args:
        answered: takes a patient's answer; its effects are durable when it returns.
    """

    def __init__(
        self,
        paths: ReturnPaths,
        stores: Stores,
        receipts: Receipts,
        mails: Mails,
        index: Index,
        answered: Callable[[InboundEmail], object],
    ) -> None:
        self._paths = paths
        self._stores = stores
        self._receipts = receipts
        self._mails = mails
        self._index = index
        self._answered = answered

    def expects(self, recipient: str) -> bool:
        """Whether an address is one of ours; asks no store."""
        return self._paths.open(recipient) is not None

    def receive(self, arrival: Arrival) -> Kind:
        """Read a mail and do what it asks for; durable when this returns, and done once a mail.

        It may be called any number of times with copies of a mail, at once too.

        Raises:
            NotRead: the address is none of ours, or what it was made for is gone.
            StoreUnavailable: not done (wholly); the mail is to come again.
        """
        path = self._paths.open(arrival.recipient)
        if path is None:
            raise NotRead
        reading = read(arrival.content, path.purpose, null_sender=not arrival.sender)
        if path.purpose is Purpose.COMPLAINT:
            path = self._paths.found_in(arrival.content.decode("latin-1"))
        whose = self._whose(path) if path else None
        if whose is None:
            return self._of_nobody(reading)
        identifier = mail_id(self._index, reading.message_id, arrival.recipient, reading.kind)
        if not self._mails.known(identifier, whose.mailbox):
            self._follow(identifier, whose, reading)
            self._mails.record(
                identifier,
                whose.mailbox,
                reading.kind,
                attempt=whose.attempt,
                status=reading.status,
            )
            log.info("mail_followed", mail=identifier, kind=reading.kind, status=reading.status)
        return reading.kind

    def _of_nobody(self, reading: Reading) -> Kind:
        """What is about an attempt or a patient long gone: only a person is told so."""
        if reading.kind in {Kind.REPLY, Kind.LEAVE, Kind.COMPLAINT}:
            raise NotRead
        log.info("mail_of_nobody", kind=reading.kind)
        return reading.kind

    def _whose(self, path: ReturnPath) -> _Whose | None:
        if path.mailbox:
            return _Whose(path.mailbox)
        attempt = self._stores.dispatch.attempt(path.attempt)
        patient = attempt.patient if attempt else path.patient
        fields = self._stores.patients.find(patient) if patient else None
        contact = self._stores.patients.contact(fields) if fields else None
        ledger = self._stores.suppressions
        now = ledger.digest("email", contact.email) if contact and contact.email else ""
        mailbox = (attempt.body if attempt else "") or now
        if not mailbox:
            return None
        return _Whose(mailbox, patient, path.attempt if attempt else "", mailbox == now)

    def _follow(self, identifier: str, whose: _Whose, reading: Reading) -> None:
        match reading.kind:
            case Kind.BOUNCE:
                self._bounced(identifier, whose, reading)
            case Kind.DELAYED:
                self._reached(whose, ReceiptStatus.SENT)
            case Kind.DELIVERED:
                self._reached(whose, ReceiptStatus.DELIVERED)
            case Kind.COMPLAINT:
                self._suppress(whose, "complaint", identifier)
            case Kind.LEAVE:
                self._suppress(whose, "one_click", identifier)
            case Kind.REPLY:
                self._replied(identifier, whose, reading)
            case Kind.AUTOMATIC | Kind.NOT_SPAM:
                pass  # recorded, and nothing else: an answer could be answered by a machine again
            case _:
                assert_never(reading.kind)

    def _bounced(self, identifier: str, whose: _Whose, reading: Reading) -> None:
        """The mail did not arrive. The ledger goes first: receipts see it and what it ended."""
        weight = severity(reading.status)
        dead = weight is Severity.DEAD
        if weight is Severity.COUNTED:
            counted = whose.attempt or identifier
            dead = self._mails.bounced(whose.mailbox, counted) >= MOST_BOUNCES
        if dead:
            self._suppress(whose, "invalid", identifier)
        if not whose.attempt:
            return
        outcome = Outcome(
            Result.PERMANENT,
            "The mailbox does not exist, or bounces again and again; ask the patient for the "
            "address again."
            if dead
            else "The e-mail came back.",
            code=reading.status or None,
            effect=AddressEffect.INVALID if dead and whose.same else None,
            alert=weight is Severity.OURS,
        )
        self._apply(Receipt(whose.attempt, "", ReceiptStatus.FAILED, "bounce", outcome))

    def _reached(self, whose: _Whose, status: ReceiptStatus) -> None:
        if whose.attempt:
            self._apply(Receipt(whose.attempt, "", status, "report"))

    def _apply(self, receipt: Receipt) -> None:
        try:
            self._receipts.apply(receipt)
        except NotFound:
            log.info("receipt_without_attempt")  # the patient was erased meanwhile

    def _suppress(self, whose: _Whose, reason: str, identifier: str) -> None:
        self._stores.suppressions.suppress(
            "email",
            whose.mailbox,
            reason=reason,
            source=f"mail:{identifier}",
            own=reason == "one_click",
        )

    def _replied(self, identifier: str, whose: _Whose, reading: Reading) -> None:
        self._answered(
            InboundEmail(
                message_id=identifier,
                sender=reading.sender,
                attempt=whose.attempt,
                body=reading.body,
                patient=whose.patient,
                mailbox=whose.mailbox,
            )
        )
