"""What Twilio posts to us: whether it is Twilio, and what a receipt says."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, parse_qsl, urlsplit

from twilio.request_validator import (
    HMAC_SHA1,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    add_port,
    get_signature_algorithm,
    remove_port,
)

from service.carriers.base import Receipt
from service.carriers.twilio_codes import STATUS_WORDS, failure_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "SIGNATURE_HEADER",
    "SIGNATURE_SETTINGS_HEADER",
    "TwilioSignatures",
    "UnreadableReceipt",
    "failure_of",
    "receipt_of",
]

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 1000


class UnreadableReceipt(ValueError):
    """The form is no receipt of a message; answer 400 and change nothing."""


class SignedFields:
    """A form that is signed, as the SDK wants it: every value of a name, in order."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __iter__(self) -> object:
        return iter(self._values)

    def getlist(self, name: str) -> list[str]:
        return self._values[name]

    def latest(self) -> dict[str, str]:
        """The fields with one value each, the last where there are several."""
        return {name: values[-1] for name, values in self._values.items()}


class TwilioSignatures:
    """Tells Twilio's requests from others (https://www.twilio.com/docs/usage/security).

    Args:
        auth_token: the account's token.
        public_url: base of our own URLs *as configured with Twilio*; what a proxy in front of us
            did to scheme, host and port does not matter then.
        shared_keys: secrets of Twilio's shared webhook keys by key id, where they are used.
    """

    def __init__(
        self, auth_token: str, public_url: str, shared_keys: Mapping[str, str] | None = None
    ) -> None:
        self._validator = RequestValidator(auth_token)
        self._shared = {key: RequestValidator(s) for key, s in (shared_keys or {}).items()}
        self._base = public_url.rstrip("/")

    def valid(
        self,
        target: str,
        body: bytes,
        content_type: str,
        signature: str | None,
        settings: str | None = None,
    ) -> bool:
        """Whether Twilio signed this request; with the arguments of `signed`."""
        return self.signed(target, body, content_type, signature, settings) is not None

    def signed(
        self,
        target: str,
        body: bytes,
        content_type: str,
        signature: str | None,
        settings: str | None = None,
    ) -> SignedFields | None:
        """The fields that Twilio signed, None where it did not sign this request.

        Takes the raw body, so that nothing of it is believed before that is certain.

        Args:
            target: path and query as requested, undecoded; a fragment is not part of it.
            body: the bytes that were posted.
            content_type: of the body. A form's fields are signed, each with all its values; of any
                other body its SHA-256, which must then stand in the query (``bodySHA256``).
            signature: the header `SIGNATURE_HEADER`.
            settings: the header `SIGNATURE_SETTINGS_HEADER`, which names another algorithm.
        """
        url = self._base + target.partition("#")[0]
        fields = _signed_fields(url, body, content_type)
        if not signature or fields is None:
            return None
        validator = self._shared.get(_key_id(settings), self._validator)
        algorithm = get_signature_algorithm(settings)
        given = signature.encode()
        for candidate in _addresses(url):
            try:
                expected = validator.compute_signature(candidate, fields, algorithm)
            except ValueError:
                return None
            if hmac.compare_digest(expected.encode(), given):
                return fields
        return None

    def sign(
        self, url: str, fields: Sequence[tuple[str, str]], *, algorithm: str = HMAC_SHA1
    ) -> str:
        """The signature Twilio would give a form posted to ``url`` (for the sandbox and tests)."""
        address = url.partition("#")[0]
        signature: str = self._validator.compute_signature(address, SignedFields(fields), algorithm)
        return signature


@lru_cache(maxsize=64)
def _addresses(url: str) -> tuple[str, ...]:
    """One of ours as Twilio may have signed it: with the port or without (so says the SDK)."""
    parts = urlsplit(url)
    return tuple(dict.fromkeys((url, remove_port(parts), add_port(parts))))


def _signed_fields(url: str, body: bytes, content_type: str) -> SignedFields | None:
    """The fields that the signature covers; None where the body is not covered at all."""
    if content_type.partition(";")[0].strip().lower() == FORM:
        try:
            text = body.decode("ascii")
            pairs = parse_qsl(
                text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
            )
        except ValueError:  # UnicodeDecodeError too
            return None
        return SignedFields(pairs)
    digest = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
    if digest:
        actual = hashlib.sha256(body).hexdigest()
        return SignedFields(()) if hmac.compare_digest(actual.encode(), digest.encode()) else None
    return SignedFields(()) if not body else None


def _key_id(settings: str | None) -> str:
    for part in (settings or "").split(","):
        name, _, value = part.partition("=")
        if name.strip() == "key":
            return value.strip()
    return ""


def receipt_of(form: Mapping[str, str], attempt: str | None = None) -> Receipt:
    """Read a status callback.

    Args:
        form: the posted fields (``MessageSid``, ``MessageStatus``, ``ErrorCode``).
        attempt: our opaque id, from the callback's URL.

    Raises:
        UnreadableReceipt: no message id, or a status that an outgoing message cannot have.
    """
    provider_id = form.get("MessageSid") or form.get("SmsSid")
    word = (form.get("MessageStatus") or form.get("SmsStatus") or "").lower()
    status = STATUS_WORDS.get(word)
    if not provider_id or status is None:
        raise UnreadableReceipt("a receipt needs MessageSid and a known MessageStatus")
    return Receipt(
        attempt, provider_id, status, word, failure_of(word, form.get("ErrorCode"), provider_id)
    )
