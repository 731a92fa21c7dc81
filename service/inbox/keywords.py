"""The provider's own keywords: what it acts on by itself, whatever we make of a text."""

from __future__ import annotations

from typing import Final

TWILIO_WORDS: Final = {
    **dict.fromkeys(("STOP", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), "STOP"),
    "STOPALL": "STOP",
    **dict.fromkeys(("START", "UNSTOP", "YES"), "START"),
    **dict.fromkeys(("HELP", "INFO"), "HELP"),
}
"""Twilio's default keywords and its ``OptOutType`` for each
(https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out)."""


def provider_word(text: str) -> str:
    """Twilio's own keyword, in capitals, where Twilio would have matched it; else empty.

    Twilio compares the whole body, without regard to case: "Stop please" does not match
    (https://www.twilio.com/docs/api/errors/23002). It then answers by itself, and blocks.
    """
    word = text.strip().upper()
    return word if word in TWILIO_WORDS else ""
