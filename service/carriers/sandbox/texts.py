"""The texts that the sandbox's phones hold, kept in an append-only file."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from messages.sms import segment

if TYPE_CHECKING:
    from collections.abc import Iterator, KeysView, Mapping
    from pathlib import Path

INBOUND = "inbound"
REPLY = "outbound-reply"
FROM_API = "outbound-api"


def new_sid() -> str:
    """An id of the form that Twilio gives messages."""
    return "SM" + secrets.token_hex(16)


@dataclass(slots=True)
class Text:
    """One text.

    Attributes:
        sid: its id.
        direction: `INBOUND` (the patient wrote it), `FROM_API` (we did), or `REPLY` (an
            answer: the provider's own to STOP, START or HELP, or the TwiML of our webhook).
        sender: who wrote it; the number that a messaging service chose, where one was asked.
        written: the text as the phone shows it, for good.
        body: the text as the provider has it: empty once redacted.
        created_ms: machine time, ms UTC: what the provider's list tells.
        shown_ms: business time, ms UTC: what the page shows.
        fields: the form that created it; of our webhook's answer the text that it answers.
    """

    sid: str
    direction: str
    sender: str
    to: str
    written: str
    body: str
    created_ms: int
    shown_ms: int
    status: str
    error_code: int | None = None
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def by_carrier(self) -> bool:
        """Whether the provider answered by itself."""
        return self.direction == REPLY and not self.fields

    @property
    def phone(self) -> str:
        """The patient's number."""
        return self.sender if self.direction == INBOUND else self.to

    @property
    def segments(self) -> int:
        """How many SMS parts it takes."""
        return segment(self.written).count


class TextLog:
    """All texts, newest last; one JSON line an event, so that they survive a restart.

    Args:
        path: the file; made where missing. None keeps everything in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._texts: dict[str, Text] = {}
        self._by_phone: dict[str, list[Text]] = {}
        self._opted_out: set[str] = set()
        self.version = 0
        self._file: TextIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._replay(path)
            self._file = path.open("a", encoding="utf-8", buffering=1)

    def _replay(self, path: Path) -> None:
        if not path.exists():
            return
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:  # a crash cut the last line short
            path.write_bytes(whole)
        for line in whole.splitlines():
            self._apply(json.loads(line))

    def _note(self, event: Mapping[str, Any]) -> None:
        self._apply(event)
        if self._file is not None:
            self._file.write(json.dumps(event, ensure_ascii=False) + "\n")

    def _apply(self, event: Mapping[str, Any]) -> None:
        self.version += 1
        match event["event"]:
            case "text":
                text = Text(**event["text"])
                self._texts[text.sid] = text
                self._by_phone.setdefault(text.phone, []).append(text)
            case "status":
                text = self._texts[event["sid"]]
                text.status, text.error_code = event["status"], event["code"]
            case "redacted":
                self._texts[event["sid"]].body = ""
            case "opted_out":
                self._opted_out.add(event["phone"])
            case "opted_in":
                self._opted_out.discard(event["phone"])

    def add(self, text: Text) -> None:
        """Keep a text."""
        self._note({"event": "text", "text": asdict(text)})

    def move(self, sid: str, status: str, code: int | None = None) -> None:
        """Set a text's status."""
        self._note({"event": "status", "sid": sid, "status": status, "code": code})

    def redact(self, sid: str) -> None:
        """Have the provider forget a text; the phone keeps it."""
        self._note({"event": "redacted", "sid": sid})

    def opt(self, phone: str, *, out: bool) -> None:
        """Block a number at the provider, or unblock it."""
        self._note({"event": "opted_out" if out else "opted_in", "phone": phone})

    def opted_out(self, phone: str) -> bool:
        """Whether the provider blocks texts to a number (Twilio's 21610)."""
        return phone in self._opted_out

    def get(self, sid: str) -> Text | None:
        """One text, or None."""
        return self._texts.get(sid)

    def phones(self) -> KeysView[str]:
        """Every patient's number that a text was sent to or came from, first seen first."""
        return self._by_phone.keys()

    def of_phone(self, phone: str) -> list[Text]:
        """The texts on one phone, oldest first."""
        return self._by_phone.get(phone, [])

    def newest_first(self, phone: str | None = None) -> Iterator[Text]:
        """All texts, or those of one phone."""
        texts = self._texts.values() if phone is None else self.of_phone(phone)
        yield from reversed(texts)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
