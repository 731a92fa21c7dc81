"""The mails that the sandbox's mailboxes hold: a Maildir that both of its processes share."""

from __future__ import annotations

import mailbox
import os
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.utils import getaddresses, parsedate_to_datetime
from typing import TYPE_CHECKING

from service.clock import to_ms

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path

ENVELOPE_TO = "X-Original-To"
ENVELOPE_FROM = "Return-Path"
ARRIVED = "X-Arrived-Ms"
_ONE_CLICK = "List-Unsubscribe=One-Click"


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail.

    Attributes:
        key: its name in the Maildir.
        to: the mailboxes on its envelope, in lower case.
        sender: as the reader sees it: a name, or an address without one.
        sent_ms: business time, ms UTC, at which it came; its ``Date`` where that is not known.
        html: None where it has no such part.
        unsubscribe: where its one-click unsubscribing goes (RFC 8058), if it has that.
        reply_to: where answers go; None where they go to its sender.
        message_id: its ``Message-ID``, empty where it has none.
    """

    key: str
    to: tuple[str, ...]
    sender: str
    subject: str
    sent_ms: int
    text: str
    html: str | None
    unsubscribe: str | None
    reply_to: str | None
    message_id: str


class Letters:
    """All mails of the sandbox.

    Args:
        path: the Maildir; made where missing.
    """

    def __init__(self, path: Path) -> None:
        self._box = mailbox.Maildir(path, create=True)
        self._path = path
        self._read: dict[str, Letter] = {}

    def keep(
        self, content: bytes, sender: str | None, to: list[str], at_ms: int | None = None
    ) -> None:
        """Put a mail in the box, with its envelope, and when it came, written above it."""
        envelope = "" if at_ms is None else f"{ARRIVED}: {at_ms}\n"
        envelope += f"{ENVELOPE_FROM}: <{sender or ''}>\n"
        envelope += "".join(f"{ENVELOPE_TO}: {address}\n" for address in to)
        self._box.add(envelope.encode() + content.replace(b"\r\n", b"\n"))

    def all(self) -> list[Letter]:
        """Every mail, newest first by its date."""
        names = {entry.name for entry in os.scandir(self._path / "new")}
        for name in names - self._read.keys():
            content = (self._path / "new" / name).read_bytes()
            message = message_from_bytes(content, policy=policy.default)
            self._read[name] = _letter(name, message)
        return sorted(self._read.values(), key=lambda letter: (-letter.sent_ms, letter.key))

    def get(self, key: str) -> Letter | None:
        """One mail, or None."""
        self.all()
        return self._read.get(key)

    def boxes(self) -> list[str]:
        """Every mailbox that has mail."""
        return list(dict.fromkeys(to for letter in self.all() for to in letter.to))


def _letter(key: str, message: EmailMessage) -> Letter:
    name, address = (getaddresses([str(message["From"] or "")]) or [("", "")])[0]
    return Letter(
        key=key,
        to=tuple(str(to).strip().lower() for to in message.get_all(ENVELOPE_TO, [])),
        sender=name or address or "(no sender)",
        subject=str(message["Subject"] or "(no subject)"),
        sent_ms=int(message[ARRIVED] or _date_ms(str(message["Date"] or ""))),
        text=_part(message, "plain") or "",
        html=_part(message, "html"),
        unsubscribe=_one_click(message),
        reply_to=str(message["Reply-To"] or "").strip() or None,
        message_id=str(message["Message-ID"] or "").strip(),
    )


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    return None if part is None else str(part.get_content())


def _date_ms(text: str) -> int:
    try:
        date = parsedate_to_datetime(text)
        return to_ms(date)
    except ValueError:
        return 0


def _one_click(message: EmailMessage) -> str | None:
    if str(message["List-Unsubscribe-Post"] or "").strip() != _ONE_CLICK:
        return None
    for target in str(message["List-Unsubscribe"] or "").split(","):
        url = "".join(target.split()).strip("<>")
        if url.startswith(("https://", "http://")):
            return url
    return None
