"""What becomes of a drip message whose day has passed: the three policies of a series.

A day counts against a message only where the message could have gone out on it. Days that another
message of the patient took, or that belonged to a nightly series, do not: what waited its turn
was not missed.
"""

from datetime import date, datetime, timedelta
from typing import Final

from schedules.calendar import window_on
from schedules.plan import Planned
from schedules.reasons import Reason
from schedules.standing import Standing

REMEMBERED_DAYS: Final = 7
"""How many local days back, today included, the drips of a patient are known."""


def refusal(standing: Standing, planned: Planned, now: datetime, today: date) -> Reason | None:
    """Return why a due step does not go any more, or None where it still may.

    `skip` lets an overdue step go by; `latest` sends only the newest of those overdue; `spread`
    sends each until it expires, one a day (that is for `decide`, which keeps the cap anyway).
    Service messages (the welcome, how to get help) are due until they expire, whatever the policy.
    """
    overdue = planned.step.kind == "drip" and is_overdue(standing, planned, now, today)
    if overdue and standing.series.catch_up == "skip":
        return Reason.MISSED
    if now >= expiry(standing, planned, today):
        return Reason.EXPIRED
    if (
        overdue
        and standing.series.catch_up == "latest"
        and _has_newer(standing, planned, now, today)
    ):
        return Reason.SUPERSEDED
    return None


def is_overdue(standing: Standing, planned: Planned, now: datetime, today: date) -> bool:
    """Say whether a day on which the step could have gone out has closed since it was due."""
    day = max(planned.local.date(), today - timedelta(days=REMEMBERED_DAYS - 1))
    while day <= today:
        if day not in standing.recent_drips and not standing.is_held(day):
            window = window_on(standing.profile, planned.channel, day)
            if window is not None and now > window.last:
                return True
        day += timedelta(days=1)
    return False


def expiry(standing: Standing, planned: Planned, until: date) -> datetime:
    """Return when the step stops being useful; its clock stands still on nights up to `until`."""
    if planned.step.kind != "drip":
        return planned.expires
    held = standing.held_days(planned.local.date(), until)
    return planned.expires + timedelta(days=held)


def _has_newer(standing: Standing, planned: Planned, now: datetime, today: date) -> bool:
    """Say whether a later drip step is overdue as well, and still worth sending."""
    for index in range(planned.index + 1, len(standing.series.steps)):
        newer = standing.planned(index)
        if now < newer.due:
            break
        if (
            newer.step.kind == "drip"
            and index not in standing.done
            and now < expiry(standing, newer, today)
            and is_overdue(standing, newer, now, today)
        ):
            return True
    return False
