"""Reports of machines: on delivery (RFC 3464), on abuse (RFC 5965), and bounces of no standard."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from service.inbox.mail.automatic import is_daemon
from service.inbox.mail.letter import header, kind
from service.inbox.mail.statuses import GENERIC, Severity, severity, status_in

if TYPE_CHECKING:
    from service.inbox.mail.letter import Letter

_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_MOST_BLOCKS: Final = 100
_MOST_WORDS: Final = 20_000
_DELAY: Final = re.compile(
    r"\b(?:delay(?:ed)?|warning|will (?:be retried|keep trying)|still being retried"
    r"|retras(?:o|ado))\b",
    re.IGNORECASE,
)
_FAILURE: Final = re.compile(
    r"undeliver|delivery (?:status|failure|has failed|report)|failure notice|returned (?:mail|to)"
    r"|(?:delivery|message) failed|failed delivery|could not be delivered|delivery problem"
    r"|no se (?:puede|ha podido|pudo) entregar|no entregado|mensaje devuelto|error de entrega",
    re.IGNORECASE,
)
_HARMLESS_FEEDBACK: Final = frozenset({"not-spam", "auth-failure", "dmarc", "dkim"})
_MILDEST: Final = (Severity.OURS, Severity.COUNTED, Severity.DEAD)


class Fate(StrEnum):
    """How far a mail has come, as its mail servers tell."""

    FAILED = "failed"
    DELAYED = "delayed"
    PASSED_ON = "passed_on"
    """Handed to another system, which reports no further (relayed, expanded)."""
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Report:
    """What mail servers say of one mail.

    Attributes:
        status: the enhanced status, empty where none is told.
    """

    fate: Fate
    status: str = ""


def delivery_report(letter: Letter) -> Report | None:
    """What a delivery status notification says; None where the mail is none.

    Our mails have one recipient each. Where a mailbox stands for several, one that got the mail is
    enough, and of several failures the mildest counts.
    """
    blocks = [block for part in letter.parts() for block in _blocks(part)]
    told = [report for report in map(_told, blocks[:_MOST_BLOCKS]) if report is not None]
    if not told:
        return None
    for fate in (Fate.DELIVERED, Fate.PASSED_ON, Fate.DELAYED):
        for report in told:
            if report.fate is fate:
                return report
    return min(told, key=lambda report: _MILDEST.index(severity(report.status)))


def _blocks(part: Message[Any, Any]) -> list[Message[Any, Any]]:
    """The groups of fields of a report's machine-readable part."""
    if kind(part) not in {"message/delivery-status", "message/global-delivery-status"}:
        return []
    content = part.get_payload()
    return [one for one in content if isinstance(one, Message)] if isinstance(content, list) else []


def _told(block: Message[Any, Any]) -> Report | None:
    """What one group of fields says; None for the group about the whole message."""
    if "Action" not in block and "Status" not in block:
        return None
    found = _STATUS.search(header(block, "Status"))
    status = found[0] if found else ""
    if not status or status in GENERIC:
        status = status_in(header(block, "Diagnostic-Code")) or status
    match header(block, "Action").lower():
        case "failed":
            return Report(Fate.FAILED, status)
        case "delayed":
            return Report(Fate.DELAYED, status)
        case "delivered":
            return Report(Fate.DELIVERED, status)
        case "relayed" | "expanded":
            return Report(Fate.PASSED_ON, status)
        case _:
            fates = {"2": Fate.DELIVERED, "4": Fate.DELAYED, "5": Fate.FAILED}
            return Report(fates[status[0]], status) if status else None


def loose_bounce(letter: Letter, *, null_sender: bool) -> Report | None:
    """What a bounce in a form of its own says (qmail, old Exim, appliances); None where it is none.

    Only for mail to a signed return path, which says already whose it is. Answers of people on
    leave go there as well.
    """
    subject = letter.header("Subject")
    failed = letter.has("X-Failed-Recipients") or _FAILURE.search(subject) is not None
    silent = null_sender and not letter.has("Auto-Submitted")
    if not failed and not is_daemon(letter) and not silent:
        return None
    words = letter.text()[:_MOST_WORDS]
    if _DELAY.search(subject) and not letter.has("X-Failed-Recipients"):
        return Report(Fate.DELAYED, status_in(words))
    return Report(Fate.FAILED, status_in(words))


def is_complaint(letter: Letter) -> bool | None:
    """Whether an abuse report complains; None where the mail is no such report."""
    for part in letter.parts():
        if kind(part) == "message/feedback-report":
            return _feedback(part) not in _HARMLESS_FEEDBACK
    if letter.kind == "multipart/report" and letter.parameter("report-type") == "feedback-report":
        return True
    return None


def _feedback(part: Message[Any, Any]) -> str:
    """The ``Feedback-Type``, in lower case; the parser may see a mail or a text in such a part."""
    content = part.get_payload()
    if isinstance(content, list):
        found = [header(one, "Feedback-Type") for one in content if isinstance(one, Message)]
        return next(filter(None, found), "").lower()
    match = re.search(r"^feedback-type:\s*([\w-]+)", str(content), re.IGNORECASE | re.MULTILINE)
    return match[1].lower() if match else ""
