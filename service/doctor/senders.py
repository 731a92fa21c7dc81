"""Checks of what sends: Twilio, the mail server, our public address, and the clinics."""

from __future__ import annotations

import re
import smtplib
from email.utils import parseaddr
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from messages.addresses import AddressError, parse_email
from service.carriers.smtp_url import MailServer, parse_smtp_url
from service.clinics import Clinic, load_clinics
from service.doctor.sentences import ok, problem, refused, warning
from service.errors import ConfigurationError
from service.settings import LOOPBACK_HOSTS

if TYPE_CHECKING:
    from collections.abc import Collection

    from service.findings import Finding
    from service.settings import Settings

MAIL_TIMEOUT_S = 5
_ACCOUNT = re.compile(r"AC[0-9a-f]{32}")
_SERVICE = re.compile(r"MG[0-9a-f]{32}")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{5,6}")


def clinics(settings: Settings) -> tuple[Finding, tuple[Clinic, ...] | None]:
    """Whether real carriers have real clinics; None where only the made-up one is there."""
    name = "clinics"
    if settings.clinics is None:
        if settings.carriers_on_loopback:
            return ok(name, "The made-up clinic; enough without real carriers."), None
        return problem(
            name,
            "Real carriers are set up, and no clinic is.",
            "Set AFTERVISIT_CLINICS to a TOML file with each clinic's name, phone and address.",
        ), None
    try:
        found = tuple(load_clinics(settings.clinics).values())
    except ConfigurationError as error:
        return refused(name, error), None
    return ok(name, f"{', '.join(clinic.id for clinic in found)}."), found


def alerts(clinics: Collection[Clinic] | None) -> list[Finding]:
    """Whether somebody is told when a reply may be urgent."""
    if clinics is None:
        return []
    silent = [
        clinic.id
        for clinic in clinics
        if not (clinic.alert_emails or clinic.alert_phones or clinic.alert_webhook)
    ]
    if not silent:
        return [ok("alerts", "Every clinic has somebody who is told of urgent replies.")]
    return [
        warning(
            "alerts",
            f"Nobody is told when a reply may be urgent: {', '.join(sorted(silent))}.",
            "Set alert_emails, alert_phones or alert_webhook of the clinic in the clinics file.",
        )
    ]


def carriers(settings: Settings) -> list[Finding]:
    """Whether anything at all can be sent."""
    if settings.carrier_urls():
        return []
    return [
        warning(
            "carriers",
            "Neither texts nor e-mail are set up: nothing leaves this service.",
            "Set AFTERVISIT_TWILIO_ACCOUNT_SID and its companions, or AFTERVISIT_SMTP_URL.",
        )
    ]


def twilio(settings: Settings, clinics: Collection[Clinic] | None) -> list[Finding]:
    """Whether texts can go out through Twilio; no request is made."""
    sid, token = settings.twilio_account_sid, settings.twilio_auth_token
    senders = (settings.twilio_from, settings.twilio_messaging_service_sid)
    if sid is None and token is None and not any(senders):
        return [ok("twilio", "Not set up: no texts are sent.")]
    if sid is None or token is None:
        missing = "ACCOUNT_SID" if sid is None else "AUTH_TOKEN"
        return [
            problem(
                "twilio",
                f"AFTERVISIT_TWILIO_{missing} is missing.",
                "Set both AFTERVISIT_TWILIO_ACCOUNT_SID and AFTERVISIT_TWILIO_AUTH_TOKEN.",
            )
        ]
    found = [_twilio_base(settings), _twilio_sender(settings, clinics)]
    if _ACCOUNT.fullmatch(sid):
        found.insert(0, ok("twilio", f"Account {sid[:6]}...{sid[-4:]}."))
    else:
        found.insert(
            0,
            problem(
                "twilio",
                "AFTERVISIT_TWILIO_ACCOUNT_SID does not have the form of an account's SID.",
                "Copy it from Twilio's console: AC and 32 digits and letters a to f.",
            ),
        )
    return found


def _twilio_base(settings: Settings) -> Finding:
    name, parts = "twilio: address", urlsplit(settings.twilio_api_base_url)
    host = parts.hostname or ""
    if host in LOOPBACK_HOSTS:
        return ok(name, "A stand-in on this machine; no text reaches a phone.")
    if parts.scheme != "https":
        return problem(
            name,
            f"Texts would go to {host} unencrypted.",
            "Give AFTERVISIT_TWILIO_API_BASE_URL with https, or unset it.",
        )
    if host == "twilio.com" or host.endswith(".twilio.com"):
        return ok(name, f"{host}.")
    return warning(
        name,
        f"Texts go to {host}, which is not Twilio.",
        "Unset AFTERVISIT_TWILIO_API_BASE_URL unless that is meant.",
    )


