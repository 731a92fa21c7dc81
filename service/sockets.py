"""Sockets that the parts of the service listen on."""

from __future__ import annotations

import socket

from service.errors import ConfigurationError


def listening(host: str, port: int, *, who: str, remedy: str) -> socket.socket:
    """A socket that listens; port 0 for any that is free.

    Args:
        host: an address of this machine.
        port: its port.
        who: the part of the service that it is for.
        remedy: which setting to change where it cannot be had.

    Raises:
        ConfigurationError: the address is taken, or is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise ConfigurationError(
            f"The {who} process cannot listen on {host}:{port} ({error.strerror}). {remedy}"
        ) from None
    # Connections inherit it. asyncio sets it by itself only on sockets that it opened, and without
    # it an answer's body waits 40 ms for the client to confirm the headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
