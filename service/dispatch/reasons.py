"""Why a delivery ended as it did: every reason that is stored, with a sentence for staff."""

from __future__ import annotations

from typing import Final

from schedules.reasons import SENTENCES as POLICY_SENTENCES

SENTENCES: Final[dict[str, str]] = {
    **{reason.value: sentence for reason, sentence in POLICY_SENTENCES.items()},
    "accepted": "The provider accepted it.",
    "refused": "The provider refused it for good.",
    "gave_up": "The provider refused it, and once more when it was tried later.",
    "suppressed": "The address was suppressed (the patient or the clinic said stop).",
    "no_answer": "The provider gave no answer and no proof was found; it may have arrived, so it "
    "is not sent again.",
    "template": "The message could not be rendered; mend its template.",
    "poison": "Workers died on it again and again; look at its message before it is tried again.",
    "receipt": "The provider's receipt said so.",
    "found": "It was found in the provider's own list.",
}


def sentence(reason: str) -> str:
    """What `explain` tells staff about a stored reason."""
    return SENTENCES.get(reason, f"Reason {reason}: written by another release.")
