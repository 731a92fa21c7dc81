"""Since when an address is somebody's, as far as there is evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from service.clock import to_ms
from service.store.records import Channel

NEVER_MS: Final = 2**53
"""Later than anything."""


def agreements(consents: Iterable[Mapping[str, str]], channel: Channel) -> list[tuple[int, str]]:
    """Each consent to a channel that tells for what: when, business ms UTC, and the address."""
    return [
        (to_ms(datetime.fromisoformat(each["at"])), each["address"])
        for each in consents
        if each["channel"] == channel and each.get("address") and each.get("at")
    ]


def agreed_ms(consents: Iterable[Mapping[str, str]], channel: Channel, address: str) -> int:
    """When somebody first agreed to be written to at an address, business ms UTC, or `NEVER_MS`."""
    found = (at_ms for at_ms, agreed in agreements(consents, channel) if agreed == address)
    return min(found, default=NEVER_MS)
