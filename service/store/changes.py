"""Changes of a patient's record: new details, stops undone, links that end, and erasure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from service.clock import BusinessClock
from service.errors import NotFound
from service.store.flights import DRIPS_A_WEEK
from service.store.keyring import KeyRing
from service.store.keys import PartitionKeys, partition_of
from service.store.patients import Consent, pack_evidence
from service.store.records import (
    LETTER,
    Channel,
    Patient,
    PatientFields,
    Subscription,
    pack_subscription,
)
from service.store.scripts import Scripts

Restart = Literal["ok", "going", "final", "late", "again", "silent"]
DayTaken = Literal["ok", "suppressed", "capped_day", "capped_week"]


class PatientChanges:
    """Writes them, each one atomic step, durably."""

    def __init__(self, scripts: Scripts, keyring: KeyRing, business: BusinessClock) -> None:
        self._scripts = scripts
        self._keyring = keyring
        self._business = business

    def amend(
        self,
        fields: PatientFields,
        patient: Patient,
        *,
        ends_links: bool,
        source: str,
        words: Sequence[str],
    ) -> bool:
        """Put a patient's details in place of those that were read; False: read them again.

        What is still to come is planned anew, and nothing is sent twice.

        Args:
            fields: the record that was read.
            patient: as they are to be.
            ends_links: whether links to their page that were made before are dead from now on.
            source: who changes it, for the audit.
            words: names of what changes, for the audit; none of the values.

        Raises:
            NotFound: the patient was erased meanwhile.
        """
        keys = PartitionKeys(partition_of(patient.id))
        sealed = self._keyring.encrypt(patient.pack(), patient.id.encode())
        now_ms, known = self._business.now_ms(), fields.fields["c"]
        told = (int(ends_links), now_ms, source, ",".join(words))
        answer = self._scripts.run_durably(
            "amend",
            [
                (
                    (keys.patient(patient.id), keys.due, keys.audit),
                    (patient.id, known, sealed, *told),
                )
            ],
        )[0]
        if answer == b"gone":
            raise NotFound("There is no such patient any more.")
        return bool(answer == b"ok")

    def move(
        self, subscription: Subscription, start: date, *, source: str
    ) -> Literal["ok", "changed", "over"]:
        """Have a subscription begin on another day; what is left of it is planned anew.

        Args:
            subscription: as it was read; ``changed`` where it is not that any more.
            start: the new first day.
            source: who moves it, for the audit.

        Raises:
            NotFound: the patient was erased meanwhile.
        """
        keys = PartitionKeys(partition_of(subscription.patient))
        names = (
            *(keys.patient(subscription.patient), keys.due, keys.held, keys.audit),
            keys.counts,
        )
        known, wanted = (
            pack_subscription(
                subscription.series, subscription.version, day, subscription.enrolled_ms
            )
            for day in (subscription.start, start)
        )
        told = (self._business.now_ms(), source, start.isoformat())
        args = (subscription.number, subscription.id, known, wanted, *told)
        answer = self._scripts.run_durably("move_start", [(names, args)])[0].decode()
        if answer == "gone":
            raise NotFound("There is no such subscription any more.")
        moved: Literal["ok", "changed", "over"] = answer
        return moved

    def restart(self, subscription: Subscription, *, within_ms: int, source: str) -> Restart:
        """Undo a stop that staff made: the subscription goes on where it was, in one atomic step.

        Args:
            subscription: which.
            within_ms: how long ago it may have been stopped.
            source: who undoes it, for the audit.

        Returns:
            ``ok``; ``going``: it is not stopped; ``final``: the patient stopped it, or an address
            of theirs was stopped since; ``late``: it was stopped too long ago; ``again``: they were
            enrolled in the series anew; ``silent``: nothing reaches the patient.

        Raises:
            NotFound: the patient was erased meanwhile.
        """
        keys = PartitionKeys(partition_of(subscription.patient))
        names = (keys.patient(subscription.patient), keys.due, keys.audit, keys.counts)
        args = (subscription.number, subscription.id, source, self._business.now_ms(), within_ms)
        answer = self._scripts.run_durably("restart", [(names, args)])[0].decode()
        if answer == "gone":
            raise NotFound("There is no such subscription any more.")
        restarted: Restart = answer
        return restarted

    def take_day(
        self, identifier: str, channel: Channel, day: date, message: str, *, source: str
    ) -> DayTaken:
        """Count a message outside of a series as a local day's one, where it may be sent.

        Raises:
            NotFound: there is no such patient.
            StoreUnavailable: it may have been counted, and nothing is to be sent.
        """
        keys = PartitionKeys(partition_of(identifier))
        names = (keys.patient(identifier), keys.audit)
        now_ms = self._business.now_ms()
        told = (day.toordinal(), DRIPS_A_WEEK, source, now_ms, message)
        args = (identifier, "x" + LETTER[channel], *told)
        answer = self._scripts.run_durably("take_day", [(names, args)])[0].decode()
        if answer == "gone":
            raise NotFound("There is no such patient any more.")
        taken: DayTaken = answer
        return taken

    def end_links(self, identifier: str, *, source: str) -> int:
        """Make every link to a patient's page dead that was made before; how often that was done.

        Raises:
            NotFound: there is no such patient.
        """
        keys = PartitionKeys(partition_of(identifier))
        names = (keys.patient(identifier), keys.audit)
        args = (identifier, source, self._business.now_ms())
        count = int(self._scripts.run_durably("end_links", [(names, args)])[0])
        if not count:
            raise NotFound("There is no such patient any more.")
        return count

    def erase(self, identifier: str, *, kept: Sequence[Consent], source: str) -> bool:
        """Erase all that stands under a patient's id, for good; False where there was nothing.

        Args:
            identifier: the patient's id; it is not given to anybody again.
            kept: evidence that stays, without anything that tells who it was of.
            source: who erases, for the audit.
        """
        keys = PartitionKeys(partition_of(identifier))
        names = (
            keys.patient(identifier),
            keys.due,
            keys.held,
            keys.history(identifier),
            keys.consents(identifier),
            keys.dead_letters,
            keys.audit,
            keys.check_ins(identifier),
            keys.counts,
        )
        blob = self._keyring.encrypt(pack_evidence(kept), identifier.encode()) if kept else b""
        args = (identifier, source, self._business.now_ms(), blob)
        return bool(self._scripts.run_durably("erase", [(names, args)])[0] == b"ok")
