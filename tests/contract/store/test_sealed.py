"""Whatever is encrypted is found, in whichever partition and on whichever server it stands."""

from __future__ import annotations

from service.store.keys import PartitionKeys
from service.store.sealed import SealedValues
from tests.contract.store.installation import Installed


def test_the_contact_and_the_evidence_of_everybody_are_found(store: Installed) -> None:
    patients = [store.enrol(partition=number)[0] for number in range(store.partitions)]
    values = SealedValues(store.client, store.scripts, store.patients._keyring)
    found = {value.key for batch in values.batches() for value in batch}
    for number, patient in enumerate(patients):
        keys = PartitionKeys(number)
        assert {keys.patient(patient), keys.consents(patient)} <= found
