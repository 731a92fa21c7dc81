"""A person who joins by the form, as a browser without scripts would send it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from html import unescape

import httpx

from service.bootstrap import Core
from service.store.responses import Queued
from service.web.patient.join_tokens import CHECKED, FORM, opened, seal
from tests.support.web import PUBLIC_URL, Site

CLINIC = "riverside"
AGREED = {
    "given_name": "Ana",
    "language": "en",
    "timezone": "America/Los_Angeles",
    "state": "OR",
    "bedtime": "22:30",
    "start": "",
    "website": "",
}
SMTP = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "Riverside <tips@clinic.example>"}


def token_of(answer: httpx.Response, name: str) -> str:
    """The hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.text)
    assert found, answer.text
    return unescape(found[1])


def aged(core: Core, purpose: str, token: str, by_ms: int = 60_000) -> str:
    """A page's token as if the page had been shown a while earlier."""
    shown = opened(core, purpose, token)
    assert shown is not None
    return seal(core, purpose, replace(shown, at_ms=shown.at_ms - by_ms))


def filled(web: Site, *, phone: str = "", email: str = "", **fields: str) -> dict[str, str]:
    """The fields of the form, filled in by somebody who took a minute."""
    token = token_of(web.client.get(f"/join/{CLINIC}"), "token")
    told = {**AGREED, "phone": phone, "email": email}
    told |= {"sms": "yes"} if phone else {}
    told |= {"email_too": "yes"} if email else {}
    return {**told, "token": aged(web.core, FORM, token), **fields}


def checked(web: Site, fields: Mapping[str, str]) -> dict[str, str]:
    """The second page's form, read for a minute."""
    answer = web.client.post(f"/join/{CLINIC}", data=dict(fields))
    assert answer.status_code == 200, answer.text
    token = token_of(answer, "checked")
    return {"checked": aged(web.core, CHECKED, token), "lang": fields.get("lang", "en")}


def ask(
    web: Site, *, source: str = "192.0.2.1", phone: str = "", email: str = "", **fields: str
) -> httpx.Response:
    """Go through both pages; the last answer."""
    second = checked(web, filled(web, phone=phone, email=email, **fields))
    return send(web, second, source)


def send(web: Site, second: Mapping[str, str], source: str = "192.0.2.1") -> httpx.Response:
    """Press the button of the second page, from an address that the proxy tells."""
    headers = {"X-Forwarded-For": source}
    return web.client.post(f"/join/{CLINIC}", data=dict(second), headers=headers)


def queued(web: Site, to: str) -> list[Queued]:
    """What waits to be sent to an address, and would be."""
    waiting = [
        each
        for partition in range(web.core.partitions)
        for each in web.core.responses.waiting(partition, 1000)
        if each.response.to == to
    ]
    return [each for each in waiting if each.response.once != "join:void"]


def link_to(web: Site, email: str) -> str:
    """Path of the link in the latest e-mail that waits for a mailbox."""
    return queued(web, email)[-1].response.values["link"].removeprefix(PUBLIC_URL)


def patients_of(web: Site, channel: str, address: str) -> list[str]:
    """The patients of an address whose records are complete."""
    digest = web.core.suppressions.digest("sms" if channel == "sms" else "email", address)
    return [each for each in web.core.suppressions.patients(digest) if web.core.patients.find(each)]
