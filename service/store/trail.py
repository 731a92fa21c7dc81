"""The audit of everything, newest first: the streams of all partitions, of staff and of imports.

Nothing here writes, and nothing anywhere takes an entry out: a stream only grows. Entries are in
the order of the numbers that their server gave them, which no process of ours can choose.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Final

import redis

from service.clock import BusinessClock, MachineClock
from service.store.audit import SLACK_MS, Entry, entry_of
from service.store.connection import store_errors
from service.store.keys import ImportKeys, PartitionKeys, StaffKeys
from service.store.scripts import as_text

FIRST_READ: Final = 4
"""Entries of each stream read at first; of hardly any are more than these on the newest page."""
MOST_READ: Final = 256
_END: Final = 2**64
"""What the numbers of a server's entries are below."""
STAFF: Final = "staff"
"""Name of the stream about accounts; a partition's is its number."""
IMPORTS: Final = "imports"
"""Name of the stream about files of patients."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an entry stands: later ones come first, and of those of one instant by stream.

    Attributes:
        ms: when its server numbered it, ms UTC.
        number: among those of one millisecond.
        stream: name of the stream.
    """

    ms: int
    number: int
    stream: str

    def __str__(self) -> str:
        return f"{self.ms}-{self.number}-{self.stream}"

    @classmethod
    def read(cls, text: str) -> Place | None:
        """A place as it was told; None where the text is none."""
        ms, _, rest = text.partition("-")
        number, _, stream = rest.partition("-")
        plain = all(part.isascii() and part.isalnum() for part in (ms, number, stream))
        if not plain or not ms.isdigit() or not number.isdigit() or len(text) > 64:  # noqa: PLR2004
            return None
        if not 0 < int(ms) < _END or int(number) >= _END:  # which no server answers
            return None
        return cls(int(ms), int(number), stream)

    @property
    def order(self) -> tuple[int, int, str]:
        """Sort key: the newest first."""
        return -self.ms, -self.number, self.stream


@dataclass(frozen=True, slots=True)
class Trace:
    """An entry with where it stands."""

    place: Place
    entry: Entry


@dataclass
class _Stream:
    """One stream as far as it has been read."""

    name: str
    key: str
    upper: str
    lower: str
    most: int = FIRST_READ
    over: bool = False
    rows: deque[Trace] = field(default_factory=deque)

    @property
    def is_low(self) -> bool:
        return not self.over and len(self.rows) <= self.most // 4

    def take(self, rows: Sequence[Any]) -> None:
        for identifier, fields in rows:
            ms, _, number = as_text(identifier).partition("-")
            read = {as_text(name): as_text(value) for name, value in fields.items()}
            self.rows.append(Trace(Place(int(ms), int(number), self.name), entry_of(read)))
        self.over = len(rows) < self.most
        if rows:
            self.upper = f"({as_text(rows[-1][0])}"
        self.most = min(2 * self.most, MOST_READ)


class Trail:
    """Reads them, a little of each stream at a time, all of them in one round trip."""

    def __init__(
        self,
        client: redis.Redis,
        partitions: int,
        business: BusinessClock,
        machine: MachineClock,
    ) -> None:
        self._client = client
        self._partitions = partitions
        self._business = business
        self._machine = machine

    def newest_first(
        self,
        *,
        partitions: Sequence[int] | None = None,
        staff: bool = True,
        before: Place | None = None,
        since_ms: int | None = None,
        until_ms: int | None = None,
    ) -> Iterator[Trace]:
        """Entries, the newest first, read as they are asked for.

        Args:
            partitions: only these; None for all.
            staff: whether what concerns accounts and imports is among them.
            before: only what comes after this place.
            since_ms: from then on, business ms UTC.
            until_ms: before then.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        wanted = range(self._partitions) if partitions is None else partitions
        keys = {str(partition): PartitionKeys(partition).audit for partition in wanted}
        if staff:
            keys |= {STAFF: StaffKeys.audit, IMPORTS: ImportKeys.audit}
        upper, lower = self._bounds(since_ms, until_ms)
        streams = [
            _Stream(name, key, _upper(name, before, upper), lower) for name, key in keys.items()
        ]
        for trace in self._merged(streams):
            at_ms = trace.entry.at_ms
            if (since_ms is None or at_ms >= since_ms) and (until_ms is None or at_ms < until_ms):
                yield trace

    def _merged(self, streams: Sequence[_Stream]) -> Iterator[Trace]:
        heads: list[tuple[tuple[int, int, str], int]] = []
        unread = list(range(len(streams)))  # of which the next entry is not known
        while True:
            if unread:
                self._refill([stream for stream in streams if stream.is_low])
                for number in unread:
                    if streams[number].rows:
                        heappush(heads, (streams[number].rows[0].place.order, number))
                unread = []
            if not heads:
                return
            _, number = heappop(heads)
            stream = streams[number]
            trace = stream.rows.popleft()
            if stream.rows:
                heappush(heads, (stream.rows[0].place.order, number))
            elif not stream.over:
                unread = [number]
            yield trace

    def _bounds(self, since_ms: int | None, until_ms: int | None) -> tuple[str, str]:
        """Between which numbers entries are looked for."""
        # Where business time runs fast, the server's clock says nothing about it.
        if abs(self._business.now_ms() - self._machine.now_ms()) > SLACK_MS:
            return "+", "-"
        upper = "+" if until_ms is None else str(max(0, until_ms + SLACK_MS))
        return upper, "-" if since_ms is None else str(max(0, since_ms - SLACK_MS))

    def _refill(self, streams: Sequence[_Stream]) -> None:
        with store_errors(self._client):
            pipeline = self._client.pipeline(transaction=False)
            for stream in streams:
                pipeline.xrevrange(stream.key, stream.upper, stream.lower, count=stream.most)
            answers = pipeline.execute()
        for stream, rows in zip(streams, answers, strict=True):
            stream.take(rows)


def _upper(name: str, before: Place | None, upper: str) -> str:
    """Up to where a stream is read: of those of one instant the earlier names came first."""
    if before is None:
        return upper
    exact = f"{before.ms}-{before.number}"
    return exact if name > before.stream else f"({exact}"
