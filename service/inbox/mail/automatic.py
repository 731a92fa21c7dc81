"""Mail that no person wrote: it is recognised, recorded, and never answered (RFC 3834)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from service.inbox.mail.letter import Letter

_PRECEDENCE: Final = frozenset({"bulk", "junk", "list", "auto_reply"})
_HEADERS: Final = (
    *("X-Autoreply", "X-Autorespond", "X-Autoresponse", "X-Mail-Autoreply", "X-AutoReply-From"),
    *("X-FC-MachineGenerated", "List-Id", "List-Unsubscribe", "Feedback-ID"),
)
"""Patients' mail programs write none of these."""
_DAEMON: Final = re.compile(
    r"(?:mailer-daemon|postmaster|mail-?delivery|maildaemon|noreply|no-reply|do-?not-?reply)"
    r"(?:[+.-][^@]*)?@",
    re.IGNORECASE,
)
_SUBJECT: Final = re.compile(
    r"(?:re:\s*)?(?:\[?automatic reply\]?|auto[ -]?reply|auto(?:matic)?[ -]?response|autoreply"
    r"|out[ -]of[ -](?:the[ -])?office(?: (?:auto[ -]?)?reply)?|away from (?:my mail|the office)"
    r"|respuesta autom[áa]tica|auto[ -]?respuesta|fuera de (?:la )?oficina|ausente de la oficina"
    r"|mensaje autom[áa]tico|r[ée]ponse automatique)\s*(?:[:\-!.].*)?",
    re.IGNORECASE,
)


def is_automatic(letter: Letter) -> bool:
    """Whether a mail is an automatic answer, a list's, a receipt of reading, or a machine's.

    One that may be a person's is not: a patient's words must not be lost.
    """
    submitted = letter.header("Auto-Submitted").partition(";")[0].strip().lower()
    if submitted not in {"", "no"}:
        return True
    if letter.header("Precedence").lower() in _PRECEDENCE:
        return True
    if any(letter.has(name) for name in _HEADERS):
        return True
    if letter.kind == "multipart/report":
        return True
    return _SUBJECT.fullmatch(letter.header("Subject")) is not None or is_daemon(letter)


def is_daemon(letter: Letter) -> bool:
    """Whether a mail comes from a mail server's own mailbox."""
    return _DAEMON.search(letter.header("From")) is not None
