"""One e-mail as bytes, ready for SMTP.

The bytes are put together directly: the standard library's `EmailMessage` takes about a
millisecond for what is the same few headers and two bodies each time. The tests parse every kind of
value back with the standard library's own parser.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

from messages.errors import EnvelopeError
from messages.render import EmailContent, Letter, one_line
from messages.wire import quoted_printable

# "=_" cannot occur in quoted-printable text (RFC 2045 section 6.7), so no body can hold this line.
BOUNDARY: Final = "=_aftervisit"


def _part(subtype: str) -> bytes:
    return (
        f"\r\n--{BOUNDARY}\r\n"
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n"
        "\r\n"
    ).encode("ascii")


_TEXT_PART: Final = _part("plain")
_HTML_PART: Final = _part("html")
_END: Final = f"\r\n--{BOUNDARY}--\r\n".encode("ascii")

_MAX_LINE: Final = 998  # RFC 5322 section 2.1.1
_PLAIN_SUBJECT: Final = 66  # what fits a line of 76 after "Subject: "

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM: Final = rf"{_ATOM}(?:\.{_ATOM})*"
_ADDRESS: Final = re.compile(rf"{_DOT_ATOM}@{_DOT_ATOM}")
_LIST_ID: Final = re.compile(_DOT_ATOM)
_WEB_URI: Final = re.compile(r"https?://[!#-;=?-~]+")
_MAIL_URI: Final = re.compile(r"mailto:[!#-;=?-~]+")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who writes to whom, and how the patient leaves.

    Attributes:
        sender: the address mail comes from, ASCII.
        sender_name: the name shown beside it, any text.
        recipient: the address as `parse_email` returns it; no name is put beside it.
        message_id: "left@right", with or without angle brackets; the same for the same delivery.
        date: an aware datetime.
        list_id: RFC 2919 identifier without brackets, such as "tips.riverside.example.org"; it
            must not name a condition.
        unsubscribe_url: RFC 8058 one-click page; https: in production.
        unsubscribe_mailto: an address or a mailto: URI, where there is one.
        reply_to: where answers go, where not to the sender.
    """

    sender: str
    sender_name: str
    recipient: str
    message_id: str
    date: datetime
    list_id: str
    unsubscribe_url: str
    unsubscribe_mailto: str | None = None
    reply_to: str | None = None


def compose(content: EmailContent | Letter, envelope: Envelope) -> bytes:
    """Return the message by RFC 5322, lines ending in CRLF, none longer than 998 octets.

    multipart/alternative of a plain-text and an HTML part (RFC 2046), both quoted-printable, so
    that no relay has to rewrite what DKIM has signed. Headers: List-Unsubscribe and
    List-Unsubscribe-Post (RFC 8058), List-Id (RFC 2919), Auto-Submitted (RFC 3834).

    A `Letter` (its bodies are encoded already) and the `EmailContent` of the same message give mail
    that reads the same.

    Raises:
        EnvelopeError: a value cannot stand in its header. Subject and sender's name cannot fail:
            what is not printable in them becomes a space.
    """
    if envelope.date.tzinfo is None:
        raise EnvelopeError("date has no zone; pass an aware datetime")
    fixed = _fixed_headers(
        envelope.sender, envelope.sender_name, envelope.list_id, content.language
    )
    recipient = _checked("recipient", envelope.recipient, _ADDRESS)
    message_id = _checked("message_id", _unbracketed(envelope.message_id), _ADDRESS)
    replies = envelope.reply_to
    reply_to = f"Reply-To: {_checked('reply_to', replies, _ADDRESS)}\r\n" if replies else ""
    head = (
        f"{fixed}To: {recipient}\r\n"
        f"{reply_to}"
        f"Subject: {_subject(one_line(content.subject))}\r\n"
        f"Date: {format_datetime(envelope.date)}\r\n"
        f"Message-ID: <{message_id}>\r\n"
        f"List-Unsubscribe: {_unsubscribe(envelope)}\r\n"
        "\r\n"
    )
    if len(head) > _MAX_LINE and max(map(len, head.split("\r\n"))) > _MAX_LINE:
        raise EnvelopeError("a header is longer than 998 characters; shorten its value")
    if isinstance(content, Letter):
        text, html = content.text, content.html
    else:
        text, html = quoted_printable(content.text), quoted_printable(content.html)
    return b"".join((head.encode("ascii"), _TEXT_PART, text, _HTML_PART, html, _END))


@lru_cache(maxsize=256)
def _fixed_headers(sender: str, sender_name: str, list_id: str, language: str) -> str:
    """Return the headers that all mail of one clinic in one language has in common."""
    return (
        f"From: {_mailbox(one_line(sender_name), _checked('sender', sender, _ADDRESS))}\r\n"
        f"List-Id: <{_checked('list_id', list_id, _LIST_ID)}>\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        "Auto-Submitted: auto-generated\r\n"
        f"Content-Language: {_checked('language', language, _LANGUAGE)}\r\n"
        "MIME-Version: 1.0\r\n"
        f'Content-Type: multipart/alternative; boundary="{BOUNDARY}"\r\n'
    )


def _checked(field: str, value: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(value):
        # The value is kept out of the error: it may be a patient's address.
        raise EnvelopeError(f"{field} cannot stand in a header; correct it where it is configured")
    return value


def _unbracketed(message_id: str) -> str:
    return message_id.removeprefix("<").removesuffix(">")


def _mailbox(name: str, address: str) -> str:
    if not name:
        return address
    if name.isascii() and "=?" not in name:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"\r\n <{address}>'
    return f"{_encoded(name, 'From')}\r\n <{address}>"


@lru_cache(maxsize=1024)
def _subject(text: str) -> str:
    if text.isascii() and len(text) <= _PLAIN_SUBJECT and "=?" not in text:
        return text
    return _encoded(text, "Subject")


def _encoded(text: str, header: str) -> str:
    """Return RFC 2047 encoded words, folded."""
    return Header(text, "utf-8", header_name=header).encode(linesep="\r\n")


def _unsubscribe(envelope: Envelope) -> str:
    uris = [_checked("unsubscribe_url", envelope.unsubscribe_url, _WEB_URI)]
    if envelope.unsubscribe_mailto is not None:
        uri = envelope.unsubscribe_mailto
        uri = uri if uri.startswith("mailto:") else f"mailto:{uri}"
        uris.append(_checked("unsubscribe_mailto", uri, _MAIL_URI))
    return ",\r\n ".join(f"<{uri}>" for uri in uris)
