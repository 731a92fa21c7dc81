"""Signed addresses by which mail finds its way back: bounces, replies, and leaving (VERP).

``bounces+<attempt><mac>@domain`` is the envelope sender of an e-mail, so that whatever its mail
servers say of it names the attempt, however they word it. ``reply+<attempt><patient><mac>`` is
where a patient's answer goes, and ``leave+<mailbox><mac>`` stands beside the one-click link; these
two outlive the attempt's record. A keyed hash makes each good for one purpose, and nobody else can
make one. All letters are lower case and read alike in upper case: mail servers may change case.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from enum import StrEnum
from hmac import compare_digest
from typing import Final

from service.mail.addresses import ReturnAddress
from service.store.keyring import Index
from service.store.keys import ATTEMPT_RANDOM, PATIENT_RANDOM, letters

MAC_LETTERS: Final = 12
"""60 bits: who tries a thousand a second needs ten million years for one."""
_ATTEMPT: Final = 2 + ATTEMPT_RANDOM
_MAILBOX: Final = 32
"""A digest in hexadecimal: in base 64 it would not read alike in upper case."""


class Purpose(StrEnum):
    """What an address of ours is for."""

    BOUNCE = "bounce"
    REPLY = "reply"
    LEAVE = "leave"
    COMPLAINT = "complaint"
    """The one that is not signed: providers send their reports to it, and the reported mail itself
    has to carry a signed one."""


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """A genuine address of ours.

    Attributes:
        attempt: of ``BOUNCE`` and ``REPLY`` to an e-mail of a series, else empty.
        patient: of ``REPLY`` to one, else empty.
        mailbox: digest, where the address names no attempt.
    """

    purpose: Purpose
    attempt: str = ""
    patient: str = ""
    mailbox: str = ""


class ReturnPaths:
    """Makes and opens the addresses of one installation."""

    def __init__(self, address: ReturnAddress, index: Index) -> None:
        self._macs = {purpose: index.macs(purpose, MAC_LETTERS) for purpose in Purpose}
        self._domain = "@" + address.domain
        self._heads = {
            Purpose.BOUNCE: address.local + "+",
            Purpose.REPLY: "reply+",
            Purpose.LEAVE: "leave+",
        }
        self._complaints = f"complaints@{address.domain}"
        heads = "|".join(re.escape(head) for head in self._heads.values())
        self._ours = re.compile(
            rf"(?:{heads})[0-9a-z]{{38,48}}{re.escape(self._domain)}(?![\w.-])", re.IGNORECASE
        )

    def bounce(self, attempt: str) -> str:
        """The envelope sender of an attempt's e-mail."""
        return self._signed(Purpose.BOUNCE, attempt)

    def reply(self, attempt: str, patient: str) -> str:
        """Where answers to an attempt's e-mail go; it knows the patient for longer."""
        return self._signed(Purpose.REPLY, attempt + patient[2:])

    def bounce_of(self, mailbox: str) -> str:
        """The envelope sender of an e-mail outside of any series, to a mailbox by its digest."""
        return self._signed(Purpose.BOUNCE, _hexadecimal(mailbox))

    def reply_of(self, mailbox: str) -> str:
        """Where answers to such an e-mail go."""
        return self._signed(Purpose.REPLY, _hexadecimal(mailbox))

    def leave(self, mailbox: str) -> str:
        """Mail to it stops e-mail to a mailbox, named by its digest."""
        return self._signed(Purpose.LEAVE, _hexadecimal(mailbox))

    def leave_uri(self, mailbox: str) -> str:
        """The same for ``List-Unsubscribe`` (RFC 2369)."""
        return f"mailto:{self.leave(mailbox)}?subject=unsubscribe"

    def open(self, recipient: str) -> ReturnPath | None:
        """What an address means; None where it is none of ours, or was made up."""
        if not recipient.isascii():  # letters beyond it may have ours as their lower case
            return None
        given = recipient.lower()
        if given == self._complaints:
            return ReturnPath(Purpose.COMPLAINT)
        for purpose, head in self._heads.items():
            if given.startswith(head) and given.endswith(self._domain):
                token = given.removeprefix(head).removesuffix(self._domain)
                payload, mac = token[:-MAC_LETTERS], token[-MAC_LETTERS:]
                genuine = compare_digest(mac, self._mac(purpose, payload))
                return _read(purpose, payload) if genuine else None
        return None

    def found_in(self, text: str) -> ReturnPath | None:
        """The first genuine signed address in a text, such as a mail that was reported."""
        for match in self._ours.finditer(text):
            path = self.open(match[0])
            if path is not None:
                return path
        return None

    def _signed(self, purpose: Purpose, payload: str) -> str:
        return f"{self._heads[purpose]}{payload}{self._mac(purpose, payload)}{self._domain}"

    def _mac(self, purpose: Purpose, payload: str) -> str:
        return letters(self._macs[purpose](payload))


def _hexadecimal(digest: str) -> str:
    return base64.urlsafe_b64decode(digest + "==").hex()


def _read(purpose: Purpose, payload: str) -> ReturnPath | None:
    """Our own payload; None where a later release made it of other parts."""
    if purpose is Purpose.BOUNCE and len(payload) == _ATTEMPT:
        return ReturnPath(purpose, attempt=payload)
    if purpose is Purpose.REPLY and len(payload) == _ATTEMPT + PATIENT_RANDOM:
        patient = payload[:2] + payload[_ATTEMPT:]
        return ReturnPath(purpose, attempt=payload[:_ATTEMPT], patient=patient)
    if len(payload) == _MAILBOX:
        digest = base64.urlsafe_b64encode(bytes.fromhex(payload)).rstrip(b"=")
        return ReturnPath(purpose, mailbox=digest.decode())
    return None
