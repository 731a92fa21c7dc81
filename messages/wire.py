"""Bodies in the form they travel in: quoted-printable (RFC 2045 section 6.7), lines ending in CRLF.

Encoding a page takes several times as long as filling in its values. So the text between the values
is encoded once, and each value stands between two soft line breaks, which a reader never sees:
wherever it falls, no line is longer than 76 octets.
"""

from binascii import b2a_qp
from collections.abc import Callable, Mapping
from typing import Final

from messages.template import Pieces, Slot

WirePieces = tuple[bytes | Slot, ...]

_SOFT_BREAK: Final = b"=\r\n"


def quoted_printable(text: str) -> bytes:
    """Return the text encoded; what UTF-8 cannot hold becomes a question mark."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    return b2a_qp(lines, quotetabs=False, istext=True).replace(b"\n", b"\r\n")


def encode_pieces(pieces: Pieces) -> WirePieces:
    """Encode what lies between the slots."""
    return tuple(_with_room(piece) if isinstance(piece, str) else piece for piece in pieces)


def fill_wire(pieces: WirePieces, writers: Mapping[str, Callable[[str], str]]) -> bytes:
    """Put encoded values in the slots' places; see `messages.template.fill`."""
    return b"".join(
        piece
        if isinstance(piece, bytes)
        else _SOFT_BREAK + _with_room(writers[piece.kind](piece.variable)) + _SOFT_BREAK
        for piece in pieces
    )


def fill_common(
    pieces: WirePieces, writers: Mapping[str, Callable[[str], str]], later: frozenset[str]
) -> WirePieces:
    """Put encoded values in all slots but those of the variables that are filled in `later`."""
    filled: list[bytes | Slot] = []
    for piece in pieces:
        if isinstance(piece, Slot) and piece.variable in later:
            filled.append(piece)
            continue
        text = fill_wire((piece,), writers)
        if filled and isinstance(filled[-1], bytes):
            filled[-1] += text
        else:
            filled.append(text)
    return tuple(filled)


def _with_room(text: str) -> bytes:
    """Encode with one letter more, then take it away: the last line has room for a soft break."""
    return quoted_printable(text + "x")[:-1]
