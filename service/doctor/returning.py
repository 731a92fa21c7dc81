"""Checks of how mail comes back: the return address, the listener, and whose answers it takes."""

from __future__ import annotations

import smtplib
from email.utils import parseaddr
from typing import TYPE_CHECKING

from service.doctor.sentences import ok, problem, warning
from service.mail.addresses import ListenAt, parse_listen, parse_return_address

if TYPE_CHECKING:
    from collections.abc import Collection

    from service.clinics import Clinic
    from service.findings import Finding
    from service.settings import Settings

TIMEOUT_S = 5
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a listener on all is asked
_LABELS_ALIKE = 2


def mail(settings: Settings, clinics: Collection[Clinic] | None, *, connect: bool) -> list[Finding]:
    """Whether bounces and answers find their way; with ``connect`` the listener is greeted."""
    found = [_return_address(settings, clinics)]
    unread = [clinic.id for clinic in clinics or () if clinic.email_replies == "inbox"]
    if settings.return_address is None and unread:
        found.append(
            problem(
                "mail that comes back: answers",
                f"email_replies of {', '.join(unread)} is inbox, and no return address is set: "
                "answers go to the sender.",
                "Set AFTERVISIT_RETURN_ADDRESS, or take email_replies out of the clinics file.",
            )
        )
    if settings.mail_listen is not None:
        found.append(_listener(parse_listen(settings.mail_listen), connect=connect))
    return found


def _return_address(settings: Settings, clinics: Collection[Clinic] | None) -> Finding:
    name = "mail that comes back"
    if settings.return_address is None:
        if settings.smtp_url is None or settings.carriers_on_loopback:
            return ok(name, "No return address is set; not needed without real mail.")
        return warning(
            name,
            "No return address is set: bounces and complaints go to the sender of the mail, and "
            "dead mailboxes are written to on and on.",
            "Set AFTERVISIT_RETURN_ADDRESS and run `aftervisit mail` behind your mail server "
            "(docs/how-to/mail-that-comes-back.md).",
        )
    domain = parse_return_address(settings.return_address).domain
    senders = [settings.mail_from, *(clinic.mail_from for clinic in clinics or ())]
    for sender in filter(None, senders):
        own = parseaddr(sender)[1].rpartition("@")[2].lower()
        if not _akin(own, domain):
            return warning(
                name,
                f"Mail is from {own} and comes back to {domain}: SPF does not speak for the "
                "sender then (DMARC), so that DKIM alone has to.",
                f"Give AFTERVISIT_RETURN_ADDRESS a domain under {own}, such as bounces@mail.{own}.",
            )
    return ok(name, f"To bounces, answers and complaints at {domain}.")


def _akin(one: str, other: str) -> bool:
    """Whether two domains may be of one organisation, as DMARC's relaxed alignment wants it."""
    tails = [domain.split(".")[-_LABELS_ALIKE:] for domain in (one, other)]
    return tails[0] == tails[1]


def _listener(at: ListenAt, *, connect: bool) -> Finding:
    name = "mail that comes back: listener"
    where = f"{at.protocol}://{at.host}:{at.port}"
    if not connect:
        return ok(name, f"{where}.")
    host = _EVERYWHERE.get(at.host, at.host)
    try:
        with smtplib.SMTP(timeout=TIMEOUT_S) as session:
            code, _ = session.connect(host, at.port)
            answers = code == 220 and session.noop()[0] == 250  # noqa: PLR2004 - SMTP's
    except (OSError, smtplib.SMTPException):
        answers = False
    if answers:
        return ok(name, f"{where} answers.")
    return problem(
        name,
        f"Nobody takes mail at {where}.",
        "Run `aftervisit mail` there (`aftervisit up` does); see that no firewall is in between.",
    )