def _twilio_sender(settings: Settings, clinics: Collection[Clinic] | None) -> Finding:
    name = "twilio: sender"
    number, service = settings.twilio_from, settings.twilio_messaging_service_sid
    every = [(f"sms_from of clinic {c.id}", c.sms_from) for c in clinics or ()]
    own = [(where, sender) for where, sender in every if sender]
    if number:
        own.append(("AFTERVISIT_TWILIO_FROM", number))
    for where, sender in own:
        if not _NUMBER.fullmatch(sender) and not _SERVICE.fullmatch(sender):
            return problem(
                name,
                f"{where} is neither a number nor a Messaging Service.",
                "Give it as +15035550142, a short code of 5 or 6 digits, or MG and 32 characters.",
            )
    if service and not _SERVICE.fullmatch(service):
        return problem(
            name,
            "AFTERVISIT_TWILIO_MESSAGING_SERVICE_SID is not the SID of a Messaging Service.",
            "Copy it from Twilio's console: MG and 32 digits and letters a to f.",
        )
    if not number and not service and not (every and all(sender for _, sender in every)):
        return problem(
            name,
            "There is no number to send texts from.",
            "Set AFTERVISIT_TWILIO_FROM or AFTERVISIT_TWILIO_MESSAGING_SERVICE_SID, or sms_from "
            "of every clinic.",
        )
    if number and service:
        return warning(
            name,
            "Both a number and a Messaging Service are set; the Messaging Service is used.",
            "Unset AFTERVISIT_TWILIO_FROM or AFTERVISIT_TWILIO_MESSAGING_SERVICE_SID.",
        )
    return ok(name, f"{service or number or 'the clinics have their own'}.")


def public_url(settings: Settings) -> Finding:
    """Whether patients and providers can reach us."""
    name, url = "public address", settings.public_url
    real = not settings.carriers_on_loopback
    if url is None:
        if not real:
            return ok(name, "Not set; not needed without real carriers.")
        return problem(
            name,
            "AFTERVISIT_PUBLIC_URL is not set: opt-outs and receipts could not reach us, and "
            "links in messages would lead nowhere.",
            "Set it to the https address that leads to the web process.",
        )
    parts = urlsplit(url)
    if real and (parts.scheme != "https" or parts.hostname in LOOPBACK_HOSTS):
        return problem(
            name,
            f"{url} is no address for real patients and providers.",
            "Set AFTERVISIT_PUBLIC_URL to an https address that leads to the web process.",
        )
    return ok(name, f"{url}.")


def mail(settings: Settings, clinics: Collection[Clinic] | None, *, connect: bool) -> list[Finding]:
    """Whether e-mail can go out; the server is spoken to only where ``connect`` is set."""
    if settings.smtp_url is None:
        return [ok("mail server", "Not set up: no e-mail is sent.")]
    senders = [(f"mail_from of clinic {c.id}", c.mail_from) for c in clinics or () if c.mail_from]
    if settings.mail_from or len(senders) < max(1, len(clinics or ())):
        senders.append(("AFTERVISIT_MAIL_FROM", settings.mail_from or ""))
    found = [_mail_sender(where, sender) for where, sender in senders]
    try:
        server = parse_smtp_url(settings.smtp_url.get_secret_value())
    except ConfigurationError as error:
        return [refused("mail server", error), *found]
    found.insert(0, _mail_server(server))
    if connect:
        found.append(_mail_greeting(server))
    return found


def _mail_server(server: MailServer) -> Finding:
    name = "mail server"
    if server.tls == "offered" and not server.local:
        return problem(
            name,
            f"Mail to {server.host} would go unencrypted if somebody in between wished so.",
            "Add ?starttls=required to AFTERVISIT_SMTP_URL, or use smtps://.",
        )
    if not server.verify and not server.local:
        return warning(
            name,
            f"The certificate of {server.host} is not verified.",
            "Take verify=no out of AFTERVISIT_SMTP_URL; cafile= names an authority of your own.",
        )
    return ok(name, f"{server.host}, port {server.port}.")


def _mail_sender(where: str, sender: str) -> Finding:
    name = "mail sender"
    remedy = f"Set {where} to Name <address>, with an address that your mail server may send for."
    if not sender:
        return problem(name, f"{where} is not set.", remedy)
    try:
        parse_email(parseaddr(sender)[1])
    except AddressError:
        return problem(name, f"{where} is not an address.", remedy)
    return ok(name, f"{sender}.")


def _mail_greeting(server: MailServer) -> Finding:
    """Connect, greet, and begin TLS as a send would; no login, no mail."""
    name = "mail server: connection"
    try:
        if server.tls == "implicit":
            session: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=MAIL_TIMEOUT_S, context=server.trust()
            )
        else:
            session = smtplib.SMTP(server.host, server.port, timeout=MAIL_TIMEOUT_S)
        with session:
            session.ehlo(server.greeting_name())
            if server.tls == "required":
                session.starttls(context=server.trust())
    except (OSError, smtplib.SMTPException) as error:
        return problem(
            name,
            f"{server.host}, port {server.port}, does not take mail from us: {error}.",
            "Check host and port of AFTERVISIT_SMTP_URL, and that no firewall is in between.",
        )
    return ok(name, f"{server.host} answers.")
