"""Pause and resume a patient's subscriptions; stop everything to a patient's addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from schedules.calendar import resolve, zone_of
from service.clock import BusinessClock, from_ms, to_ms
from service.errors import AftervisitError, InvalidInput, NotFound
from service.store.patients import Patients
from service.store.records import CHANNELS, Channel, PatientFields, Status, Subscription
from service.store.suppressions import Suppressions

STAFF = "staff"
"""The reason that the suppression ledger keeps for what staff stopped."""
LONGEST_PAUSE: Final = timedelta(days=366)
_PAUSABLE: Final = (Status.ACTIVE, Status.PAUSED)
_LEAVABLE = (*_PAUSABLE, Status.OPTED_OUT)


class NothingToChange(AftervisitError):
    """No subscription is in a state from which it can be paused or resumed; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """What stopping a patient did.

    Attributes:
        channels: those whose address is suppressed now.
        ended: the subscriptions that no channel reaches any more, of all patients concerned.
        sharing: channel -> ids of the *other* patients who use the same address, and so get
            nothing by it either.
    """

    channels: tuple[Channel, ...]
    ended: tuple[str, ...]
    sharing: dict[Channel, tuple[str, ...]]


class Staff:
    """The use cases behind the commands, the console, the API and the patient's own page."""

    def __init__(
        self, patients: Patients, suppressions: Suppressions, business: BusinessClock
    ) -> None:
        self._patients = patients
        self._suppressions = suppressions
        self._business = business

    def pause(
        self, identifier: str, *, series: str | None, source: str, until: date | None = None
    ) -> tuple[str, ...]:
        """Pause active subscriptions; their ids.

        Args:
            identifier: the patient's id.
            series: only the subscription in this series; None for all of them.
            source: who pauses, for the audit.
            until: the patient's date on which they go on by themselves, also those that are
                paused already; None: when somebody resumes them.

        Raises:
            InvalidInput: the date is not after the patient's today, or more than a year ahead.
            NotFound: there is no such patient, or they are not in that series.
            NothingToChange: there is nothing to pause.
        """
        if until is None:
            return self._move(identifier, series, (Status.ACTIVE,), Status.PAUSED, source)
        until_ms = self._morning_ms(identifier, until)
        return self._move(identifier, series, _PAUSABLE, Status.PAUSED, source, until_ms)

    def _morning_ms(self, identifier: str, day: date) -> int:
        """When a date begins on the patient's clock, business ms UTC."""
        patient = self._patients.contact(self._patients.load(identifier))
        zone = zone_of(patient.timezone)
        today = from_ms(self._business.now_ms()).astimezone(zone).date()
        if not today < day <= today + LONGEST_PAUSE:
            raise InvalidInput(
                "until",
                "date_bad",
                f"Give a date after today ({today}), within a year: they go on on that day.",
            )
        return to_ms(resolve(datetime.combine(day, time(0)), zone))

    def leave(self, identifier: str, number: int, *, source: str, undoable: bool = False) -> bool:
        """End one subscription for good, and no other; False where it had ended before.

        One that an opt-out has ended is not revived with the others when that is lifted.

        Args:
            identifier: the patient's id.
            number: of the subscription.
            source: who says so, for the audit.
            undoable: whether it is for staff to undo (`Restarting`): not what the patient wanted.

        Raises:
            NotFound: there is no such patient, or no such subscription.
        """
        subscription = self._patients.load(identifier).subscription(number)
        if subscription is None:
            raise NotFound("The patient has no such subscription.")
        stands = self._patients.set_status(
            subscription,
            Status.OPTED_OUT,
            allowed=_LEAVABLE,
            source=source,
            reason="left",
            undoable=undoable,
        )
        went_on = self._went_on(subscription)
        ended = went_on is not None and self.leave(
            identifier, went_on.number, source=source, undoable=undoable
        )
        return ended or stands is None

    def _went_on(self, subscription: Subscription) -> Subscription | None:
        """What a subscription went on as, in another version of its series; None where it did not.

        It is read after the change that it is asked for: a migration may have been first.
        """
        fields = self._patients.load(subscription.patient)
        read = fields.subscription(subscription.number)
        return fields.subscription(read.moved_to) if read and read.moved_to else None

    def resume(self, identifier: str, *, series: str | None, source: str) -> tuple[str, ...]:
        """Resume paused subscriptions; their ids. What was missed follows the catch-up policy.

        Raises:
            NotFound: there is no such patient, or they are not in that series.
            NothingToChange: none of the subscriptions is paused.
        """
        return self._move(identifier, series, (Status.PAUSED,), Status.ACTIVE, source)

    def stop(
        self, identifier: str, *, source: str, channels: Sequence[Channel] = CHANNELS
    ) -> Stopped:
        """Suppress a patient's addresses of some channels, durably, before it returns.

        An address that other patients share is suppressed for them too: it is the person who
        holds the phone that wants to be left alone.

        Raises:
            NotFound: there is no such patient.
            StoreUnavailable: not, or not wholly, recorded; ask again, it is idempotent.
        """
        patient = self._patients.contact(self._patients.load(identifier))
        stopped: list[Channel] = []
        ended: list[str] = []
        sharing: dict[Channel, tuple[str, ...]] = {}
        for channel in channels:
            address = patient.address(channel)
            if address is None:
                continue
            digest = self._suppressions.digest(channel, address)
            ledger = self._suppressions.suppress(channel, digest, reason=STAFF, source=source)
            stopped.append(channel)
            ended += ledger.ended
            others = sorted(other for other in ledger.patients if other != identifier)
            if others:
                sharing[channel] = tuple(
                    other for other in others if self._patients.find(other) is not None
                )
        return Stopped(tuple(stopped), tuple(dict.fromkeys(ended)), sharing)

    def _move(
        self,
        identifier: str,
        series: str | None,
        allowed: Sequence[Status],
        status: Status,
        source: str,
        until_ms: int | None = None,
    ) -> tuple[str, ...]:
        moved, refused = [], []
        fields = self._patients.load(identifier)
        seen = {each.number: each for each in concerned(fields, series)}
        left = list(seen.values())
        while left:
            subscription = left.pop(0)
            stands = self._patients.set_status(
                subscription,
                status,
                allowed=allowed,
                source=source,
                reason=source.partition(":")[0],
                until_ms=until_ms,
            )
            if stands is None:
                moved.append(subscription.id)
            elif went_on := self._went_on(subscription):
                left += [] if went_on.number in seen else [went_on]
                seen[went_on.number] = went_on
            else:
                refused.append(f"{subscription.series} is {stands.word.replace('_', ' ')}")
        if not moved:
            told = "; ".join(refused) or "the patient is in no series"
            word = "pause" if status is Status.PAUSED else "resume"
            raise NothingToChange(f"There is nothing to {word}: {told}.")
        return tuple(moved)


def concerned(fields: PatientFields, series: str | None) -> list[Subscription]:
    """The subscriptions meant: all of them, or of one series the latest, as it may be repeated.

    Raises:
        NotFound: the patient was never in that series.
    """
    found = list(fields.subscriptions())
    if series is None:
        return found
    matching = [each for each in found if each.series == series]
    if not matching:
        names = ", ".join(sorted({each.series for each in found})) or "none"
        raise NotFound(f"The patient is not in the series {series}. Theirs: {names}.")
    return matching[-1:]
