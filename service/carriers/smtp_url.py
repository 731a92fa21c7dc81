"""Where mail is handed over, read from one URL."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from dataclasses import dataclass
from functools import cache
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from service.errors import ConfigurationError

_FORM = "smtp://user:password@host:587?starttls=required or smtps://user:password@host"
_PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """A server to hand mail to.

    Attributes:
        tls: ``implicit`` (smtps), ``required`` (STARTTLS or nothing), or ``offered`` (STARTTLS
            where the server has it; a server on this machine is spoken to in the clear).
        user: None where the server takes mail without a login.
        ehlo: the name we greet with.
        verify: whether the server's certificate must be valid for ``host``.
        cafile: PEM file of the authority to trust; None for the machine's own list.
    """

    host: str
    port: int
    tls: Literal["implicit", "required", "offered"] = "offered"
    user: str | None = None
    password: str | None = None
    ehlo: str | None = None
    verify: bool = True
    cafile: str | None = None

    @property
    def local(self) -> bool:
        """Whether the server is this machine, which nobody can listen in on."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def trust(self) -> ssl.SSLContext:
        """The TLS context: certificates are verified unless ``verify=no``."""
        context = ssl.create_default_context(cafile=self.cafile)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def greeting_name(self) -> str:
        """The name for EHLO: as set, else this machine's full name (RFC 5321, 4.1.4)."""
        return self.ehlo or _own_name()


@cache
def _own_name() -> str:
    name = socket.getfqdn()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def parse_smtp_url(url: str) -> MailServer:
    """Read ``smtp://`` or ``smtps://``, ``user:password@`` percent-encoded where needed.

    Parameters: ``starttls=required``, ``ehlo=NAME``, ``verify=no``, ``cafile=PATH``.

    Raises:
        ConfigurationError: it is not such a URL; the password is not repeated.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in _PORTS or not parts.hostname or port == 0 or parts.path not in {"", "/"}:
        raise ConfigurationError(f"AFTERVISIT_SMTP_URL: give {_FORM}.")
    known = {"starttls": {"required"}, "verify": {"yes", "no"}, "ehlo": None, "cafile": None}
    for name, value in options.items():
        if name not in known:
            raise ConfigurationError(
                f"AFTERVISIT_SMTP_URL: no parameter {name!r}; there are {', '.join(known)}."
            )
        allowed = known[name]
        if not value or (allowed and value not in allowed):
            takes = " or ".join(sorted(allowed)) if allowed else "a value"
            raise ConfigurationError(f"AFTERVISIT_SMTP_URL: {name} takes {takes}.")
    required: Literal["required", "offered"] = "required" if "starttls" in options else "offered"
    return MailServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        tls="implicit" if parts.scheme == "smtps" else required,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password or "") if parts.username else None,
        ehlo=options.get("ehlo"),
        verify=options.get("verify") != "no",
        cafile=options.get("cafile"),
    )
