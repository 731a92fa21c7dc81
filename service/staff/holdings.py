"""Hand over everything that is held about a patient, readable by programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from service.clock import BusinessClock, from_ms
from service.reporting.explain import Explain
from service.reporting.happened import held_addresses
from service.reporting.people import People, record
from service.store.check_ins import CheckIns
from service.store.conversations import Conversations
from service.store.patients import Patients
from service.store.records import Patient
from service.store.replies import Replies
from service.store.reply_records import Reply
from service.store.suppressions import Suppressions

FORMAT: Final = 1
"""Of the export; raised where a program that reads it would have to change."""


class Holdings:
    """The use case behind the command, the patient's download and the API."""

    def __init__(
        self,
        patients: Patients,
        suppressions: Suppressions,
        check_ins: CheckIns,
        conversations: Conversations,
        replies: Replies,
        explain: Explain,
        business: BusinessClock,
    ) -> None:
        self._check_ins = check_ins
        self._people = People(patients, suppressions)
        self._suppressions = suppressions
        self._conversations = conversations
        self._replies = replies
        self._explain = explain
        self._business = business

    def of(self, identifier: str) -> dict[str, Any]:
        """All that is held about a patient: contact, consents, series, ratings, replies, messages.

        Messages are those that were sent, skipped or are planned, each with what became of it; what
        they say is in the library under their names. Replies from an address that others use as
        well may be theirs, and are told without their words.

        Raises:
            NotFound: there is no such patient.
            KeyMissing: the key it was encrypted under is not in the ring.
        """
        person = self._people.person(identifier)
        evidence = self._people.evidence(identifier)
        return {
            "format": FORMAT,
            "exported": _utc(self._business.now_ms()),
            **record(person),
            "prefers": person.contact.prefers,
            "consents": evidence,
            "check_ins": [
                {"topic": each.topic, "rating": each.rating, "at": _utc(each.at_ms)}
                for each in self._check_ins.of(identifier)
            ],
            "replies": list(self._said(identifier, person.contact, evidence)),
            "messages": [
                {
                    "series": line.series,
                    "step": line.step,
                    "message": line.message,
                    "channel": line.channel,
                    "due": line.due and line.due.isoformat(),
                    "ended": line.ended and line.ended.isoformat(),
                    "outcome": line.outcome,
                    "reason": line.reason,
                    "attempts": line.attempts,
                }
                for line in self._explain.explain(identifier)
            ],
        }

    def _said(
        self, identifier: str, contact: Patient, evidence: Sequence[Mapping[str, str]]
    ) -> Iterator[dict[str, Any]]:
        for held in held_addresses(contact, evidence):
            digest = self._suppressions.digest(held.channel, held.address)
            alone = set(self._suppressions.patients(digest)) <= {identifier}
            for said in self._conversations.of(digest):
                if isinstance(said.what, Reply) and held.at(said.at_ms):
                    yield {
                        "at": _utc(said.at_ms),
                        "channel": held.channel,
                        "understood": list(said.what.heard.words),
                        "answered": list(said.what.messages),
                        "text": self._replies.content(said.what).get("body") if alone else None,
                    }


def _utc(ms: int) -> str:
    return from_ms(ms).isoformat().replace("+00:00", "Z")
