"""Links to the patient's page: sealed, for a while, and dead once newer ones are asked for.

A token names patients by their ids, each with how often all links to their page had been ended when
it was made; it also says when that was. Nobody can make or change one, and it tells nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.store.keyring import InvalidToken, KeyRing

PURPOSE: Final = "page"
"""Of the tokens in ``/p/<token>``: they open nothing else, and nothing else opens this."""
_MADE: Final = struct.Struct(">I")
_PERSON: Final = struct.Struct(">12sH")
_MINUTE_MS: Final = 60_000
_COUNTED: Final = 1 << 16
"""Endings are counted up to here; then from nought: by then the link has expired long ago."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says, once it has been opened.

    Attributes:
        people: ids of those whose page it opens, each with the endings that it was made under.
        made_ms: when, business ms UTC, to the minute.
    """

    people: tuple[tuple[str, int], ...]
    made_ms: int

    def alone(self, identifier: str) -> Link:
        """The same for one of them; it expires when this one does."""
        return Link(tuple(each for each in self.people if each[0] == identifier), self.made_ms)


def link_to(people: Sequence[tuple[str, int]], now_ms: int) -> Link:
    """A link that is made now.

    Args:
        people: ids, each with ``PatientFields.links_ended``.
        now_ms: business ms UTC.
    """
    counted = tuple((identifier, ended % _COUNTED) for identifier, ended in people)
    return Link(counted, now_ms)


def holds(link: Link, identifier: str, links_ended: int) -> bool:
    """Whether a link still opens the page of one of its people."""
    return (identifier, links_ended % _COUNTED) in link.people


def seal(keyring: KeyRing, link: Link) -> str:
    """The token of a link."""
    parts = [_MADE.pack(link.made_ms // _MINUTE_MS)]
    parts += [_PERSON.pack(identifier.encode(), ended) for identifier, ended in link.people]
    return keyring.seal_token(PURPOSE, b"".join(parts))


def unseal(keyring: KeyRing, token: str, now_ms: int, valid_ms: int) -> Link:
    """What a token says.

    Args:
        keyring: that it was sealed with, or a later one that still has the key.
        token: as it stood in the address.
        now_ms: business ms UTC.
        valid_ms: how long a link is good for.

    Raises:
        InvalidToken: it is none of ours, was made for something else, or has expired.
    """
    payload = keyring.open_token(PURPOSE, token)
    (minutes,) = _MADE.unpack_from(payload)
    people = [(each.decode(), ended) for each, ended in _PERSON.iter_unpack(payload[_MADE.size :])]
    link = Link(tuple(people), minutes * _MINUTE_MS)
    if now_ms >= link.made_ms + valid_ms:
        raise InvalidToken
    return link
