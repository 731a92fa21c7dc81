"""How often a form may have a phone or a mailbox written to: nobody's is flooded with it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Final

from service.store.keyring import Index
from service.store.limits import Limits
from service.store.records import Channel

HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0
AN_ADDRESS: Final = ((1, HOUR_S), (3, DAY_S))
"""A phone or a mailbox gets at most one message in an hour and three in a day."""
A_SOURCE: Final = ((10, HOUR_S), (40, DAY_S))
"""A waiting room shares one connection; a machine that asks for more is none."""
A_CLINIC: Final = ((200, HOUR_S),)
_NEIGHBOURS: Final = 24
"""Sources are counted by the network they are in: /24 of IPv4; of IPv6 they are told as /64."""


class JoinLimits:
    """Counts forms by source, clinic and address; always with as many questions to the store."""

    def __init__(self, limits: Limits, index: Index) -> None:
        self._limits = limits
        self._index = index

    def let_through(
        self, ip: str, clinic: str, digests: Mapping[Channel, str]
    ) -> dict[Channel, bool]:
        """Which of a form's addresses may be written to.

        What a limit refuses does not count against the limits behind it: who floods the form from
        one place closes it for nobody else.

        Args:
            ip: where the form came from; a network of IPv6.
            clinic: id of the clinic.
            digests: of the form's addresses.
        """
        source = self._index.digest("source", neighbourhood(ip))
        open_to_all = self._all("join-source", source, A_SOURCE, counts=True)
        open_to_all = self._all(
            "join-clinic", self._index.digest("clinic", clinic), A_CLINIC, counts=open_to_all
        )
        return {
            channel: self._all("join-address", digest, AN_ADDRESS, counts=open_to_all)
            for channel, digest in digests.items()
        }

    def _all(
        self, name: str, digest: str, limits: tuple[tuple[int, float], ...], *, counts: bool
    ) -> bool:
        for most, per_s in limits:
            # Where it is refused already, nobody's limit is asked in place of this one's.
            whose = digest if counts else self._index.digest("source", "nobody")
            allowed = self._limits.allow(f"{name}-{int(per_s)}", whose, most, per_s)
            counts = counts and allowed
        return counts


def neighbourhood(ip: str) -> str:
    """The network that a source is counted by; the text itself where it is no single IPv4."""
    try:
        parsed = ip_address(ip)
    except ValueError:
        return ip
    if parsed.version == 4:  # noqa: PLR2004 - the protocol's name
        return str(ip_network((ip, _NEIGHBOURS), strict=False))
    return ip
