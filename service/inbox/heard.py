"""From a text to what is recorded of it: what we understand, and what the provider did already."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from service.inbox.understanding import Understanding, understand
from service.store.reply_records import Heard

SHORT: Final = 40
"""Letters of a text that many write: a number, a keyword. Longer ones are each their own."""
_PROVIDER_DID = {"STOP": "opt_out", "START": "opt_in", "HELP": "help"}
"""Twilio's ``OptOutType``, and the intent that it has acted on already."""
_OF_THE_LEDGER = frozenset({"opt_out", "opt_in", "other"})


def heard(text: str, opt_out_type: str = "") -> Heard:
    """What a text says; where the provider has acted on a keyword of its own, that counts.

    Args:
        text: as it was written.
        opt_out_type: of the webhook; empty where the provider has done nothing.
    """
    found = _understood(text)
    words = [intent.value for intent in found.intents]
    did = _PROVIDER_DID.get(opt_out_type)
    rules = found.rules
    if did is not None:
        # It has suppressed the number, or lifted that: whatever we would have read in the text.
        kept = [word for word in words if word not in _OF_THE_LEDGER and word != did]
        words = [did, *kept]
        rules = (f"provider.{opt_out_type.lower()}", *rules)
    for word, so in (
        ("everything", found.everything),
        ("wrong_number", found.wrong_number),
        ("died", found.died),
    ):
        if so and "opt_out" in words:
            words.append(word)
    return Heard(tuple(words), found.check_in, rules)


def _understood(text: str) -> Understanding:
    return _known(text) if len(text) <= SHORT else understand(text)


@lru_cache(maxsize=4096)
def _known(text: str) -> Understanding:
    """Most texts are a number or a keyword, and mean what they meant the last time."""
    return understand(text)
