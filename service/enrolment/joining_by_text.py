"""Joining by text: the clinic's word, one question, a YES; each text is itself the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from messages.catalog import Catalog
from service.clinics import Clinic
from service.clock import BusinessClock, from_ms
from service.enrolment.form import DEFAULT_BEDTIME
from service.enrolment.joined import Joined
from service.enrolment.joining import CONFIRM, evidence
from service.enrolment.joining_form import (
    JoinForm,
    area_timezone,
    languages_of,
    plain_words,
)
from service.enrolment.wordings import wording
from service.store.joins import Join, Joins
from service.store.suppressions import LIFTED_BY_START, Suppressions

log = structlog.get_logger(__name__)

DONE: Final = "join-done"
EXPIRED: Final = "join-expired"
HELP: Final = "help"
LIFTED: Final = LIFTED_BY_START["sms"]
"""A person who joins anew takes back what a START does."""


@dataclass(frozen=True, slots=True)
class JoinKeyword:
    """A clinic's word that somebody texted.

    Attributes:
        language: of the tips, and of the answers until there is a patient.
    """

    word: str
    language: str
    clinic: Clinic


class JoiningByText:
    """The use case behind a clinic's word; each call may be repeated with the same evidence."""

    def __init__(
        self,
        joins: Joins,
        joined: Joined,
        suppressions: Suppressions,
        catalog: Catalog,
        clinics: Mapping[str, Clinic],
        business: BusinessClock,
    ) -> None:
        self._joins = joins
        self._joined = joined
        self._suppressions = suppressions
        self._catalog = catalog
        self._clinics = clinics
        self._business = business

    def keyword_of(self, text: str, clinic: Clinic | None) -> JoinKeyword | None:
        """The clinic's word that a whole text is, said once or again; None for everything else.

        Args:
            text: as it came.
            clinic: that was texted; None where several share the number, each with its own word.
        """
        said = set(plain_words(text))
        if len(said) != 1:
            return None
        (word,) = said
        for each in [clinic] if clinic else self._clinics.values():
            if word in each.join_words:
                return JoinKeyword(word, each.join_words[word], each)
        return None

    def begin_by_text(
        self, phone: str, clinic: Clinic, keyword: JoinKeyword, evidence_id: str
    ) -> str:
        """Somebody has texted the word: ask them once; the name of the message that answers.

        ``join-confirm``; or ``help`` where only a person can tell (a number that staff have
        closed, or whose time zone nothing tells).

        Args:
            phone: E.164; that the text came from it is proof that it is theirs.
            clinic: that they join.
            keyword: from ``keyword_of``.
            evidence_id: the provider's id of the text.

        Raises:
            StoreUnavailable: ask again, it is idempotent.
        """
        digest = self._suppressions.digest("sms", phone)
        stand = self._suppressions.stand(digest)
        zone = clinic.timezone or area_timezone(phone)
        if zone is None or not set(stand.reasons).issubset(LIFTED):
            return HELP
        spoken = languages_of(clinic, self._catalog)
        language = keyword.language if keyword.language in spoken else spoken[0]
        form = JoinForm(
            phone=phone,
            sms="yes",
            language=language,
            timezone=zone,
            bedtime=DEFAULT_BEDTIME,
            series=clinic.join_series[0],
        )
        asked = {
            **form.fields(),
            "clinic": clinic.id,
            "method": "text-in",
            "wording": wording(language).name,
            "shown_at": from_ms(self._business.now_ms()).isoformat(),
            "ip": "",
            "word": f"text {evidence_id},",
            "stops": str(stand.stops),
        }
        join = Join(self._joins.name(digest, evidence_id), asked)
        self._joins.keep(join, digest, by_reply=True)
        log.info("join_begun", join=join.id)
        return CONFIRM

    def waits_for(self, phone_digest: str, evidence_id: str = "") -> bool:
        """Whether a YES from this phone confirms something; also where this very one has already.

        Args:
            phone_digest: of the phone.
            evidence_id: the provider's id of the YES; a copy of it, or one that was cut off in the
                middle, is followed as the first was.
        """
        join = self._joins.awaited(phone_digest)
        if join is None:
            return False
        proof = join.proofs.get("sms")
        if proof is None:
            return True
        return bool(evidence_id) and proof.get("confirmed", "").endswith(f"reply {evidence_id}")

    def language_of(self, phone_digest: str) -> str | None:
        """The language that somebody who is joining from this phone has chosen."""
        join = self._joins.awaited(phone_digest)
        return None if join is None else join.asked["language"]

    def forget(self, phone_digest: str) -> None:
        """This phone has said STOP: a YES that comes later, or twice, joins nothing."""
        self._joins.forget(phone_digest)

    def confirm_by_text(self, phone: str, clinic: Clinic | None, evidence_id: str) -> str:
        """The phone has said YES: enrol it; the name of the message that answers.

        ``join-done``; ``join-expired`` where nothing waits (any more); ``help`` where the number
        is closed by a STOP that is newer; empty where the YES was meant for something else.

        Args:
            phone: E.164.
            clinic: that was texted, None where that is not certain.
            evidence_id: the provider's id of the text.

        Raises:
            InvalidInput: what was asked for is not to be had any more.
            StoreUnavailable: ask again, it is idempotent.
        """
        digest = self._suppressions.digest("sms", phone)
        join = self._joins.awaited(digest)
        if join is None:
            return EXPIRED
        if clinic is not None and join.asked["clinic"] != clinic.id:
            return ""
        confirmed = f"{join.asked.get('word', '')} reply {evidence_id}".strip()
        if join.proofs.get("sms", {}).get("confirmed", confirmed) != confirmed:
            return ""
        if not self._may_be_texted(join, digest):
            self._joins.forget(digest)
            return HELP
        at = from_ms(self._business.now_ms()).isoformat()
        proven = self._joins.prove(join, "sms", evidence(join, confirmed, at))
        if proven is None:
            return EXPIRED
        self._joined.carry_out(proven)
        log.info("join_confirmed", join=join.id, channel="sms")
        return DONE

    def _may_be_texted(self, join: Join, digest: str) -> bool:
        """Whether nothing forbids it; who began by text takes back an earlier stop of their own."""
        if "stops" in join.asked:
            stops = int(join.asked["stops"])
            source = f"join:{join.id}"
            if self._suppressions.lift(
                "sms", digest, source=source, lifts=LIFTED, stops=stops
            ).overtaken:
                return False
        return not self._suppressions.stand(digest).reasons
