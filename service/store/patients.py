"""Patients in the store: creation, reading, status, history and consent evidence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import redis

from service.clock import BusinessClock
from service.errors import NotFound
from service.store.connection import store_errors
from service.store.counts import ClinicNumbers
from service.store.directory import ID_LETTERS, Directory
from service.store.history import HistoryEntry
from service.store.keyring import Index, KeyRing
from service.store.keys import (
    PartitionKeys,
    RandomBytes,
    is_patient_id,
    new_attempt_id,
    new_patient_id,
    partition_of,
)
from service.store.records import (
    LETTER,
    Channel,
    Patient,
    PatientFields,
    Status,
    Subscription,
    compact,
)
from service.store.scripts import Argument, Call, Scripts, as_bytes, as_text

Consent = Mapping[str, str]
EVIDENCE = (
    *("channel", "method", "wording", "address", "by", "at"),
    *("shown_at", "ip", "confirmed", "join", "import", "file"),
)
"""What is kept of a consent; the places of its row. ``shown_at`` is when the wording was shown,
``ip`` where the form came from, ``confirmed`` what proved the address, ``join`` which join it was,
``import`` which import and row (``id/17``), ``file`` the SHA-256 of its file.
"""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What creating a subscription came to.

    Attributes:
        outcome: ``ok``; ``exists`` (the new id is taken: choose another); ``gone`` (the patient
            was erased meanwhile); ``enrolled`` (already in that series).
        number: of the new, or of the existing subscription.
    """

    outcome: Literal["ok", "exists", "gone", "enrolled"]
    number: int = 0
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class ToEnrol:
    """A subscription to be created; see `Patients.enrol`."""

    patient: Patient
    new: bool
    subscription: str
    series: str
    due_ms: int
    consents: Sequence[Consent]
    copies: Mapping[Channel, str]


