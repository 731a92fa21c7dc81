"""Where mail comes back to: the listener's address, and the mailbox of our return paths."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

LISTEN_FORM: Final = "give lmtp://127.0.0.1:8025, or smtp:// with an address and a port"
RETURN_FORM: Final = (
    "give an address such as bounces@mail.clinic.example: up to 24 letters, digits, dots or "
    "hyphens before the @, and a domain whose mail reaches the listener"
)
_LOCAL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]|\.(?!\.)){0,23}(?<![.-])")
_DOMAIN: Final = re.compile(
    r"(?=.{4,190}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}"
)
RESERVED: Final = frozenset({"reply", "leave", "complaints"})
"""Local parts that mean something else beside the return path's."""


@dataclass(frozen=True, slots=True)
class ListenAt:
    """Where the listener takes mail.

    Attributes:
        protocol: LMTP from a mail server beside it, or SMTP.
        port: 0 for any that is free.
    """

    protocol: Literal["lmtp", "smtp"]
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """The mailbox that return paths are made of, in lower case."""

    local: str
    domain: str


def parse_listen(text: str) -> ListenAt:
    """Read ``lmtp://host:port`` or ``smtp://host:port``.

    Raises:
        ValueError: it is neither; says what to give.
    """
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        raise ValueError(LISTEN_FORM) from None
    more = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme not in {"lmtp", "smtp"} or not parts.hostname or port is None or more:
        raise ValueError(LISTEN_FORM)
    return ListenAt("lmtp" if parts.scheme == "lmtp" else "smtp", parts.hostname, port)


def parse_return_address(text: str) -> ReturnAddress:
    """Read the address that bounces come back to.

    A return path adds 39 characters to its local part, of which a mail server takes 64 (RFC 5321,
    4.5.3.1.1).

    Raises:
        ValueError: it is none, or not one that tokens can be added to; says what to give.
    """
    local, _, domain = text.strip().lower().rpartition("@")
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain) or local in RESERVED:
        raise ValueError(RETURN_FORM)
    return ReturnAddress(local, domain)
