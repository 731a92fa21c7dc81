"""Whether staff may write back to an address, and when it may go: pure rules."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from schedules.calendar import Profile, local_date, next_opening, window_at, window_on
from service.store.records import Channel

OWN_WISH: Final = frozenset({"stop", "one_click"})
"""Reasons of a suppression that are the patient's own and leave the address working."""
RECENT: Final = timedelta(hours=24)
"""A message of the patient's own is answered for so long without consent on record, and, where it
was urgent, after they have left."""
AWAKE: Final = timedelta(hours=1)
"""Who wrote within this time is answered at once, at any hour of the night."""
AT_ONCE: Final = timedelta(minutes=15)
"""An answer of the night that cannot be sent so long is not wanted any more."""
MARGIN: Final = timedelta(minutes=16)
"""A provider may hold an answer for 15 minutes: it is not begun so shortly before the night."""

Refusal = Literal["suppressed", "no_consent", "no_address"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How an address stands to being written to.

    Attributes:
        reasons: for which it is suppressed; empty where it is not.
        consent: somebody's consent for the channel is on record.
        since: how long ago they last wrote; None where that is not on record any more.
        urgent: how long ago they last wrote something urgent.
    """

    reasons: Collection[str]
    consent: bool
    since: timedelta | None
    urgent: timedelta | None


@dataclass(frozen=True, slots=True)
class Slot:
    """When an answer may go.

    Attributes:
        at: not before.
        until: not after.
        now: whether that is at once.
    """

    at: datetime
    until: datetime
    now: bool


def refusal(standing: Standing) -> Refusal | None:
    """Why nobody may write back; None where they may.

    Who has left is not written to. An answer to something urgent of their own goes all the same,
    for a day, as the automatic reply to it does (RULES: responses to the patient's own message).
    """
    if standing.reasons:
        own = set(standing.reasons) <= OWN_WISH
        urgent = standing.urgent is not None and standing.urgent <= RECENT
        return None if own and urgent else "suppressed"
    recent = standing.since is not None and standing.since <= RECENT
    return None if standing.consent or recent else "no_consent"


def slot(profile: Profile, channel: Channel, now: datetime, since: timedelta | None) -> Slot:
    """When an answer may go: within the patient's hours, or at once to who is awake.

    Args:
        profile: of whom it is for.
        channel: by which it goes.
        now: business time, UTC.
        since: how long ago they last wrote.
    """
    open_now = window_at(profile, channel, now)
    if open_now is not None and now < open_now.closes - MARGIN:
        return Slot(now, open_now.closes - MARGIN, now=True)
    if since is not None and since <= AWAKE:
        return Slot(now, now + AT_ONCE, now=True)
    opens = next_opening(profile, channel, now if open_now is None else open_now.closes)
    window = window_on(profile, channel, local_date(profile, opens))
    closes = window.closes - MARGIN if window else opens + AT_ONCE
    return Slot(opens, closes, now=False)
