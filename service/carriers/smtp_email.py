"""E-mail by SMTP: ready bytes over kept connections, a total deadline, and exact outcomes."""

from __future__ import annotations

import asyncio
import contextlib
import re
import smtplib
import ssl
import time
from typing import TYPE_CHECKING

from service.carriers.base import MAX_AGE_S, AddressEffect, Outcome, Result
from service.carriers.smtp_errand import Cut, Errand, Stage
from service.carriers.smtp_runners import Runners, Ticket
from service.carriers.smtp_wire import Connection, Refused, Unsendable

if TYPE_CHECKING:
    from service.carriers.base import OutgoingEmail
    from service.carriers.smtp_url import MailServer

IDLE_S = 60.0
"""An idle connection older than this is not used again, seconds."""
ASK_S = 10.0
"""One that was idle for longer than this is first asked with NOOP, seconds."""
GRACE_S = 2.0
"""How long a thread may take to notice that its connection was shut, seconds."""
_ENHANCED = re.compile(rb"([245])\.(\d{1,3})\.(\d{1,3})\b")
_UNWRITABLE = re.compile(r"[\x00-\x20\x7f<>]")
_CLOSING = 421
_TOO_LARGE = 552
_SENDERS_FAULT = frozenset({"greeting", "EHLO", "STARTTLS", "AUTH", "MAIL"})
_LOGIN = frozenset({530, 534, 535, 538})


_FAILURES = (Refused, Unsendable, Cut, OSError, smtplib.SMTPException, ValueError)


class _Stale(Exception):
    """A kept connection turned out to be closed before the server had seen any message."""


class SmtpEmail:
    """The `EmailCarrier` for a mail server.

    ``smtplib`` runs in a few threads (see `Runners`); connections are kept and the one used last is
    used next.

    Args:
        server: where mail is handed over.
        connections: most connections, and threads, at once.
        total_s: seconds from the call to the server's last word, queueing included.
        connect_s: seconds for the TCP connection.
    """

    def __init__(
        self,
        server: MailServer,
        *,
        connections: int = 8,
        total_s: float = 30.0,
        connect_s: float = 5.0,
    ) -> None:
        self._server = server
        self._total_s = total_s
        self._connect_s = connect_s
        self._runners = Runners(self._outcome, connections)
        self._idle: list[Connection] = []

    async def send(self, email: OutgoingEmail) -> Outcome:
        """Hand over one message; never raises for what the server does.

        An attempt older than `MAX_AGE_S` when its connection is ready is not sent.
        """
        loop = asyncio.get_running_loop()
        ticket = Ticket(Errand(self._total_s), email, loop.create_future())
        timer = loop.call_later(self._total_s, self._overdue, ticket)
        self._runners.take(ticket)
        try:
            return await ticket.outcome
        except asyncio.CancelledError:
            ticket.errand.cut()
            raise
        finally:
            timer.cancel()

    def _overdue(self, ticket: Ticket) -> None:
        """Its time is over: end its conversation, and give the thread a moment to tell of it."""
        grace_s = GRACE_S if ticket.errand.cut() else 0
        asyncio.get_running_loop().call_later(grace_s, self._give_up, ticket)

    @staticmethod
    def _give_up(ticket: Ticket) -> None:
        """The thread has not told us, so the stage we see may be behind the truth."""
        stage = ticket.errand.stage
        if stage is Stage.WAITING:
            ticket.tell(_too_late())
        else:
            ticket.tell(_interrupted(Stage.ENDED if stage >= Stage.BODY else stage, "time-out"))

    async def aclose(self) -> None:
        """Take leave of the server on every kept connection."""
        await asyncio.to_thread(self._close_idle)
        self._runners.close()

    def _outcome(self, ticket: Ticket) -> Outcome:
        """Runs in a thread: everything that can happen to one message, as an outcome."""
        errand, email = ticket.errand, ticket.email
        if errand.over or time.monotonic() > email.begun_at + MAX_AGE_S:
            return _too_late()
        sender, to = _envelope(email.sender), _envelope(email.to)
        if sender is None or not to:
            return Outcome(
                Result.PERMANENT,
                "The address cannot be written on an envelope; ask the patient for it again.",
                effect=AddressEffect.INVALID,
            )
        try:
            return self._deliver(errand, email, sender, to)
        except _FAILURES as error:
            return _failed(Cut() if errand.over else error, errand.stage)

    def _deliver(self, errand: Errand, email: OutgoingEmail, sender: str, to: str) -> Outcome:
        try:
            return self._send(self._connection(errand), errand, email, sender, to)
        except _Stale:
            # The server has seen no message yet: once more, on a new connection, is safe.
            return self._send(self._new(errand), errand, email, sender, to)

    def _send(
        self, connection: Connection, errand: Errand, email: OutgoingEmail, sender: str, to: str
    ) -> Outcome:
        kept = connection.idle_since > 0
        usable = True
        try:
            if time.monotonic() > email.begun_at + MAX_AGE_S:
                return _too_late()
            connection.deliver(errand, sender, to, email.content)
        except Refused as refusal:
            usable = refusal.code != _CLOSING and self._reset(connection)
            if kept and refusal.code == _CLOSING and errand.stage < Stage.BODY:
                raise _Stale from None
            raise
        except (OSError, smtplib.SMTPException):
            usable = False
            if kept and errand.stage < Stage.BODY:
                raise _Stale from None
            raise
        except Cut:
            usable = False
            raise
        finally:
            errand.ride(None)
            self._keep(connection) if usable else connection.close()
        return Outcome(Result.ACCEPTED, "The mail server has the e-mail.")

    def _connection(self, errand: Errand) -> Connection:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was quicker
                break
            idle_s = time.monotonic() - connection.idle_since
            if idle_s < IDLE_S and not connection.stale():
                errand.ride(connection.shut)
                if idle_s < ASK_S or self._answers(connection):
                    return connection
            errand.ride(None)
            connection.close()
        return self._new(errand)

    def _new(self, errand: Errand) -> Connection:
        connection = Connection(self._server)
        try:
            connection.open(errand, self._connect_s)
        except BaseException:
            errand.ride(None)
            connection.close()
            raise
        return connection

    def _keep(self, connection: Connection) -> None:
        connection.idle_since = time.monotonic()
        self._idle.append(connection)

    def _close_idle(self) -> None:
        while self._idle:
            connection = self._idle.pop()
            if connection.sock is not None:
                connection.sock.settimeout(1.0)
            with contextlib.suppress(OSError, smtplib.SMTPException):
                connection.quit()
            connection.close()

    @staticmethod
    def _answers(connection: Connection) -> bool:
        try:
            return connection.noop()[0] in range(200, 300)
        except (OSError, smtplib.SMTPException):
            return False

    @staticmethod
    def _reset(connection: Connection) -> bool:
        """Ready the connection for the next message; whether that worked."""
        if connection.sock is None:
            return False
        try:
            return connection.rset()[0] in range(200, 300)
        except (OSError, smtplib.SMTPException):
            return False