class Patients:
    """Reads and writes patient records; contacts and evidence are encrypted with the key ring.

    Attributes:
        directory: the lists that everybody who is created here is entered in.
    """

    def __init__(
        self,
        client: redis.Redis,
        scripts: Scripts,
        keyring: KeyRing,
        partitions: int,
        clock: BusinessClock,
        random: RandomBytes,
        index: Index,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._keyring = keyring
        self._partitions = partitions
        self._clock = clock
        self._random = random
        self._index = index
        self.directory = Directory(scripts, index, partitions)
        self._clinics = ClinicNumbers(client)

    def new_id(self) -> str:
        """A fresh patient id in a partition drawn evenly."""
        partition = int.from_bytes(self._random(4), "big") % self._partitions
        return new_patient_id(partition, self._random)

    def id_of(self, given_name: str, phone: str | None, email: str | None) -> str:
        """The id that a new patient of that name and those addresses gets first: a keyed hash."""
        told = json.dumps([given_name.casefold(), phone, email])
        letters = hashlib.sha256(self._index.digest("patient", told).encode()).digest()
        partition = int.from_bytes(letters[-4:], "big") % self._partitions
        return new_patient_id(partition, lambda count: letters[:count])

    def new_attempt(self, patient: str) -> str:
        """A fresh attempt id in a patient's partition."""
        return new_attempt_id(partition_of(patient), self._random)

    def enrol(
        self,
        patient: Patient,
        *,
        new: bool,
        subscription: str,
        series: str,
        due_ms: int,
        consents: Sequence[Consent],
        copies: Mapping[Channel, str],
        source: str,
    ) -> Enrolled:
        """Create a patient with a subscription, or add one to an existing patient: all or nothing.

        Args:
            patient: the contact to store.
            new: whether the patient must not exist yet; otherwise must.
            subscription: from ``records.pack_subscription``.
            series: its name; a patient is in a series once at a time.
            due_ms: first due time, business ms UTC.
            consents: evidence to append, one mapping a channel, keys from ``EVIDENCE``.
            copies: suppression copies from ``Suppressions.join``.
            source: who enrols.
        """
        one = ToEnrol(patient, new, subscription, series, due_ms, consents, copies)
        return self.enrol_all([one], source=source)[0]

    def enrol_all(self, many: Sequence[ToEnrol], *, source: str) -> list[Enrolled]:
        """The same for many, each all or nothing by itself, with one wait for the disk."""
        left = self._list([(one.patient, one.new) for one in many])
        now_ms = self._clock.now_ms()
        calls = [self._call(one, source, now_ms) for one in many]
        answers = [_enrolled(answer) for answer in self._scripts.run_durably("enrol", calls)]
        for one, enrolled in zip(many, answers, strict=True):
            lists = left.get(one.patient.id)
            if lists and enrolled.outcome == "ok":
                self.directory.leave(one.patient.id, lists)
        return answers

    def _call(self, one: ToEnrol, source: str, now_ms: int) -> Call:
        patient = one.patient
        channels = "".join(LETTER[channel] for channel in patient.channels)
        args: list[Argument] = [patient.id, int(one.new)]
        args += [self._sealed(patient, patient.pack()), channels]
        args += [one.subscription, one.due_ms, one.series, source, now_ms]
        args += [self._sealed(patient, pack_evidence(one.consents)) if one.consents else b""]
        args += [self._clinics.of(patient.clinic)]
        for channel, copy in one.copies.items():
            args += ["x" + LETTER[channel], copy]
        return _enrolment_keys(patient.id), args

    def _list(self, many: Sequence[tuple[Patient, bool]]) -> dict[str, list[str]]:
        """Enter patients in the lists in which they are to stand, before records are written.

        Args:
            many: each patient, and whether they are new.

        Returns:
            By patient the lists in which they stand and are to stand no more, once it is.
        """
        there = self.find_all([patient.id for patient, new in many if not new])
        stood = {fields.id: self.directory.lists_of(self.contact(fields)) for fields in there}
        entering: list[tuple[str, str]] = []
        left: dict[str, list[str]] = {}
        for patient, new in many:
            if not new and patient.id not in stood:
                continue
            lists, before = self.directory.lists_of(patient), stood.get(patient.id, ())
            entering += [(each, patient.id) for each in lists if each not in before]
            left[patient.id] = [each for each in before if each not in lists]
        self.directory.enter_all(entering)
        return left

    def add_channel(
        self,
        fields: PatientFields,
        patient: Patient,
        consent: Consent,
        copy: str,
        *,
        source: str,
    ) -> bool:
        """Add evidence of consent, and its channel and address where they are new.

        Args:
            fields: the record as it was read.
            patient: the contact as it is to be.
            consent: evidence, keys from ``EVIDENCE``.
            copy: of the channel's suppression, from ``Suppressions.join``.
            source: who says so.

        Returns:
            False where the record was changed meanwhile: read it again.

        Raises:
            NotFound: the patient was erased meanwhile.
        """
        names = _enrolment_keys(patient.id)
        args: list[Argument] = [patient.id, fields.fields["c"]]
        args += [self._sealed(patient, patient.pack())]
        args += ["".join(LETTER[channel] for channel in patient.channels)]
        args += [self._sealed(patient, pack_evidence([consent]))]
        args += ["x" + consent["channel"][0], copy, source, self._clock.now_ms()]
        answer: bytes = self._scripts.run_durably("add_channel", [(names, args)])[0]
        if answer == b"gone":
            raise NotFound("That patient no longer exists.")
        return answer == b"ok"

    def _sealed(self, patient: Patient, plain: bytes) -> bytes:
        return self._keyring.encrypt(plain, patient.id.encode())

    def load(self, identifier: str) -> PatientFields:
        """A patient's whole record.

        Raises:
            NotFound: there is none, or the text is no id.
        """
        fields = self.find(identifier)
        if fields is None:
            raise NotFound("There is no patient with that id. An id has 12 letters and digits.")
        return fields

    def find(self, identifier: str) -> PatientFields | None:
        """The same, None where there is no such patient."""
        if not is_patient_id(identifier):
            return None
        key = PartitionKeys(partition_of(identifier)).patient(identifier)
        fields = PatientFields(identifier, self._scripts.read_hash(key))
        return fields if fields.exists else None

    def find_all(self, identifiers: Sequence[str]) -> list[PatientFields]:
        """Those of several patients that there are, in one round trip."""
        known = [identifier for identifier in identifiers if is_patient_id(identifier)]
        keys = [PartitionKeys(partition_of(each)).patient(each) for each in known]
        records = self._scripts.read_hashes(keys)
        found = [PatientFields.of(*pair) for pair in zip(known, records, strict=True)]
        return [fields for fields in found if fields.exists]

    def contact(self, fields: PatientFields) -> Patient:
        """Decrypt who a patient is.

        Raises:
            KeyMissing: the key it was encrypted under is not in the ring.
        """
        packed = self._keyring.decrypt(fields.fields["c"], fields.id.encode())
        return Patient.unpack(fields.id, packed)

    def history(self, identifier: str) -> list[HistoryEntry]:
        """All concluded deliveries of a patient, in the order of their due times."""
        key = PartitionKeys(partition_of(identifier)).history(identifier)
        rows = self._scripts.read_hash(key)
        entries = [HistoryEntry.unpack(field, packed.decode()) for field, packed in rows.items()]
        return sorted(entries, key=lambda entry: (entry.due_ms, entry.subscription, entry.index))

    def consents(self, identifier: str) -> list[dict[str, str]]:
        """The consent evidence of a patient, oldest first."""
        key = PartitionKeys(partition_of(identifier)).consents(identifier)
        with store_errors(self._client):
            blobs = [as_bytes(blob) for blob in self._client.lrange(key, 0, -1)]
        opened = (self._keyring.decrypt(blob, identifier.encode()) for blob in blobs)
        return [consent for packed in opened for consent in _unpack_evidence(packed)]

    def set_status(
        self,
        subscription: Subscription,
        status: Status,
        *,
        allowed: Sequence[Status],
        source: str,
        reason: str,
        until_ms: int | None = None,
        undoable: bool = False,
    ) -> Status | None:
        """Pause, resume or stop; None when done, else the status that forbade it.

        A resumed subscription is due at once; the policy decides what is still worth sending. One
        that is stopped here is not revived by a lifted suppression.

        Args:
            subscription: which.
            status: its new one.
            allowed: those that it may come from.
            source: who does it, for the audit.
            reason: one word, for the audit.
            until_ms: when a pause ends by itself, business ms UTC; None: when somebody ends it.
            undoable: of a stop: whether it is one of staff's own, which they may undo
                (``PatientChanges.restart``). Who does it does not say so: staff also correct
                what a patient's own words were taken for.
        """
        keys = PartitionKeys(partition_of(subscription.patient))
        now = self._clock.now_ms()
        answer = self._scripts.run_durably(
            "set_status",
            [
                (
                    (
                        *(keys.patient(subscription.patient), keys.due, keys.audit),
                        *(keys.history(subscription.patient), keys.counts),
                    ),
                    (
                        subscription.number,
                        subscription.id,
                        "".join(allowed),
                        status,
                        now,
                        source,
                        reason,
                        now,
                        "" if until_ms is None else until_ms,
                        int(undoable) or "",
                    ),
                )
            ],
        )[0]
        if answer[0] == b"gone":
            raise NotFound("That subscription no longer exists.")
        return None if answer[0] == b"ok" else Status(answer[1].decode())

    def identifiers(self) -> Iterator[str]:
        """Every patient id, in no order, without holding the server up (``SCAN``).

        One may come twice.
        """
        with store_errors(self._client):
            # No brace in the pattern: all primaries of a cluster are asked, not that of one slot.
            for key in self._client.scan_iter(match=f"?p*:p:{'?' * ID_LETTERS}", count=1000):
                yield key.decode()[-ID_LETTERS:]

    def load_many(self, identifiers: Sequence[str]) -> list[PatientFields]:
        """Records of some patients in one round trip; empty ones where there is nobody.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        keys = [PartitionKeys(partition_of(each)).patient(each) for each in identifiers]
        return [
            PatientFields.of(identifier, record)
            for identifier, record in zip(identifiers, self._scripts.read_hashes(keys), strict=True)
        ]

    def histories(self, identifiers: Sequence[str]) -> list[list[HistoryEntry]]:
        """What was concluded for some patients, in one round trip; each in no order.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        keys = [PartitionKeys(partition_of(each)).history(each) for each in identifiers]
        return [
            [HistoryEntry.unpack(as_text(field), as_text(entry)) for field, entry in row.items()]
            for row in self._scripts.read_hashes(keys)
        ]


def _enrolment_keys(patient: str) -> tuple[str, ...]:
    keys = PartitionKeys(partition_of(patient))
    names = (keys.patient(patient), keys.due, keys.consents(patient), keys.audit)
    return (*names, keys.counts)


def _enrolled(answer: list[bytes]) -> Enrolled:
    match answer[0]:
        case b"ok":
            return Enrolled("ok", int(answer[1]), Status(answer[2].decode()))
        case b"enrolled":
            return Enrolled("enrolled", int(answer[1]))
        case b"exists":
            return Enrolled("exists")
        case _:
            return Enrolled("gone")


def pack_evidence(consents: Sequence[Consent]) -> bytes:
    """The consents of one enrolment, as rows of ``EVIDENCE``, to be encrypted."""
    rows = [[consent.get(name) for name in EVIDENCE] for consent in consents]
    for row in rows:
        while row and row[-1] is None:
            row.pop()
    return compact(rows).encode()


def _unpack_evidence(packed: bytes) -> list[dict[str, str]]:
    """Read what ``pack_evidence`` wrote, or what was written before it: an object a consent."""
    read = json.loads(packed)
    if isinstance(read, dict):
        return [read]
    return [
        {name: value for name, value in zip(EVIDENCE, row, strict=False) if value is not None}
        for row in read
    ]
