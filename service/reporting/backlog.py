"""What would happen now to all that is overdue, under each catch-up policy. Reads, changes nothing.

It walks each patient with something overdue on from where they stand, with the very functions that
decide when messages go: their hours, caps, other series and expiry are those of the real thing.
What it cannot know is what providers and patients will do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final, Literal

from schedules.calendar import Profile, local_date
from schedules.errors import ScheduleError
from schedules.plan import plan_step
from schedules.simulate import Enrolment, Sent, Skipped, simulate
from schedules.steps import Channel
from service.clock import BusinessClock, from_ms
from service.dispatch.standing import profile_of, series_of
from service.errors import AftervisitError
from service.store.dispatching import DispatchStore
from service.store.patients import Patients
from service.store.records import PatientFields, Status, Subscription

CatchUp = Literal["skip", "latest", "spread"]
Policy = Literal["as_written", "skip", "latest", "spread"]
POLICIES: Final[tuple[Policy, ...]] = ("as_written", "skip", "latest", "spread")
_RUNNING: Final = frozenset({Status.ACTIVE, Status.COMPLETED})


@dataclass
class Outlook:
    """What becomes of the overdue deliveries under one policy.

    Attributes:
        sent: by the patient's local day, and by channel.
        skipped: by reason.
        today: how many go on the patient's present day.
    """

    sent: Counter[tuple[date, Channel]] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    today: int = 0

    def days(self) -> list[tuple[date, dict[Channel, int]]]:
        """Messages of each day by channel, in order."""
        found: dict[date, dict[Channel, int]] = {}
        for (day, channel), count in sorted(self.sent.items()):
            found.setdefault(day, {})[channel] = count
        return list(found.items())


@dataclass
class Backlog:
    """All that is overdue, and what would become of it.

    Attributes:
        at: business time, UTC.
        overdue: deliveries whose time has come; ``patients`` they are of.
        unreadable: patients whose record or series could not be read.
    """

    at: datetime
    overdue: int = 0
    patients: int = 0
    unreadable: int = 0
    outlooks: dict[Policy, Outlook] = field(default_factory=dict)


class Backlogs:
    """The use case behind ``dispatch backlog --dry-run``."""

    def __init__(
        self, dispatch: DispatchStore, patients: Patients, business: BusinessClock, partitions: int
    ) -> None:
        self._dispatch = dispatch
        self._patients = patients
        self._business = business
        self._partitions = partitions

    def forecast(self, policies: Sequence[Policy] = POLICIES) -> Backlog:
        """Walk every patient with something overdue on, once for each policy.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        now_ms = self._business.now_ms()
        found = Backlog(from_ms(now_ms), outlooks={policy: Outlook() for policy in policies})
        for partition in range(self._partitions):
            for patient in self._overdue(partition, now_ms):
                self._add(patient, found)
        return found

    def _overdue(self, partition: int, now_ms: int) -> Iterator[str]:
        """Patients of a partition with something overdue, each once."""
        seen: set[str] = set()
        for member in self._dispatch.overdue(partition, now_ms):
            patient = member.partition(".")[0]
            if patient not in seen:
                seen.add(patient)
                yield patient

    def _add(self, identifier: str, found: Backlog) -> None:
        fields = self._patients.find(identifier)
        if fields is None:
            return
        try:
            profile = profile_of(self._patients.contact(fields), fields.reachable())
            enrolments = enrolments_of(fields)
            overdue = overdue_steps(enrolments, profile, found.at)
            if not overdue:
                return
            for policy, outlook in found.outlooks.items():
                written = [under(policy, each) for each in enrolments]
                walk(profile, written, fields, overdue, found.at, outlook)
        except (ScheduleError, AftervisitError):
            found.unreadable += 1
            return
        found.overdue += len(overdue)
        found.patients += 1


def enrolments_of(fields: PatientFields) -> list[Enrolment]:
    """A patient's subscriptions as far as they go on, or hold others up."""
    running = (each for each in fields.subscriptions() if each.status in _RUNNING)
    return [enrolment_of(each) for each in running if each.moved_to is None]


def enrolment_of(subscription: Subscription) -> Enrolment:
    """A subscription as the policy sees it, from where it stands."""
    return Enrolment(
        series=series_of(subscription),
        start=subscription.start,
        enrolled_at=from_ms(subscription.enrolled_ms),
        index=subscription.index,
        done=subscription.done,
    )


def overdue_steps(
    enrolments: Sequence[Enrolment], profile: Profile, now: datetime
) -> set[tuple[int, int]]:
    """Which steps are due and not over, as (place of the enrolment, index)."""
    found = set()
    for place, each in enumerate(enrolments):
        for index in range(each.index, len(each.series.steps)):
            planned = plan_step(each.series, index, profile, each.start, each.enrolled_at)
            if planned.due > now:
                break
            found.add((place, index))
    return found


def under(policy: Policy, enrolment: Enrolment) -> Enrolment:
    """The enrolment in a series with another catch-up policy."""
    if policy == "as_written":
        return enrolment
    return replace(enrolment, series=replace(enrolment.series, catch_up=policy))


def walk(
    profile: Profile,
    enrolments: Sequence[Enrolment],
    fields: PatientFields,
    overdue: set[tuple[int, int]],
    now: datetime,
    outlook: Outlook,
) -> None:
    """Walk a patient on until nothing of what was overdue is left, and count what became of it.

    Args:
        profile: the patient.
        enrolments: their subscriptions.
        fields: their record, for their latest drips.
        overdue: steps as (place of the enrolment, index).
        now: business time, UTC.
        outlook: what it is counted in.
    """
    left = set(overdue)
    today = local_date(profile, now)
    outcomes = simulate(profile, enrolments, since=now, recent=fields.recent_drips())
    for outcome in outcomes:
        place = _place(outcome, enrolments)
        if place not in left:
            continue
        left.discard(place)
        if isinstance(outcome, Sent):
            day = local_date(profile, outcome.at)
            outlook.sent[day, outcome.channel] += 1
            outlook.today += int(day == today)
        else:
            outlook.skipped[outcome.reason.value] += 1
        if not left:
            return


def _place(outcome: Sent | Skipped, enrolments: Sequence[Enrolment]) -> tuple[int, int]:
    """Which enrolment's step it is: a patient is in a series once at a time."""
    for place, each in enumerate(enrolments):
        if each.series.name == outcome.series and each.index <= outcome.index:
            return place, outcome.index
    return -1, outcome.index
