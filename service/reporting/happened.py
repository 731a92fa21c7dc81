"""What happened to a patient beside their deliveries: read from wherever it is on record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from schedules.calendar import zone_of
from service.clock import from_ms
from service.reporting.events import Event, of_consent, of_entry, of_reply, of_sent, of_task
from service.store.agreed import agreed_ms, agreements
from service.store.audit import Audit, Entry
from service.store.conversations import Conversations, Said, Sent
from service.store.keys import PartitionKeys, partition_of
from service.store.patients import Patients
from service.store.records import CHANNELS, Channel, Patient, PatientFields
from service.store.replies import Replies
from service.store.reply_records import Reply
from service.store.suppressions import Suppressions

BEFORE_MS: Final = 86_400_000
"""What was said up to a day before somebody was enrolled is told: how they joined."""


@dataclass(frozen=True, slots=True)
class Records:
    """The parts of the store that hold it."""

    patients: Patients
    suppressions: Suppressions
    conversations: Conversations
    replies: Replies
    audit: Audit


class Happened:
    """Tells it in the order of time, on the patient's clock."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def to(
        self,
        fields: PatientFields,
        patient: Patient,
        *,
        texts: bool = False,
        between: tuple[int, int] | None = None,
    ) -> list[Event]:
        """Replies, answers, tasks, consents and changes of a patient and their addresses.

        An address that several share has one conversation, which is told of each of them.

        Args:
            fields: the patient's record.
            patient: the same, decrypted.
            texts: whether replies are told with their own words, and then none that were written
                to another clinic.
            between: business ms UTC, the second not included; None for all of it. The longer the
                stretch, the more of the audit is read for it.

        Raises:
            KeyMissing: something was encrypted under a key that is not in the ring.
            StoreUnavailable: the store did not answer.
        """
        zone = zone_of(patient.timezone)
        since_ms, until_ms = between or (fields.enrolled_ms - BEFORE_MS, None)
        consents = self._records.patients.consents(patient.id)
        held = {
            self._records.suppressions.digest(each.channel, each.address): each
            for each in held_addresses(patient, consents)
        }
        # With their words it is for staff of the patient's clinic, as the inbox has it.
        agreed = self._agreed(held, consents) if texts else {}
        said = [
            each
            for digest, address in held.items()
            for each in self._records.conversations.of(digest, since_ms)
            if address.at(each.at_ms) and (until_ms is None or each.at_ms < until_ms)
            if not texts
            or each.what.clinic == patient.clinic
            or (not each.what.clinic and each.at_ms >= agreed[digest])
        ]
        replies = [each.what for each in said if isinstance(each.what, Reply)]
        spoken = {reply.source: reply.channel for reply in replies}
        entries = self._entries(patient.id, held, since_ms, until_ms)
        events = [
            *(self._said(each, zone, texts=texts) for each in said),
            *(of_consent(each, zone) for each in consents),
            *_changes(entries, held, spoken, zone),
        ]
        if between is not None:
            since, until = map(from_ms, between)
            events = [event for event in events if since <= event.at < until]
        return sorted(events, key=lambda event: event.at)

    def _agreed(
        self, held: Mapping[str, Held], consents: Sequence[Mapping[str, str]]
    ) -> dict[str, int]:
        """From when on what is of no clinic may be theirs, where others use an address as well."""
        others = {each for each in held if len(self._records.suppressions.patients(each)) > 1}
        return {
            digest: agreed_ms(consents, each.channel, each.address) if digest in others else 0
            for digest, each in held.items()
        }

    def _said(self, said: Said, zone: tzinfo, *, texts: bool) -> Event:
        at, what = from_ms(said.at_ms).astimezone(zone), said.what
        if isinstance(what, Reply):
            return of_reply(what, at, self.words(what) if texts else None)
        return of_sent(what, at) if isinstance(what, Sent) else of_task(what, at)

    def words(self, reply: Reply) -> str | None:
        """A reply's own words; None where they were erased.

        Raises:
            KeyMissing: the key they were encrypted under is not in the ring.
        """
        return self._records.replies.content(reply).get("body")

    def _entries(
        self,
        patient: str,
        held: Mapping[str, Held],
        since_ms: int,
        until_ms: int | None,
    ) -> list[Entry]:
        """What the audit holds, each partition read once."""
        names: dict[PartitionKeys, set[str]] = {}
        names.setdefault(PartitionKeys(partition_of(patient)), set()).add(patient)
        for digest in held:
            names.setdefault(self._records.suppressions.keys(digest), set()).add(digest)
        return [
            entry
            for keys, wanted in names.items()
            for entry in self._records.audit.of(keys, wanted, since_ms, until_ms)
            if entry.on not in held or held[entry.on].at(entry.at_ms)
        ]


def _changes(
    entries: list[Entry],
    held: Mapping[str, Held],
    spoken: Mapping[str, Channel],
    zone: tzinfo,
) -> Iterator[Event]:
    for entry in entries:
        where = held[entry.on].channel if entry.on in held else None
        event = of_entry(entry, zone, where, spoken.get(entry.by))
        if event is not None:
            yield event


@dataclass(frozen=True, slots=True)
class Held:
    """An address that is, or was, a patient's.

    Attributes:
        since_ms: business ms UTC, from when on what is said there is told of them.
        until_ms: when another one took its place; None where it is theirs now.
    """

    channel: Channel
    address: str
    since_ms: int = 0
    until_ms: int | None = None

    def at(self, ms: int) -> bool:
        """Whether it was theirs at an instant."""
        return self.since_ms <= ms and (self.until_ms is None or ms < self.until_ms)


def held_addresses(patient: Patient, consents: Sequence[Mapping[str, str]]) -> list[Held]:
    """The addresses of a patient: those of now, and each that was corrected, until it was.

    What was said where an address was somebody else's is none of the patient's story.

    Args:
        patient: as they are now.
        consents: their evidence, which names the address that it is for.
    """
    found: list[Held] = []
    for channel in CHANNELS:
        known = agreements(consents, channel)
        current = patient.address(channel)
        for place, (_, address) in enumerate(known):
            later = [at_ms for at_ms, other in known[place + 1 :] if other != address]
            if address != current and later:
                found.append(Held(channel, address, until_ms=later[0]))
        if current:
            of_now = [at_ms for at_ms, address in known if address == current]
            others = any(address != current for _, address in known)
            since_ms = of_now[0] - BEFORE_MS if of_now and others else 0
            found.append(Held(channel, current, since_ms))
    return found
