"""Count whoever was enrolled before there were counts, or by an older release."""

from __future__ import annotations

from itertools import islice
from typing import Final

import redis
import structlog

from service.store.counts import ClinicNumbers
from service.store.installation import is_counted, note_counted
from service.store.keyring import KeyMissing, Tampered
from service.store.keys import PartitionKeys, partition_of
from service.store.patients import Patients
from service.store.scripts import Call, Scripts

log = structlog.get_logger(__name__)

AT_ONCE: Final = 100
"""Patients counted in one round trip: some milliseconds of the store."""


class Recounting:
    """Goes through all patients. Cut off and begun anew, or done twice, it counts none twice."""

    def __init__(
        self, client: redis.Redis, scripts: Scripts, patients: Patients, numbers: ClinicNumbers
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._patients = patients
        self._numbers = numbers

    def run_once(self) -> bool:
        """Do it where it was never done; True once it is.

        Raises:
            StoreUnavailable: run it again.
        """
        if not is_counted(self._client):
            self.run()
        return True

    def run(self) -> int:
        """Count all who are not counted; how many subscriptions that were.

        Raises:
            StoreUnavailable: run it again.
        """
        names, counted = self._patients.identifiers(), 0
        while batch := list(islice(names, AT_ONCE)):
            calls = [call for patient in batch if (call := self._call(patient)) is not None]
            counted += sum(self._scripts.run_many("count_patient", calls))
        note_counted(self._client)
        log.info("recounted", subscriptions=counted)
        return counted

    def _call(self, patient: str) -> Call | None:
        """What ``count_patient.lua`` is called with; None for one who cannot be read."""
        fields = self._patients.find(patient)
        if fields is None or all(fields.text(f"t{n}") for n in fields.numbers()):
            return None
        try:
            clinic = self._patients.contact(fields).clinic
        except (KeyMissing, Tampered) as error:
            log.error("patient_unreadable", patient=patient, fault=str(error))
            return None
        keys = PartitionKeys(partition_of(patient))
        names = (keys.patient(patient), keys.history(patient), keys.counts)
        return names, (self._numbers.of(clinic),)
