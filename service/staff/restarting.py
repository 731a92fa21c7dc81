"""Undo a stop of one series that staff made by mistake, and never what a patient has said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from service.errors import NotFound
from service.staff.subscriptions import NothingToChange, concerned
from service.store.changes import PatientChanges, Restart
from service.store.patients import Patients
from service.store.records import PatientFields, Status, Subscription

WITHIN: Final = timedelta(days=7)
"""A mistake is found within days; who comes back later is asked, and enrolled anew."""
WITHIN_MS: Final = WITHIN // timedelta(milliseconds=1)
_WHY: Final[Mapping[Restart, str]] = {
    "going": "That series is not stopped.",
    "final": "The patient has left that series, or an address of theirs was stopped since. Only "
    "they can come back: by their START, or by agreeing anew.",
    "late": f"It was stopped more than {WITHIN.days} days ago: ask the patient, and enrol anew.",
    "again": "They were enrolled in that series anew since, and are in it once at a time.",
    "silent": "Nothing reaches the patient: correct an address, which needs their consent.",
}


class StopStands(NothingToChange):
    """A stop cannot be undone; nothing was changed.

    Attributes:
        why: as ``PatientChanges.restart`` tells it.
    """

    def __init__(self, why: Restart) -> None:
        super().__init__(_WHY[why])
        self.why = why


class Restarting:
    """The use case behind the console and the command."""

    def __init__(self, patients: Patients, changes: PatientChanges) -> None:
        self._patients = patients
        self._changes = changes

    def restart(self, identifier: str, number: int, *, source: str) -> str:
        """Have a series that staff stopped within the week go on where it was; the subscription.

        One that was paused is paused again. What was missed follows the catch-up policy, as after
        a pause, and nothing is sent twice. A stop that the patient made stays, and so does one
        after which an address of theirs was stopped, even where that was lifted again.

        Raises:
            NotFound: there is no such patient or subscription.
            StopStands: it is not undone, and why.
            StoreUnavailable: not recorded; ask again.
        """
        subscription = self._patients.load(identifier).subscription(number)
        if subscription is None:
            raise NotFound("The patient has no such subscription.")
        return self._restarted(subscription, source)

    def restart_series(self, identifier: str, series: str, *, source: str) -> str:
        """The same of the latest subscription in a series, by its name.

        Raises:
            NotFound: there is no such patient, or they were never in that series.
            StopStands: as for `restart`.
            StoreUnavailable: as for `restart`.
        """
        (subscription,) = concerned(self._patients.load(identifier), series)
        return self._restarted(subscription, source)

    def _restarted(self, subscription: Subscription, source: str) -> str:
        answer = self._changes.restart(subscription, within_ms=WITHIN_MS, source=source)
        if answer != "ok":
            raise StopStands(answer)
        return subscription.id


def undoable_until(fields: PatientFields, subscription: Subscription, now_ms: int) -> int | None:
    """Until when it is worth offering to undo a stop, as a record stands; None where it is not.

    The store has the last word.

    Args:
        fields: the patient's record.
        subscription: one of theirs.
        now_ms: business ms UTC, as what is returned.
    """
    stopped_ms = subscription.undoable_ms
    if subscription.status is not Status.OPTED_OUT or stopped_ms is None:
        return None
    (latest,) = concerned(fields, subscription.series)
    open_yet = now_ms - stopped_ms <= WITHIN_MS and latest.number == subscription.number
    return stopped_ms + WITHIN_MS if open_yet and fields.reachable() else None
