"""From an address that has proven itself to a patient: evidence first, then all or nothing."""

from __future__ import annotations

from dataclasses import replace

from service.enrolment.enrol import TRIES, AlreadyEnrolled, Enrolment, Proof
from service.enrolment.joining_form import enrolment_form
from service.errors import StoreUnavailable
from service.store.joins import Join, Joins
from service.store.patients import Patients
from service.store.records import CHANNELS, Channel, Patient
from service.store.suppressions import Suppressions

SOURCE = "join"
"""Who enrolled, for the audit."""


class Joined:
    """Carries out what has been proven of a join; done again, it changes nothing.

    Each channel is enrolled when it has proven itself. The second one is added to the patient that
    the first one made. A patient who was there before is not widened by it: whoever can answer one
    phone must not be able to have that person's messages sent to a mailbox of their choice.
    """

    def __init__(
        self, joins: Joins, enrolment: Enrolment, patients: Patients, suppressions: Suppressions
    ) -> None:
        self._joins = joins
        self._enrolment = enrolment
        self._patients = patients
        self._suppressions = suppressions

    def carry_out(self, join: Join) -> None:
        """Enrol every channel of a join that has proven itself and is not enrolled yet.

        Raises:
            InvalidInput: what was asked for is not to be had any more (a series that has gone).
            StoreUnavailable: ask again.
        """
        made = join.made
        for channel in sorted(join.proofs, key=lambda channel: channel != join.first):
            if channel in join.enrolled:
                continue
            patient = self._added(join, channel, made) if made else None
            if patient is None:
                patient, by_this = self._enrolled(join, channel)
                made = patient if by_this else made
            self._joins.end(join, channel, patient, made=patient == made)

    def _enrolled(self, join: Join, channel: Channel) -> tuple[str, bool]:
        """The patient, and whether it is this join that made them."""
        proof = Proof(channel, join.proofs[channel])
        try:
            receipt = self._enrolment.enrol(
                enrolment_form(join.asked, channel), source=SOURCE, proof=proof
            )
        except AlreadyEnrolled as error:
            # In the series already: by this very join, which was cut off, or from before.
            consents = self._patients.consents(error.patient)
            if not any(consent.get("join") == join.id for consent in consents):
                self._added(join, channel, error.patient)
            return error.patient, bool(consents) and consents[0].get("join") == join.id
        return receipt.patient, receipt.new_patient

    def _added(self, join: Join, channel: Channel, identifier: str) -> str | None:
        """Add a channel and its evidence to a patient; their id, None where they are gone."""
        address = join.asked["phone" if channel == "sms" else "email"]
        digest = self._suppressions.digest(channel, address)
        for _ in range(TRIES):
            fields = self._patients.find(identifier)
            if fields is None:
                return None
            known = self._patients.consents(identifier)
            if any((c.get("join"), c["channel"]) == (join.id, channel) for c in known):
                return identifier  # by an earlier call, which was cut off
            contact = self._patients.contact(fields)
            if contact.address(channel) not in {None, address}:
                return identifier  # staff have put another in its place since; that one stands
            patient = _with(contact, channel, address)
            copy = self._suppressions.join(digest, identifier)
            consent = {
                "channel": channel,
                "method": join.asked["method"],
                "wording": join.asked["wording"],
                "address": address,
                "by": SOURCE,
                **join.proofs[channel],
            }
            if self._patients.add_channel(fields, patient, consent, copy, source=SOURCE):
                return identifier
        raise StoreUnavailable("The patient's record keeps changing; try again.")


def _with(contact: Patient, channel: Channel, address: str) -> Patient:
    channels = tuple(c for c in CHANNELS if c in {*contact.channels, channel})
    if channel == "sms":
        return replace(contact, phone=address, channels=channels)
    return replace(contact, email=address, channels=channels)