def _too_late() -> Outcome:
    return Outcome(Result.TOO_LATE, f"Not sent: more than {MAX_AGE_S:g} s had passed since begun.")


def _envelope(address: str) -> str | None:
    """An address fit for MAIL and RCPT, its domain in ASCII; None where there is no such form."""
    if not address:
        return ""  # the null sender
    local, at, domain = address.rpartition("@")
    if not at or not local or _UNWRITABLE.search(address):
        return None
    try:
        return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode()}"
    except UnicodeError:
        return None


def _failed(error: Exception, stage: Stage) -> Outcome:
    match error:
        case Refused():
            outcome = refused(error.verb, error.code, error.text)
        case Unsendable():
            per_message = stage is Stage.ENVELOPE
            result = Result.PERMANENT if per_message else Result.STOPPED
            outcome = Outcome(result, str(error), alert=True)
        case ssl.SSLCertVerificationError():
            outcome = Outcome(
                Result.TRANSIENT,
                "The mail server's certificate is not valid for its name; nothing was sent.",
                alert=True,
            )
        case Cut() | TimeoutError():
            outcome = _interrupted(stage, "time-out")
        case _:
            outcome = _interrupted(stage, type(error).__name__)
    return outcome


def _interrupted(stage: Stage, why: str) -> Outcome:
    """The outcome of a conversation that broke off at a stage."""
    if stage >= Stage.ENDED:
        return Outcome(
            Result.UNKNOWN,
            f"The mail server did not confirm the e-mail ({why}); it may have been taken.",
        )
    return Outcome(Result.TRANSIENT, f"The mail server did not get the e-mail ({why}).")


def refused(verb: str, code: int, text: bytes) -> Outcome:
    """What a refusal means (RFC 5321, 4.2; enhanced codes RFC 3463 and 5248).

    4xx may be tried again. 5xx before the recipient was named is about us and stops the sender;
    after that it is about this message, and 5.1.x about the address. 5.1.7 and 5.1.8 name the
    *sender's* address.

    Args:
        verb: what was refused, as `Refused` names it.
        code: the reply code, 400 to 599.
        text: the reply; only its enhanced code is kept, since the rest may name the patient.
    """
    match = _ENHANCED.match(text)
    subject, detail = (int(match[2]), int(match[3])) if match else (-1, -1)
    shown = f"{code} {match[0].decode()}" if match else str(code)
    if code < 500:  # noqa: PLR2004 - SMTP's temporary refusals
        return Outcome(Result.TRANSIENT, f"The mail server said later ({verb}).", code=shown)
    too_large = (subject, detail) == (3, 4) or (code == _TOO_LARGE and match is None)
    about_sender = subject == 1 and detail in {7, 8}
    if (verb in _SENDERS_FAULT and not too_large) or code in _LOGIN or about_sender:
        return Outcome(
            Result.STOPPED,
            f"The mail server refuses us ({verb}); check AFTERVISIT_SMTP_URL and MAIL_FROM.",
            code=shown,
            alert=True,
        )
    if subject == 1:
        return Outcome(
            Result.PERMANENT,
            "The mailbox does not exist; ask the patient for the address again.",
            code=shown,
            effect=AddressEffect.INVALID,
        )
    alert = too_large or subject == 7  # noqa: PLR2004 - X.7: security and policy
    return Outcome(
        Result.PERMANENT, f"The mail server refused the e-mail ({verb}).", code=shown, alert=alert
    )
