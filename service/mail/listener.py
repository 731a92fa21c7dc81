"""Takes mail by SMTP or LMTP: only what is ours, only as much as is good, and only durably.

The word for an answer is what the other side does with it: 250 after everything that follows from
a mail is on disk, 451 where it is to come again, 550 where its sender is to be told. A mail has one
recipient here: so each answer is for one, and LMTP needs no list of them (RFC 2033, 4.2). What
aiosmtpd logs is switched off, since it logs addresses.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Final

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP

from service.errors import AftervisitError, StoreUnavailable
from service.inbox.mail.arrivals import Arrival, Arrivals, NotRead

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiosmtpd.smtp import Envelope, Session

    from service.mail.addresses import ListenAt

log = structlog.get_logger(__name__)
logging.getLogger("mail.log").setLevel(logging.CRITICAL + 1)

MOST_BYTES: Final = 20 * 2**20
"""A mail with a few photos; a larger one is refused, and its sender is told."""
LONGEST_LINE: Final = 2**16
"""The standard's 1,000 characters are less than some servers write."""
MOST_CONNECTIONS: Final = 32
SILENCE_S: Final = 180.0
"""A command, or a whole mail, takes no longer; then the connection is closed."""
_CALLS: Final = {"NOOP": 20, "RSET": 1000, "HELP": 5, "VRFY": 5, "EXPN": 5, "*": 1000}
"""Most commands of each kind in one connection: nobody keeps one busy for nothing."""
_NULL_SENDER: Final = "<>"
LATER: Final = "451 4.3.0 Not now; please try again later"


class Hooks:
    """What aiosmtpd asks at each step of a conversation."""

    def __init__(self, arrivals: Arrivals, workers: Executor) -> None:
        self._arrivals = arrivals
        self._workers = workers
        self._under_way = 0
        self.idle = asyncio.Event()
        self.idle.set()

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        session: Session,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Offer what reading line by line gives us for nothing (RFC 2920, RFC 2034)."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", responses[-1]]

    async def handle_VRFY(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, _envelope: Envelope, _address: str
    ) -> str:
        """Nobody is told which addresses there are."""
        return "252 2.5.0 Send it and see"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Take one recipient that is ours; nothing is ever passed on to anybody else."""
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time"
        if not self._arrivals.expects(address):
            log.info("mail_refused", why="recipient")
            return "550 5.1.1 There is no such address here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Have a mail read and followed; answer when that is durable."""
        content = envelope.original_content or b""
        sender = "" if envelope.mail_from == _NULL_SENDER else envelope.mail_from or ""
        arrival = Arrival(sender, envelope.rcpt_tos[0], content)
        loop = asyncio.get_running_loop()
        self._under_way += 1
        self.idle.clear()
        try:
            await loop.run_in_executor(self._workers, self._arrivals.receive, arrival)
        except NotRead:
            log.info("mail_refused", why="nobody")
            return "550 5.1.1 This address is not read any more. Please call the clinic."
        except StoreUnavailable as error:
            log.warning("store_unavailable", fault=str(error))
            return LATER
        except AftervisitError as error:
            log.error("mail_put_off", fault=str(error))
            return LATER
        except Exception as error:  # noqa: BLE001 - its text may hold what was written
            log.error("mail_put_off", fault=type(error).__name__)
            return LATER
        finally:
            self._under_way -= 1
            if not self._under_way:
                self.idle.set()
        return "250 2.0.0 OK"

    async def handle_exception(self, error: Exception) -> str:
        """A fault of ours in a command; its text may hold what was sent."""
        log.error("mail_conversation_failed", fault=type(error).__name__)
        return "451 4.3.0 Local error"


class _Bounded(SMTP):
    """A conversation that takes no more than its share."""

    line_length_limit = LONGEST_LINE

    def __init__(
        self, hooks: Hooks, loop: asyncio.AbstractEventLoop, others: set[_Bounded]
    ) -> None:
        super().__init__(
            hooks,
            data_size_limit=MOST_BYTES,
            enable_SMTPUTF8=True,
            hostname=socket.gethostname(),
            ident="Aftervisit",
            timeout=SILENCE_S,
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            command_call_limit=dict(_CALLS),
            loop=loop,
        )
        self._others = others
        self._taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless too many are here."""
        super().connection_made(transport)
        if len(self._others) >= MOST_CONNECTIONS:
            log.warning("mail_refused", why="connections")
            if isinstance(transport, asyncio.WriteTransport):
                transport.write(b"421 4.3.2 Too many connections; please try again later\r\n")
            transport.close()
        else:
            self._others.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Make room for another."""
        self._others.discard(self)
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """End whoever goes on and on beyond the limit: what is refused is read to its end."""
        self._taken += len(data)
        if self._taken > 2 * MOST_BYTES and self.transport is not None:
            log.warning("mail_refused", why="size")
            self.close()
            return
        super().data_received(data)

    def close(self) -> None:
        """End the connection; what was answered is sent first."""
        if self.transport is not None:
            self.transport.close()

    def _set_post_data_state(self) -> None:
        self._taken = 0
        super()._set_post_data_state()  # type: ignore[no-untyped-call]

    async def _handle_client(self) -> None:
        # It raises what a client does that goes away, for nobody to hear.
        with contextlib.suppress(ConnectionError, EOFError):
            await super()._handle_client()


class _BoundedLmtp(_Bounded, LMTP):
    """The same by LMTP."""


class Conversations:
    """All conversations of one listener; call it for each connection."""

    def __init__(self, arrivals: Arrivals, workers: Executor, at: ListenAt) -> None:
        self._hooks = Hooks(arrivals, workers)
        self._protocol = _BoundedLmtp if at.protocol == "lmtp" else _Bounded
        self._open: set[_Bounded] = set()

    def factory(self, loop: asyncio.AbstractEventLoop) -> Callable[[], SMTP]:
        """What ``create_server`` wants."""
        return lambda: self._protocol(self._hooks, loop, self._open)

    async def end(self, grace_s: float) -> None:
        """Let mails under way be answered, for as long as that; then close every connection."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hooks.idle.wait(), grace_s)
        for conversation in tuple(self._open):
            conversation.close()
