"""Why a message waits or does not go out: the codes, and a sentence for people beside each."""

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why `decide` defers or skips a step. The values are stored: they are never renamed."""

    NOT_DUE = "not_due"
    QUIET_HOURS = "quiet_hours"
    DAILY_CAP = "daily_cap"
    WEEKLY_CAP = "weekly_cap"
    NIGHTLY_FIRST = "nightly_first"
    CATCHING_UP = "catching_up"
    NO_CHANNEL = "no_channel"
    MISSED = "missed"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    CROWDED_OUT = "crowded_out"
    SPARED = "spared"
    DONE_BEFORE = "done_before"


SENTENCES: Final = {
    Reason.NOT_DUE: "Its time has not come yet.",
    Reason.QUIET_HOURS: "It is outside the hours in which we may write to this patient; "
    "it goes when they open again.",
    Reason.DAILY_CAP: "The patient has already had a message of a series that day; it goes later.",
    Reason.WEEKLY_CAP: "The patient has already had seven messages of series in seven days; "
    "it goes later.",
    Reason.NIGHTLY_FIRST: "A series of nightly reminders goes first; this one waits and stays "
    "valid.",
    Reason.CATCHING_UP: "It is late, and goes at its usual time of day, one message a day.",
    Reason.NO_CHANNEL: "There is no way left to write to the patient: no consent, or each "
    "address is suppressed.",
    Reason.MISSED: "Its day passed while nothing could be sent (an outage, a pause, or the "
    "patient joined later), and this series does not send old messages.",
    Reason.SUPERSEDED: "Its day passed while nothing could be sent, and a newer message took its "
    "place.",
    Reason.EXPIRED: "It could not go out before it stopped being useful.",
    Reason.CROWDED_OUT: "Other messages took the patient's days until this one stopped being "
    "useful.",
    Reason.SPARED: "The patient's check-ins go so that the series spares them this one.",
    Reason.DONE_BEFORE: "The patient had it, or it was passed over, before they were moved to "
    "this version of the series.",
}


def sentence(reason: Reason) -> str:
    """Return what `explain` tells a person about a reason: one plain sentence in English."""
    return SENTENCES[reason]
