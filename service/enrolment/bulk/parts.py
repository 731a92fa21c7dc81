"""A file that is read part by part, from wherever its parts are."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, cast

from service.enrolment.bulk.scan import Open

PART: Final = 1 << 18
"""Bytes of a file that are kept, or read, together."""


def opens_parts(parts: Callable[[], Iterator[bytes]]) -> Open:
    """What opens a file whose parts are given anew each time."""
    return lambda: cast("BinaryIO", io.BufferedReader(_Parts(parts()), PART))


def opens_again(file: BinaryIO) -> Open:
    """What opens a file that is open already from its beginning; it is left open."""

    def parts() -> Iterator[bytes]:
        file.seek(0)
        return iter(lambda: file.read(PART), b"")

    return opens_parts(parts)


class _Parts(io.RawIOBase):
    """A file that is read part by part."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        super().__init__()
        self._parts = parts
        self._rest = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - as its base has it
        """Fill a buffer as far as the next part goes."""
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = part
        given, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)
