"""Erase a patient for good. What keeps others from writing to them again stays."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from service.errors import NotFound
from service.reporting.happened import held_addresses
from service.store.changes import PatientChanges
from service.store.conversations import Conversations
from service.store.patients import Patients
from service.store.records import Status
from service.store.suppressions import Suppressions
from service.store.tasks import Task, Tasks, TaskState, TaskTaken

KEPT_OF_CONSENT: Final[tuple[str, ...]] = ("channel", "method", "wording", "at")
"""What stays of a consent: that there was one, how and to which wording, for the years for which it
may have to be shown (45 CFR 164.316); not to whom it belonged, nor by whom it was entered."""
_LIVE: Final = (Status.ACTIVE, Status.PAUSED, Status.PENDING)


@dataclass(frozen=True, slots=True)
class Erased:
    """What erasing a patient did.

    Attributes:
        subscriptions: those that were ended by it.
        consents: pieces of evidence that are kept without a name.
    """

    subscriptions: tuple[str, ...]
    consents: int


class Erasure:
    """The use case behind the command and the console; nothing undoes it."""

    def __init__(
        self,
        patients: Patients,
        changes: PatientChanges,
        suppressions: Suppressions,
        conversations: Conversations,
        tasks: Tasks,
    ) -> None:
        self._patients = patients
        self._changes = changes
        self._suppressions = suppressions
        self._conversations = conversations
        self._tasks = tasks

    def erase(self, identifier: str, *, source: str) -> Erased:
        """Remove contact, series, history and what consents tell of a person; durably.

        A suppression belongs to the address and not to the patient: where there is one it stays,
        so that a list with that number on it, brought in later, writes to nobody. Of an address
        that nobody else uses, corrected ones included, the words of replies and tasks are removed
        as well, and what waits for staff is closed: there is nobody left to call. Cut off anywhere,
        it is done again from the start.

        Raises:
            NotFound: there is no such patient, or no longer.
            StoreUnavailable: not, or not wholly, erased; ask again.
        """
        fields = self._patients.load(identifier)
        patient = self._patients.contact(fields)
        evidence = self._patients.consents(identifier)
        kept: list[dict[str, str]] = [
            {name: consent[name] for name in KEPT_OF_CONSENT if name in consent}
            for consent in evidence
        ]
        ended = [
            subscription.id
            for subscription in fields.subscriptions()
            if self._patients.set_status(
                subscription, Status.OPTED_OUT, allowed=_LIVE, source=source, reason="erased"
            )
            is None
        ]
        # Only now, when nothing is sent to them any more: once out of the index, an opt-out of the
        # address does not reach their record.
        for held in held_addresses(patient, evidence):
            digest = self._suppressions.digest(held.channel, held.address)
            self._suppressions.leave(digest, identifier)
            self._forget(digest, source)
        if not self._changes.erase(identifier, kept=kept, source=source):
            raise NotFound("There is no such patient any more: somebody else was first.")
        directory = self._patients.directory
        directory.leave(identifier, directory.lists_of(patient))
        return Erased(tuple(ended), len(kept))

    def _forget(self, address: str, source: str) -> None:
        self._conversations.forget(address)
        if self._suppressions.patients(address):
            return
        for said in self._conversations.of(address):
            if isinstance(said.what, Task) and said.what.state is not TaskState.CLOSED:
                with suppress(TaskTaken):  # somebody was first
                    self._tasks.close(said.what.id, source, "erased")
