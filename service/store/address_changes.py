"""Corrections of a patient's address: in step with the suppressions of the old and the new one."""

from __future__ import annotations

from typing import Final

from service.clock import BusinessClock, MachineClock
from service.errors import NotFound
from service.store.keyring import KeyRing
from service.store.keys import PartitionKeys, partition_of
from service.store.patients import Consent, pack_evidence
from service.store.records import CHANNELS, LETTER, Channel, Patient, PatientFields
from service.store.scripts import Argument, Scripts
from service.store.suppressions import Suppressions

WORD: Final[dict[Channel, str]] = {"sms": "phone", "email": "email"}
"""What changes, for the audit."""


class AddressChanges:
    """Writes them, durably, each in steps that may be cut off and done again."""

    def __init__(
        self,
        scripts: Scripts,
        keyring: KeyRing,
        suppressions: Suppressions,
        business: BusinessClock,
        machine: MachineClock,
    ) -> None:
        self._scripts = scripts
        self._keyring = keyring
        self._suppressions = suppressions
        self._business = business
        self._machine = machine

    def correct(
        self,
        fields: PatientFields,
        known: Patient,
        wanted: Patient,
        consent: Consent,
        *,
        source: str,
    ) -> bool:
        """Put one address of a patient in place of another; False: read the record again.

        A suppression belongs to its address: that of the new one holds from the same instant on,
        that of the old one no longer, whatever comes of either meanwhile. What waits to be sent,
        and what a worker has claimed and not begun, goes to the new address or nowhere.

        Args:
            fields: the record that was read.
            known: the same, decrypted.
            wanted: as they are to be.
            consent: evidence for the new address, keys from ``patients.EVIDENCE``.
            source: who corrects it, for the audit.

        Raises:
            NotFound: the patient was erased meanwhile.
            StoreUnavailable: not, or not wholly, done; ask again.
        """
        channel = _channel_of(consent)
        before, after = (self._digest(channel, each) for each in (known, wanted))
        keys = PartitionKeys(partition_of(known.id))
        expected = self._scripts.run_durably(
            "expect_address", [((keys.patient(known.id),), (LETTER[channel], before, after))]
        )[0]
        if expected == b"gone":
            raise NotFound("There is no such patient any more.")
        copy = self._suppressions.join(after, known.id)
        answer = self._written(fields, wanted, consent, after, copy, source)
        if answer == b"gone":
            self._suppressions.leave(after, known.id)
            raise NotFound("There is no such patient any more.")
        if answer != b"ok":
            return False
        if before:
            self._suppressions.leave(before, known.id)
        return True

    def sharing(self, patient: Patient, channel: Channel) -> tuple[str, ...]:
        """Ids of others who use a patient's address."""
        digest = self._digest(channel, patient)
        found = self._suppressions.patients(digest) if digest else ()
        return tuple(sorted(each for each in found if each != patient.id))

    def _digest(self, channel: Channel, patient: Patient) -> str:
        address = patient.address(channel)
        return self._suppressions.digest(channel, address) if address else ""

    def _written(
        self,
        fields: PatientFields,
        wanted: Patient,
        consent: Consent,
        digest: str,
        copy: str,
        source: str,
    ) -> bytes:
        keys, associated = PartitionKeys(partition_of(wanted.id)), wanted.id.encode()
        channel = _channel_of(consent)
        names = (
            keys.patient(wanted.id),
            keys.due,
            keys.held,
            keys.consents(wanted.id),
            keys.audit,
            keys.counts,
        )
        args: list[Argument] = [wanted.id, fields.fields["c"]]
        args += [self._keyring.encrypt(wanted.pack(), associated)]
        args += ["".join(LETTER[each] for each in wanted.channels), LETTER[channel], digest, copy]
        args += [self._keyring.encrypt(pack_evidence([consent]), associated), source]
        args += [self._business.now_ms(), self._machine.now_ms(), WORD[channel]]
        answer: bytes = self._scripts.run_durably("correct_address", [(names, args)])[0]
        return answer


def _channel_of(consent: Consent) -> Channel:
    return next(each for each in CHANNELS if each == consent["channel"])
