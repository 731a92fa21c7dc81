"""What was said by and to an address, as staff read it; and a page of what waits for them.

Whoever sees some clinics only sees of an address what is of these: a number that two families share
has a thread for each of their clinics, as far as it is known what was meant for whom.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from service.clock import MachineClock
from service.errors import NotFound
from service.inbox.answers import Answers
from service.inbox.people import Person
from service.inbox.thread import Entry, Thread, Waiting, WaitingPage
from service.store.agreed import NEVER_MS, agreed_ms
from service.store.conversations import Conversations, Said, Sent
from service.store.corrections import Corrections
from service.store.keyring import KeyMissing, KeyRing, Tampered
from service.store.patients import Patients
from service.store.records import CHANNELS, Channel
from service.store.reply_records import Reply
from service.store.suppressions import Suppressions
from service.store.tasks import ORDER, Task, TaskKind, Tasks, TaskState
from service.store.worklist import Count, Place, Row, Worklist

log = structlog.get_logger(__name__)

NEWEST: Final = 50
"""So many entries of a thread are shown at first."""
KINDS: Final = tuple(TaskKind)
"""What may wait, the most pressing first."""


@dataclass(frozen=True, slots=True)
class ThreadParts:
    """What threads are read from."""

    worklist: Worklist
    tasks: Tasks
    conversations: Conversations
    corrections: Corrections
    suppressions: Suppressions
    answers: Answers
    patients: Patients
    keyring: KeyRing
    machine: MachineClock


class Threads:
    """The use cases behind the console's inbox and its first page."""

    def __init__(self, parts: ThreadParts) -> None:
        self._parts = parts

    def waiting(
        self,
        clinics: Collection[str],
        *,
        kinds: Sequence[TaskKind] = KINDS,
        limit: int,
        after: Place | None = None,
        by_address: bool = False,
    ) -> WaitingPage:
        """A page of what waits, the most pressing first; only what is shown is decrypted.

        Args:
            clinics: that the reader sees; empty: every one.
            kinds: those that are asked for, in their order.
            limit: how many rows.
            after: of the page before this; None for the first.
            by_address: a row for each thread, and not for each task.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        page = self._parts.worklist.page(
            kinds, clinics, limit=limit, after=after, by_address=by_address
        )
        return WaitingPage(page, self._told(page.rows, clinics))

    def calls_and_replies(
        self, clinics: Collection[str], *, calls: int, replies: int
    ) -> tuple[Sequence[Waiting], Sequence[Waiting], Mapping[TaskKind, Count]]:
        """The tasks in which somebody may have to be phoned, replies to read, and how many wait.

        Args:
            clinics: that the reader sees; empty: every one.
            calls: at most so many of the one.
            replies: at most so many of the other.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        # Replies come last: one look finds both, unless there are more calls than are shown.
        page = self._parts.worklist.page(KINDS, clinics, limit=calls + replies)
        pressing = [row for row in page.rows if row.task.kind is not TaskKind.REPLY]
        reading = [row for row in page.rows if row.task.kind is TaskKind.REPLY]
        if len(reading) < replies and page.further is not None:
            last = (TaskKind.REPLY,)
            reading = list(self._parts.worklist.page(last, clinics, limit=replies).rows)
        told = self._told([*pressing[:calls], *reading[:replies]], clinics)
        first = len(pressing[:calls])
        return told[:first], told[first:], page.counts

    def _told(self, rows: Sequence[Row], clinics: Collection[str]) -> tuple[Waiting, ...]:
        """Rows with what they are about, decrypted."""
        now_ms = self._parts.machine.now_ms()
        contents = self._parts.tasks.contents([row.task for row in rows])
        concerned = dict.fromkeys(each for row in rows for each in row.task.patients)
        people = {p.contact.id: p.contact for p in self._parts.answers.people(list(concerned))}
        told = []
        for row, content in zip(rows, contents, strict=True):
            contacts = (people[each] for each in row.task.patients if each in people)
            names = [each.given_name for each in contacts if sees(clinics, each.clinic)]
            age_ms = max(0, now_ms - row.task.opened_ms)
            body = content.get("body", "")
            told.append(Waiting(row, tuple(names) or _named(content), body, age_ms))
        return tuple(told)

    def open(
        self,
        address: str,
        clinics: Collection[str],
        *,
        newest: int | None = NEWEST,
        until_ms: int | None = None,
    ) -> Thread:
        """One thread.

        Args:
            address: its digest.
            clinics: that the reader sees; empty: every one.
            newest: of all that was said, only so much; None for everything.
            until_ms: only what was said by then, business ms UTC; None: by now.

        Raises:
            NotFound: nothing was said there, or nothing that the reader may see.
            StoreUnavailable: the store does not answer.
        """
        everybody = self._parts.answers.people(self._parts.suppressions.patients(address))
        people = [each for each in everybody if sees(clinics, each.contact.clinic)]
        said = self._parts.conversations.of(address, newest=newest, until_ms=until_ms)
        # Who enters an address as somebody's is not shown what others wrote from it before.
        since_ms = self._agreed_ms(address, people) if len(people) < len(everybody) else 0
        seen = [
            each
            for each in said
            if _is_seen(each, clinics, known=bool(people) and each.at_ms >= since_ms)
        ]
        if not seen and newest is not None and len(said) >= newest:
            return self.open(address, clinics, newest=None, until_ms=until_ms)
        if not seen:
            raise NotFound("There is no such conversation.")
        clinic_ids = [
            *(person.contact.clinic for person in people[:1]),
            *(_clinic_of(each) for each in reversed(seen)),
        ]
        return Thread(
            address=address,
            channel=self._channel(address, seen, people),
            people=tuple(people),
            shared=len(people) < len(everybody),
            entries=tuple(self._entry(each) for each in seen),
            earlier=newest is not None and len(said) >= newest,
            tasks=self._waiting_of(address, clinics),
            stand=self._parts.suppressions.stand(address),
            clinic=next(filter(None, clinic_ids), ""),
        )

    def _agreed_ms(self, address: str, people: Sequence[Person]) -> int:
        """When the first of these agreed to be written to at an address, business ms UTC."""
        digest, consents = self._parts.suppressions.digest, self._parts.patients.consents
        found = [
            agreed_ms(consents(person.contact.id), channel, own)
            for person in people
            for channel in CHANNELS
            if (own := person.contact.address(channel)) and digest(channel, own) == address
        ]
        return min(found, default=NEVER_MS)

    def _waiting_of(self, address: str, clinics: Collection[str]) -> tuple[Task, ...]:
        found = [
            task
            for task in self._parts.conversations.tasks(address)
            if task.state is not TaskState.CLOSED and sees(clinics, task.clinic)
        ]
        return tuple(sorted(found, key=lambda task: (ORDER[task.kind], task.opened_ms)))

    def _channel(self, address: str, said: Sequence[Said], people: Sequence[Person]) -> Channel:
        for each in said:
            if not isinstance(each.what, Task):
                return each.what.channel
        mailboxes = {person.contact.email for person in people} - {None}
        digest = self._parts.suppressions.digest
        return "email" if address in {digest("email", box or "") for box in mailboxes} else "sms"

    def task(self, identifier: str, clinics: Collection[str]) -> Task:
        """A task that the reader sees.

        Raises:
            NotFound: there is none.
        """
        task = self._parts.tasks.find(identifier)
        if not sees(clinics, task.clinic):
            raise NotFound("There is no such task.")
        return task

    def _entry(self, said: Said) -> Entry:
        what = said.what
        try:
            if isinstance(what, Reply):
                told = tuple(self._parts.corrections.of(what)) if what.correction else ()
                body = json.loads(self._opened(said, "c") or "{}").get("body")
                return Entry(said.at_ms, what, body, self._opened(said, "r"), told)
            if isinstance(what, Sent):
                written = json.loads(self._opened(said, "c") or "{}") if what.by else {}
                return Entry(said.at_ms, what, written.get("values", {}).get("answer"))
            notes = tuple(self._parts.tasks.notes(what)) if "nt" in said.sealed else ()
            return Entry(said.at_ms, what, notes=notes)
        except (KeyMissing, Tampered) as error:
            log.error("entry_unreadable", entry=what.id, fault=str(error))
            return Entry(said.at_ms, what, None)

    def _opened(self, said: Said, name: str) -> str:
        sealed = said.sealed.get(name)
        return self._parts.keyring.decrypt(sealed, said.key.encode()).decode() if sealed else ""


def _is_seen(said: Said, clinics: Collection[str], *, known: bool) -> bool:
    """Whether a reader of some clinics sees it; ``known``: they see somebody who uses the address.

    What is of no certain clinic, such as an e-mail, is for whoever sees one of those concerned.
    """
    clinic = _clinic_of(said)
    return not clinics or (clinic in clinics if clinic else known)


def _clinic_of(said: Said) -> str:
    return said.what.clinic


def _named(content: Mapping[str, str]) -> tuple[str, ...]:
    name = content.get("given_name", "")
    return (name,) if name else ()


def sees(clinics: Collection[str], clinic: str) -> bool:
    """Whether a reader of some clinics sees one; of every clinic where none is named."""
    return not clinics or clinic in clinics
