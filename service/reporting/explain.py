"""For any patient and any day: what was sent, what comes, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from schedules.calendar import Profile, channel_for, local_date, resolve, zone_of
from schedules.delivery import State
from schedules.errors import SeriesError
from schedules.plan import anchor_of
from service.clock import BusinessClock, from_ms, to_ms
from service.dispatch.standing import profile_of, series_of
from service.reporting.coming import coming
from service.reporting.events import Event
from service.reporting.happened import Happened
from service.reporting.lines import NOTHING, Line, sentence_of, standing_sentence
from service.store.history import HistoryEntry
from service.store.patients import Patients
from service.store.records import Channel, Patient, Subscription

_CHANNELS: dict[str, Channel] = {"sms": "sms", "email": "email"}
HOLDING: Final = frozenset({"opt_out", "pause"})
_LEFT: Final = frozenset({"opt_out"})
CAUSES: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("opted_out", "unreachable", "no_channel", "suppressed"), _LEFT),
    **dict.fromkeys(("paused", "paused_until"), frozenset({"pause"})),
    "no_step": frozenset({*HOLDING, "opt_in", "resume"}),
}
"""Kinds of events that bear on a reason: the last is told with it, where it holds messages up."""


class Explain:
    """The use case behind the command, the console and the API."""

    def __init__(self, patients: Patients, happened: Happened, business: BusinessClock) -> None:
        self._patients = patients
        self._happened = happened
        self._business = business

    def account(
        self, identifier: str, day: date | None = None, *, texts: bool = False
    ) -> list[Line | Event]:
        """Every delivery of a patient, and what else happened, in the order of time.

        The consents that somebody was enrolled with are told where their day is asked for.

        Args:
            identifier: the patient's id.
            day: as for `explain`.
            texts: whether replies are told with their own words.

        Raises:
            NotFound: there is no such patient.
            SeriesError: a series version that the patient is in is not installed.
            KeyMissing: something was encrypted under a key that is not in the ring.
        """
        fields = self._patients.load(identifier)
        events = self._happened.to(fields, self._patients.contact(fields), texts=texts)
        lines = [_because(line, events, day) for line in self.explain(identifier, day)]
        enrolled = {from_ms(each.enrolled_ms) for each in fields.subscriptions()}
        told = [
            event
            for event in events
            if (event.at.date() == day)
            or (day is None and not (event.kind == "consent" and event.at in enrolled))
        ]
        return sorted([*told, *lines], key=_when)

    def between(
        self, identifier: str, first: date, last: date, *, texts: bool = False
    ) -> list[Line | Event]:
        """What was due, was concluded or happened on some days, in the order of time.

        Args:
            identifier: the patient's id.
            first: on the patient's calendar.
            last: the same, included.
            texts: whether replies are told with their own words.

        Raises:
            NotFound: there is no such patient.
            SeriesError: a series version that the patient is in is not installed.
            KeyMissing: something was encrypted under a key that is not in the ring.
        """
        fields = self._patients.load(identifier)
        patient = self._patients.contact(fields)
        zone = zone_of(patient.timezone)
        stretch = tuple(
            to_ms(resolve(datetime.combine(day, time(0)), zone))
            for day in (first, last + timedelta(days=1))
        )
        told: list[Line | Event] = [
            line
            for line in self.explain(identifier)
            if line.due is not None and first <= (line.ended or line.due).date() <= last
        ]
        told += self._happened.to(fields, patient, texts=texts, between=(stretch[0], stretch[1]))
        return sorted(told, key=_at)

    def explain(self, identifier: str, day: date | None = None) -> list[Line]:
        """Every delivery of a patient in the order of their due times, or those of one day.

        Args:
            identifier: the patient's id.
            day: on the patient's calendar. A subscription without any delivery on it answers with
                one line that says why.

        Raises:
            NotFound: there is no such patient.
            SeriesError: a series version that the patient is in is not installed.
        """
        fields = self._patients.load(identifier)
        patient = self._patients.contact(fields)
        # Where nothing reaches the patient any more, steps are shown by the channel they had.
        channels = fields.reachable() or frozenset(patient.channels)
        profile = profile_of(patient, channels)
        first = _first_channels(patient, channels)
        now = from_ms(self._business.now_ms())
        past = self._patients.history(identifier)
        lines: list[Line] = []
        for subscription in fields.subscriptions():
            found = [
                *_past(subscription, past, profile, first),
                *coming(fields, subscription, profile, now),
            ]
            lines += _on_day(found, subscription, profile, day, now)
        return sorted(lines, key=lambda line: line.order)


def _when(told: Line | Event) -> datetime:
    return told.at if isinstance(told, Event) else told.order[0]


def _at(told: Line | Event) -> tuple[datetime, bool]:
    """When it happened: a delivery when it was over, not when it was due, and after its cause."""
    if isinstance(told, Event):
        return told.at, False
    return told.ended or told.order[0], True


def _because(line: Line, events: Sequence[Event], day: date | None) -> Line:
    """A line with what held the messages up, where that is on record."""
    causes = CAUSES.get(line.reason or "")
    if causes is None:
        return line
    known = [
        event
        for event in events
        if event.kind in causes
        and event.subscription in {None, line.subscription}
        and (line.ended is None or event.at <= line.ended)
        and (line.due is not None or day is None or event.at.date() <= day)
    ]
    if not known or known[-1].kind not in HOLDING:
        return line
    return replace(line, sentence=f"{line.sentence} {known[-1].sentence}")


def _on_day(
    found: list[Line], subscription: Subscription, profile: Profile, day: date | None, now: datetime
) -> list[Line]:
    if day is None:
        return found
    if subscription.moved_to is not None:  # what it went on as tells why a day has nothing
        return [line for line in found if line.touches(day, local_date(profile, now))]
    today = local_date(profile, now)
    return [line for line in found if line.touches(day, today)] or [
        _silence(found, subscription, profile, day)
    ]


def _past(
    subscription: Subscription, history: list[HistoryEntry], profile: Profile, first: Profile | None
) -> Iterator[Line]:
    zone = zone_of(profile.timezone)
    for entry in history:
        if entry.subscription != subscription.number:
            continue
        state = State.from_code(entry.state)
        yield Line(
            subscription=subscription.id,
            series=subscription.series,
            due=_local(entry.due_ms, zone),
            step=_step(subscription, entry),
            message=entry.message,
            channel=_CHANNELS.get(entry.channel),
            outcome=state.value,
            reason=entry.reason or None,
            sentence=sentence_of(
                state, entry.reason, entry.code, instead=_instead(subscription, entry, first)
            ),
            attempts=entry.attempts,
            ended=_local(entry.at_ms, zone),
            code=entry.code or None,
        )


def _first_channels(patient: Patient, reachable: frozenset[Channel]) -> Profile | None:
    """The channels that were tried before one was lost; None where none was."""
    consented = frozenset(patient.channels)
    return profile_of(patient, consented) if consented - reachable else None


def _instead(
    subscription: Subscription, entry: HistoryEntry, first: Profile | None
) -> Channel | None:
    """The channel that a delivery went by where it had been tried by another; else None."""
    went = _CHANNELS.get(entry.channel)
    if first is None or entry.attempts <= 1 or went is None:
        return None
    try:
        step = series_of(subscription).steps[entry.index]
    except (SeriesError, IndexError):
        return None
    return None if channel_for(step, first) == went else went


def _step(subscription: Subscription, entry: HistoryEntry) -> str:
    """The step's id; its message's name where that version of the series is not installed."""
    try:
        return series_of(subscription).steps[entry.index].id
    except (SeriesError, IndexError):
        return entry.message


def _silence(found: list[Line], subscription: Subscription, profile: Profile, day: date) -> Line:
    """Why a subscription has nothing on a day."""
    enrolled = from_ms(subscription.enrolled_ms)
    anchor = anchor_of(profile, subscription.start, enrolled)
    dates = [(line.due.date(), line) for line in found if line.due is not None]
    if day < local_date(profile, enrolled):
        reason, more = "not_enrolled", f"They joined on {local_date(profile, enrolled)}."
    elif day < anchor:
        reason, more = "not_begun", f"It begins on {anchor}."
    elif dates and day > max(due for due, _ in dates):
        reason, more = "over", f"Its last message was due on {max(due for due, _ in dates)}."
    else:
        reason, more = "no_step", _neighbours([due for due, _ in dates], day)
    return Line(
        subscription=subscription.id,
        series=subscription.series,
        due=None,
        step=None,
        message=None,
        channel=None,
        outcome=NOTHING,
        reason=reason,
        sentence=f"{standing_sentence(reason)} {more}".strip(),
    )


def _neighbours(dates: list[date], day: date) -> str:
    before = max((due for due in dates if due < day), default=None)
    after = min((due for due in dates if due > day), default=None)
    told = []
    if before is not None:
        told.append(f"the one before was due on {before}")
    if after is not None:
        told.append(f"the next is due on {after}")
    return f"{', '.join(told)}.".capitalize() if told else ""


def _local(ms: int, zone: tzinfo) -> datetime:
    return from_ms(ms).astimezone(zone)
