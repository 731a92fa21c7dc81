"""Who stood in a file already: a table of fixed size, 8 bytes a place."""

from __future__ import annotations

from array import array
from typing import Final

_ROW_BITS: Final = 24
MOST_ROWS: Final = (1 << _ROW_BITS) - 1
"""Row numbers that fit."""
_ROWS: Final = MOST_ROWS
_FULL: Final = 0.6


class Seen:
    """Keeps keys, each with the row it was first met in; 8 bytes a place, 27 MB for a million.

    Two different keys pass for one in about one of a billion files of a million rows.
    """

    def __init__(self, keys: int) -> None:
        """An empty table.

        Args:
            keys: how many are kept at most.
        """
        size = 1 << max(8, int(keys / _FULL).bit_length())
        self._mask = size - 1
        self._bits = self._mask.bit_length()
        self._places = array("Q", (0,)) * size

    def find(self, key: int) -> int | None:
        """The row that a key was first met in.

        Args:
            key: 64 bits, evenly spread.
        """
        value = self._places[self._place(key)]
        return value & _ROWS if value else None

    def keep(self, key: int, row: int) -> None:
        """Keep a key; one that is known stays as it is.

        Args:
            key: 64 bits, evenly spread.
            row: more than 0, at most ``MOST_ROWS``.
        """
        place = self._place(key)
        if not self._places[place]:
            self._places[place] = (key >> self._bits << _ROW_BITS & ~_ROWS & _WORD) | row

    def _place(self, key: int) -> int:
        """Where a key is, or would be put."""
        wanted = key >> self._bits << _ROW_BITS & _WORD
        place = key & self._mask
        while (value := self._places[place]) and value & ~_ROWS != wanted:
            place = (place + 1) & self._mask
        return place


_WORD: Final = (1 << 64) - 1
