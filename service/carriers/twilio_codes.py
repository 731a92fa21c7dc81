"""Twilio's error codes and status words, read from ``twilio_codes.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from service.carriers.base import AddressEffect, Outcome, ReceiptStatus, Result

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUS_WORDS: Mapping[str, ReceiptStatus] = {
    "accepted": ReceiptStatus.QUEUED,
    "scheduled": ReceiptStatus.QUEUED,
    "queued": ReceiptStatus.QUEUED,
    "sending": ReceiptStatus.QUEUED,
    "sent": ReceiptStatus.SENT,
    "partially_delivered": ReceiptStatus.DELIVERED,
    "delivered": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.DELIVERED,
    "undelivered": ReceiptStatus.FAILED,
    "failed": ReceiptStatus.FAILED,
    "canceled": ReceiptStatus.FAILED,
}
"""Twilio's words for an outgoing message (Message resource, ``status``)."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one code means for us; the fields are those of `Outcome`."""

    result: Result
    reason: str
    source: str
    effect: AddressEffect | None = None
    later_attempts: int | None = None
    alert: bool = False

    def outcome(
        self, code: str | None, *, provider_id: str | None = None, wait_s: float | None = None
    ) -> Outcome:
        """This meaning as the outcome of one message."""
        return Outcome(
            self.result,
            self.reason,
            provider_id=provider_id,
            code=code,
            retry_after_s=wait_s,
            effect=self.effect,
            later_attempts=self.later_attempts,
            alert=self.alert,
        )


@cache
def meanings() -> Mapping[str, Meaning]:
    """Every listed code with its meaning, and ``"unlisted"`` for all others."""
    text = files("service.carriers").joinpath("twilio_codes.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    listed = {code: _meaning(row) for code, row in table["code"].items()}
    return {**listed, "unlisted": _meaning(table["unlisted"])}


def meaning_of(code: str) -> Meaning:
    """What a code means; the cautious answer where it is not listed."""
    table = meanings()
    return table.get(code) or table["unlisted"]


def failure_of(word: str, code: str | None, provider_id: str) -> Outcome | None:
    """What a status word and error code say of a message that failed; None if it has not.

    Works on a message of Twilio's list as on a receipt.
    """
    if STATUS_WORDS.get(word) is not ReceiptStatus.FAILED:
        return None
    if word == "canceled":
        return Outcome(
            Result.PERMANENT, "The text was canceled in Twilio's console.", provider_id, code
        )
    return meaning_of(code or "").outcome(code or None, provider_id=provider_id)


def _meaning(row: Mapping[str, Any]) -> Meaning:
    return Meaning(
        result=Result(row["result"]),
        reason=row["reason"],
        source=row["source"],
        effect=AddressEffect(row["effect"]) if "effect" in row else None,
        later_attempts=row.get("later_attempts"),
        alert=row.get("alert", False),
    )
