"""The first look at a file, byte by byte: is it text at all, in which encoding, and which file."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from service.errors import InvalidInput

Open = Callable[[], BinaryIO]
"""Opens a file to be read from its beginning; may be called again."""
BLOCK: Final = 1 << 20
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAVE: Final = (
    'In the spreadsheet choose "Save as" and the type "CSV UTF-8", then import that file.'
)
_NOT_TEXT: Final = (
    (b"PK\x03\x04", "file_is_workbook", f"This is a workbook (.xlsx) or a zip archive. {_SAVE}"),
    (b"\xd0\xcf\x11\xe0", "file_is_workbook", f"This is an old workbook (.xls). {_SAVE}"),
    (b"%PDF", "file_is_pdf", "This is a PDF: import a CSV file."),
    (b"\x1f\x8b", "file_is_compressed", "This file is compressed: unpack it, then import it."),
    (b"{\\rtf", "file_is_rtf", f"This is a text document. {_SAVE}"),
    (b"<", "file_is_markup", f"This is a web page or XML. {_SAVE}"),
)
_UNREADABLE: Final = (
    f"The letters of this file cannot be read as {{}}. {_SAVE} "
    f"Or name its encoding, if you know which it is."
)


@dataclass(frozen=True, slots=True)
class Scanned:
    """What the bytes of a file tell.

    Attributes:
        digest: SHA-256, hexadecimal.
        size: bytes.
        encoding: as Python names it.
        sure: False where the file only may be in it: its names tell whether it is.
    """

    digest: str
    size: int
    encoding: str
    sure: bool = True


def scan(opened: Open, encoding: str = "") -> Scanned:
    """Read a file once from end to end.

    Args:
        opened: the file.
        encoding: its encoding where somebody told it.

    Raises:
        InvalidInput: it is empty, or no text.
    """
    digest, size, first = hashlib.sha256(), 0, b""
    utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
    for block in _blocks(opened):
        first = first or block
        digest.update(block)
        size += len(block)
        utf8 = _still(utf8, block)
    utf8 = _still(utf8, b"", final=True)
    if not first.strip():
        raise InvalidInput("file", "file_empty", "The file is empty.")
    found, sure = _encoding(first, encoding, is_utf8=utf8 is not None)
    return Scanned(digest.hexdigest(), size, found, sure)


def _encoding(first: bytes, told: str, *, is_utf8: bool) -> tuple[str, bool]:
    for bom, name in _BOMS:
        if first.startswith(bom):
            if name == "utf-8-sig" and not is_utf8:
                raise unreadable("UTF-8, as its first bytes say")
            return name, True
    for magic, code, sentence in _NOT_TEXT:
        if first.lstrip().startswith(magic):
            raise InvalidInput("file", code, sentence)
    if told:
        return told, True
    wide = _wide(first)
    if wide:
        return wide, True
    return ("utf-8", True) if is_utf8 else ("cp1252", False)


def unreadable(what: str) -> InvalidInput:
    """The error of a file whose letters cannot be told.

    Args:
        what: in which encoding it was tried.
    """
    return InvalidInput("file", "file_encoding", _UNREADABLE.format(what))


def _wide(first: bytes) -> str:
    """UTF-16 without a mark: in its Latin letters every other byte is zero."""
    head = first[:4096]
    half = len(head) // 2 or 1
    if head[1::2].count(0) > half * 0.7 and head[::2].count(0) < half * 0.1:
        return "utf-16-le"
    if head[::2].count(0) > half * 0.7 and head[1::2].count(0) < half * 0.1:
        return "utf-16-be"
    return ""


def _still(
    decoder: codecs.IncrementalDecoder | None, block: bytes, *, final: bool = False
) -> codecs.IncrementalDecoder | None:
    """The decoder, None from where the bytes are no UTF-8 on."""
    try:
        if decoder is not None:
            decoder.decode(block, final)
    except UnicodeDecodeError:
        return None
    return decoder


def _blocks(opened: Open) -> Iterator[bytes]:
    with opened() as file:
        while block := file.read(BLOCK):
            yield block
