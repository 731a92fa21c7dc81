"""Where a request comes from, as far as limits need to know it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated

from fastapi import Depends, Request

from service.bootstrap import Core

Network = IPv4Network | IPv6Network
UNKNOWN = "-"
_ONE_HOME = 64
"""A subscriber to IPv6 has at least a /64 network, and so 2**64 addresses to ask from."""


def source(peer: str, forwarded: str, proxies: Sequence[Network]) -> str:
    """The client's address; the network of an IPv6 one.

    Each proxy adds the address that it was reached from at the end of ``X-Forwarded-For``. What
    stands before the last one that is no proxy of ours may have been written by anybody.

    Args:
        peer: who is connected to us.
        forwarded: the header, empty where there is none.
        proxies: networks of the proxies in front of us.
    """
    found = peer
    for hop in [*reversed([each.strip() for each in forwarded.split(",") if each.strip()]), None]:
        if hop is None or not _is_in(found, proxies):
            break
        found = hop
    return _whose(found)


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def _whose(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return UNKNOWN
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, _ONE_HOME), strict=False))


@lru_cache(maxsize=8)
def networks(text: str) -> tuple[Network, ...]:
    """Read networks with commas between them.

    Raises:
        ValueError: one of them is none.
    """
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


async def _client_of(request: Request) -> str:
    core: Core = request.app.state.core
    peer = request.client.host if request.client else UNKNOWN
    forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
    return source(peer, forwarded, networks(core.settings.trusted_proxies))


ClientOf = Annotated[str, Depends(_client_of)]
"""Where a request comes from, as a parameter of a route; for evidence, never for a log."""


async def _source_of(request: Request, client: ClientOf) -> str:
    core: Core = request.app.state.core
    return core.index.digest("source", client)


SourceOf = Annotated[str, Depends(_source_of)]
"""A keyed hash of where a request comes from, as a parameter of a route; for ``Limits.allow``."""
