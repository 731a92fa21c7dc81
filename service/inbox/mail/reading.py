"""What a mail that came back is, and what it says. Pure: the same bytes always read the same."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from service.dispatch.return_paths import Purpose
from service.inbox.mail.automatic import is_automatic
from service.inbox.mail.letter import Letter
from service.inbox.mail.quoting import own_words
from service.inbox.mail.reports import Fate, Report, delivery_report, is_complaint, loose_bounce

MOST_BODY: Final = 10_000
_ADDRESS: Final = re.compile(r"[^\s<>\"(),;:@]+@[^\s<>\"(),;:@]+")
"""The last of these is the sender's: a name in front may look like one."""
_ANSWERS: Final = re.compile(r"(?:re|rv|fw|fwd|aw|sv|tr|resp?)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)


class Kind(StrEnum):
    """What a mail is."""

    BOUNCE = "bounce"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    COMPLAINT = "complaint"
    NOT_SPAM = "not_spam"
    LEAVE = "leave"
    AUTOMATIC = "automatic"
    REPLY = "reply"


_OF_FATE: Final = {
    Fate.FAILED: Kind.BOUNCE,
    Fate.DELAYED: Kind.DELAYED,
    Fate.PASSED_ON: Kind.DELAYED,
    Fate.DELIVERED: Kind.DELIVERED,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was made of a mail.

    Attributes:
        message_id: its Message-ID; where it has none, a hash of all of it.
        status: of a report, the enhanced status, empty where none was told.
        sender: of a reply: who it says it is from, which proves nothing.
        body: of a reply: the sender's own words, at most ``MOST_BODY`` characters.
    """

    kind: Kind
    message_id: str
    status: str = ""
    sender: str = ""
    body: str = ""


def read(content: bytes, purpose: Purpose, *, null_sender: bool) -> Reading:
    """Tell what a mail is; never raises, whatever the mail is like.

    Args:
        content: the mail as it was received.
        purpose: of the address that it came to.
        null_sender: whether its envelope names nobody to answer to.
    """
    letter = Letter(content)
    identifier = letter.header("Message-ID") or hashlib.sha256(content).hexdigest()
    found = _report(letter, purpose, null_sender=null_sender)
    if isinstance(found, Report):
        return Reading(_OF_FATE[found.fate], identifier, found.status)
    if found is not None:
        return Reading(found, identifier)
    if null_sender or is_automatic(letter):
        return Reading(Kind.AUTOMATIC, identifier)
    sender = ["", *_ADDRESS.findall(letter.header("From"))][-1]
    return Reading(Kind.REPLY, identifier, sender=sender, body=_said(letter))


def _report(letter: Letter, purpose: Purpose, *, null_sender: bool) -> Report | Kind | None:
    """What a machine, or the wish to leave, says; None for what is left."""
    complains = is_complaint(letter)
    if complains is not None:
        return Kind.COMPLAINT if complains else Kind.NOT_SPAM
    told = delivery_report(letter)
    match purpose:
        case Purpose.BOUNCE:
            return told or loose_bounce(letter, null_sender=null_sender)
        case Purpose.REPLY:
            return told
        case Purpose.LEAVE:  # nothing is ever sent from there that could bounce
            return Kind.AUTOMATIC if told else Kind.LEAVE
        case Purpose.COMPLAINT:
            return Kind.AUTOMATIC if told else Kind.COMPLAINT


def _said(letter: Letter) -> str:
    """The words of an answer, with a subject that the sender wrote anew before them."""
    subject = letter.header("Subject")
    words = own_words(letter.text())
    anew = subject if subject and not _ANSWERS.match(subject) else ""
    return "\n".join(filter(None, (anew, words)))[:MOST_BODY]
