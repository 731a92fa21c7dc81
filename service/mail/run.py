"""Run the listener in this process until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import structlog

from service.bootstrap import arrivals_of, open_core
from service.errors import ConfigurationError
from service.mail.addresses import ListenAt, parse_listen
from service.mail.listener import Conversations
from service.sockets import listening

if TYPE_CHECKING:
    from service.inbox.mail.arrivals import Arrivals
    from service.settings import Settings

log = structlog.get_logger(__name__)

WORKERS: Final = 8
"""Mails read at once; what waits for the store keeps no other from being taken."""
GRACE_S: Final = 15.0
"""How long mails under way may take to be answered after SIGTERM."""


def run_mail(settings: Settings) -> int:
    """Take mail at ``MAIL_LISTEN`` until SIGTERM or SIGINT; 0.

    Raises:
        ConfigurationError: a setting is missing or the address is taken; says what to change.
        StoreUnavailable: the store does not answer at the start.
    """
    at = listen_at(settings)
    with open_socket(at) as listener, open_core(settings, hold=True) as core:
        asyncio.run(_until_told(arrivals_of(core), at, listener))
    return 0


def listen_at(settings: Settings) -> ListenAt:
    """Where the listener is to be.

    Raises:
        ConfigurationError: nothing says so.
    """
    if settings.mail_listen is None:
        raise ConfigurationError(
            "There is no address to take mail at: set AFTERVISIT_MAIL_LISTEN, such as "
            "lmtp://127.0.0.1:8025."
        )
    return parse_listen(settings.mail_listen)


def open_socket(at: ListenAt) -> socket.socket:
    """A socket that listens there.

    Raises:
        ConfigurationError: the address is taken, or is not this machine's.
    """
    remedy = "Set AFTERVISIT_MAIL_LISTEN to another one, or end what listens there."
    return listening(at.host, at.port, who="mail", remedy=remedy)


async def _until_told(arrivals: Arrivals, at: ListenAt, listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await serve(arrivals, at, listener, ended)


async def serve(
    arrivals: Arrivals, at: ListenAt, listener: socket.socket, ended: asyncio.Event
) -> None:
    """Take mail on a listening socket until the event is set."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="mail") as workers:
        conversations = Conversations(arrivals, workers, at)
        server = await loop.create_server(conversations.factory(loop), sock=listener)
        host, port = listener.getsockname()[:2]
        log.info("mail_listening", host=host, port=port, protocol=at.protocol)
        await ended.wait()
        server.close()
        await conversations.end(GRACE_S)
