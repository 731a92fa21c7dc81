"""A received mail, read with caution: whatever is in it, reading it neither fails nor hangs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import EmailPolicy
from html import unescape
from typing import Any, Final

MOST_LINES: Final = 300_000
"""A photo of 20 MB in base 64 has as many; each line of a header costs memory."""
MOST_PARTS: Final = 300
MOST_TEXT: Final = 200_000
"""Characters read of one part: nobody writes more, and patterns are run over it."""
MOST_HEADER: Final = 1_000
"""Characters kept of one header: parsing some takes time that grows with their square."""
_DROPPED: Final = frozenset({"head", "title", "blockquote"})
_BLOCKS: Final = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "table", "ul", "ol"})
_TAG: Final = re.compile(r"<(?P<closes>/?)(?P<name>[A-Za-z][A-Za-z0-9]{0,15}|[!?])")
_PROGRAM: Final = re.compile(r"</(?:script|style)", re.IGNORECASE)
_SPACES: Final = re.compile(r"\s+")


class _Cautious(EmailPolicy):
    """The standard policy, with headers cut to a length that can be parsed in no time."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:MOST_HEADER]


class Letter:
    """One mail.

    Attributes:
        unreadable: it could not be taken apart; then it has no headers and no text.
    """

    def __init__(self, content: bytes) -> None:
        self._message: Message[Any, Any] = EmailMessage()
        self.unreadable = content.count(b"\n") > MOST_LINES or content.count(b"\n--") > MOST_PARTS
        if self.unreadable:
            return
        try:
            self._message = BytesParser(policy=_Cautious()).parsebytes(content)
        except Exception:  # noqa: BLE001 - the parser raises whatever a broken mail makes it stumble on
            self.unreadable = True

    def header(self, name: str) -> str:
        """A header's text, unfolded and decoded; empty where there is none."""
        return header(self._message, name)

    def has(self, name: str) -> bool:
        """Whether there is such a header."""
        return name in self._message

    @property
    def kind(self) -> str:
        """Its content type, such as ``multipart/report``."""
        return kind(self._message)

    def parameter(self, name: str) -> str:
        """A parameter of its content type, in lower case; empty where there is none."""
        try:
            found = self._message.get_param(name)
        except Exception:  # noqa: BLE001 - as above
            return ""
        return found.lower() if isinstance(found, str) else ""

    def parts(self) -> Iterator[Message[Any, Any]]:
        """The mail and all its parts, in order, those of mails within it too."""
        yield from self._message.walk()

    def text(self) -> str:
        """What a person would read: the plain text, or what its HTML shows, less what it quotes.

        Parts that are mails of their own, or files, are left out.
        """
        plain, html = [], []
        for part in self._own(self._message):
            if kind(part) == "text/plain":
                plain.append(text_of(part))
            elif kind(part) == "text/html":
                html.append(_without_tags(text_of(part)))
        written = "\n".join(filter(str.strip, plain)) or "\n".join(html)
        return written[:MOST_TEXT]

    def _own(self, message: Message[Any, Any]) -> Iterator[Message[Any, Any]]:
        if message.is_multipart() and kind(message).startswith("multipart/"):
            for part in message.get_payload():
                if isinstance(part, Message):
                    yield from self._own(part)
        elif not message.is_multipart() and not _is_file(message):
            yield message


def kind(part: Message[Any, Any]) -> str:
    """A part's content type; ``text/plain`` where it cannot be read (RFC 2045, 5.2)."""
    try:
        return part.get_content_type()
    except Exception:  # noqa: BLE001 - as above
        return "text/plain"


def header(part: Message[Any, Any], name: str) -> str:
    """A part's header as text; as it came where it cannot be parsed."""
    try:
        found = part.get(name)
    except Exception:  # noqa: BLE001 - as above
        found = next((v for n, v in part.raw_items() if n.lower() == name.lower()), "")
    return " ".join(str(found or "").split())


def text_of(part: Message[Any, Any]) -> str:
    """A part's text whatever its encoding claims to be, without NULs."""
    try:
        content = part.get_payload(decode=True)
        charset = part.get_content_charset("utf-8")
    except Exception:  # noqa: BLE001 - as above
        return ""
    raw = content[: 4 * MOST_TEXT] if isinstance(content, bytes) else b""
    try:
        text = raw.decode(charset, "replace")
    except (LookupError, ValueError):
        text = raw.decode("utf-8", "replace")
    # Some encodings make halves of characters, which nothing could be stored with.
    whole = text[:MOST_TEXT].encode("utf-8", "replace").decode()
    return whole.replace("\x00", "")


def _is_file(part: Message[Any, Any]) -> bool:
    return header(part, "Content-Disposition").lower().startswith("attachment")


def _without_tags(text: str) -> str:
    """What HTML shows, less what it quotes.

    The standard library's parser takes minutes over some texts that somebody makes up, and none of
    what it does beyond this is needed here: each character is looked at a fixed number of times.
    """
    text = _without_comments(text)
    words: list[str] = []
    within, at = 0, 0
    while (start := text.find("<", at)) >= 0:
        tag = _TAG.match(text, start)
        end = text.find(">", start) if tag else start
        if end < 0:
            break
        if not within:
            words.append(_SPACES.sub(" ", text[at:start] if tag else text[at : start + 1]))
        at = end + 1
        name = tag["name"].lower() if tag else ""
        if name in _BLOCKS:
            words.append("\n")
        elif name in {"script", "style"} and tag and not tag["closes"]:
            closing = _PROGRAM.search(text, at)
            at = closing.start() if closing else len(text)
        elif name == "body":
            within = 0  # a head need not be closed
        elif name in _DROPPED and tag:
            within = max(0, within - 1) if tag["closes"] else within + 1
    words.append(_SPACES.sub(" ", "" if within else text[at:]))
    lines = unescape("".join(words)).split("\n")
    return "\n".join(" ".join(line.split()) for line in lines)


def _without_comments(text: str) -> str:
    """A text without comments; the mark of one that is never closed goes alone."""
    kept, at = [], 0
    while (start := text.find("<!--", at)) >= 0:
        end = text.find("-->", start + 4)
        kept.append(text[at:start])
        if end < 0:
            return "".join(kept) + text[start:].replace("<!--", " ")
        at = end + 3
    return "".join((*kept, text[at:]))
