"""From a stored record to what the pure policy decides on."""

from __future__ import annotations

from datetime import datetime, time
from functools import lru_cache

from schedules.calendar import Profile
from schedules.check_ins import Trend
from schedules.plan import Nights, next_due, nights_of
from schedules.policy import Standing
from schedules.series import Series, load_series
from service.clock import from_ms, to_ms
from service.store.records import Channel, Patient, PatientFields, Status, Subscription

_NIGHTLY_STATUSES = frozenset({Status.ACTIVE, Status.COMPLETED})


@lru_cache(maxsize=4096)
def _profile(
    timezone: str,
    country: str,
    state: str | None,
    bedtime: time,
    channels: frozenset[Channel],
    jitter_key: str,
) -> Profile:
    return Profile(
        timezone=timezone,
        country=country,
        state=state,
        bedtime=bedtime,
        channels=channels,
        jitter_key=jitter_key,
    )


def profile_of(patient: Patient, channels: frozenset[Channel]) -> Profile:
    """What planning needs to know of a patient; ``channels`` are those that reach them now.

    Of these only the one counts that the patient prefers, while it is among them.
    """
    if patient.prefers in channels:
        channels = frozenset((patient.prefers,))
    return _profile(
        patient.timezone, patient.country, patient.state, patient.bedtime, channels, patient.id
    )


def series_of(subscription: Subscription) -> Series:
    """The very version the subscription was begun with.

    Raises:
        SeriesError: that version is not installed.
    """
    return load_series(subscription.series, subscription.version)


def standing_of(fields: PatientFields, subscription: Subscription, profile: Profile) -> Standing:
    """Everything ``policy.decide`` asks for, from one loaded record."""
    return Standing(
        series=series_of(subscription),
        index=subscription.index,
        profile=profile,
        start=subscription.start,
        enrolled_at=from_ms(subscription.enrolled_ms),
        recent_drips=fields.recent_drips(),
        nights=nights_besides(fields, profile, subscription.number),
        trend=None if (known := fields.trend()) is None else Trend(known),
        done=subscription.done,
    )


def nights_besides(
    fields: PatientFields, profile: Profile, number: int | None = None
) -> tuple[Nights, ...]:
    """The dates that the patient's nightly series have for themselves.

    Args:
        fields: the patient's record.
        profile: the patient's.
        number: of a subscription that is left out; None for none.
    """
    nights: list[Nights] = []
    for each in fields.numbers():
        other = None if each == number else fields.subscription(each)
        running = other is not None and other.status in _NIGHTLY_STATUSES
        if other is not None and running and other.moved_to is None:
            series = series_of(other)
            if series.nightly:
                span = nights_of(series, profile, other.start, from_ms(other.enrolled_ms))
                if span is not None:
                    nights.append(span)
    return tuple(nights)


def due_after(subscription: Subscription, index: int, profile: Profile) -> int | None:
    """Due time (business ms UTC) of step ``index``, None past the end of the series."""
    due: datetime | None = next_due(
        series_of(subscription),
        index,
        profile,
        subscription.start,
        from_ms(subscription.enrolled_ms),
    )
    return None if due is None else to_ms(due)
