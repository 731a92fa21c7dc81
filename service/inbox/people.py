"""Patients as the inbox sees them: those who share the address that a message came from."""

from __future__ import annotations

from dataclasses import dataclass

from service.store.records import Patient, PatientFields


@dataclass(frozen=True, slots=True)
class Person:
    """A patient on the number that a text came from."""

    fields: PatientFields
    contact: Patient
