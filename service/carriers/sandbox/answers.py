"""Answering a mail as the patient: a mail of their own, handed to the service's listener."""

from __future__ import annotations

import asyncio
import smtplib
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from typing import TYPE_CHECKING, Final

from service.carriers.sandbox.tail import Tail, note
from service.clock import from_ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from service.carriers.sandbox.letters import Letter

ANSWERS: Final = "answers.jsonl"
_DEADLINE_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A mail that a patient wrote.

    Attributes:
        id: its ``Message-ID``.
        letter: key of the mail that it answers.
        mailbox: whose it is.
        to: where it went.
        words: without what they quote.
        shown_ms: business time, ms UTC.
        fault: what the listener said where it did not take it, else empty.
    """

    id: str
    letter: str
    mailbox: str
    to: str
    words: str
    shown_ms: int
    fault: str


class Answers:
    """All that patients have answered by mail, kept in an append-only file.

    Args:
        path: the file; made where missing.
        port: where the service takes mail by SMTP on this machine; None where it takes none.
        business_ms: business time, ms UTC.
    """

    def __init__(self, path: Path, port: int | None, business_ms: Callable[[], int]) -> None:
        self._path = path
        self._tail = Tail(path)
        self._port = port
        self._business_ms = business_ms
        self._all: list[Answer] = []

    def takes(self, letter: Letter | None) -> bool:
        """Whether a mail can be answered: it says where to, and somebody listens."""
        return letter is not None and self._port is not None and letter.reply_to is not None

    def all(self) -> list[Answer]:
        """Every answer, oldest first."""
        self._all += [Answer(**line) for line in self._tail.new()]
        return self._all

    async def send(self, letter: Letter, mailbox: str, words: str) -> Answer:
        """Answer a mail; the listener's refusal is kept with it, nothing is raised."""
        mail = answer_to(letter, mailbox, words, self._business_ms())
        fault = await asyncio.to_thread(self._hand_over, mail, mailbox)
        answer = Answer(
            id=str(mail["Message-ID"]),
            letter=letter.key,
            mailbox=mailbox,
            to=letter.reply_to or "",
            words=words,
            shown_ms=self._business_ms(),
            fault=fault,
        )
        note(self._path, asdict(answer))
        return answer

    def _hand_over(self, mail: EmailMessage, mailbox: str) -> str:
        try:
            with smtplib.SMTP("127.0.0.1", self._port or 0, timeout=_DEADLINE_S) as listener:
                listener.send_message(mail, from_addr=mailbox)
        except smtplib.SMTPRecipientsRefused as error:
            return _said(*next(iter(error.recipients.values())))
        except smtplib.SMTPResponseException as error:
            return _said(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError):
            return "nobody listens"
        return ""


def _said(code: int, words: bytes | str) -> str:
    return f"{code} {words.decode(errors='replace') if isinstance(words, bytes) else words}"


def answer_to(letter: Letter, mailbox: str, words: str, now_ms: int) -> EmailMessage:
    """A reply as mail programs write it: threaded, with what it answers quoted beneath.

    Args:
        letter: that is answered.
        mailbox: of whoever answers.
        words: theirs.
        now_ms: its date, business ms UTC.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = mailbox
    mail["To"] = letter.reply_to
    mail["Subject"] = f"Re: {letter.subject.removeprefix('Re: ')}"
    mail["Date"] = from_ms(now_ms)
    mail["Message-ID"] = make_msgid(domain=mailbox.rpartition("@")[2])
    if letter.message_id:
        mail["In-Reply-To"] = mail["References"] = letter.message_id
    wrote = f"On {from_ms(letter.sent_ms):%a, %d %b %Y at %H:%M}, {letter.sender} wrote:"
    quoted = "\n".join(f"> {line}".rstrip() for line in letter.text.splitlines())
    mail.set_content(f"{words}\n\n{wrote}\n{quoted}\n")
    return mail
