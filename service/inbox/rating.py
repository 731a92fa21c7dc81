"""Ratings that staff put right: replaced or removed, and where they are going worked out anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from schedules.check_ins import Trend, trend
from service.errors import StoreUnavailable
from service.store.check_ins import CheckIn, CheckIns
from service.store.patients import Patients

TRIES: Final = 5


class Ratings:
    """Changes what stands in a reply's place among a patient's ratings."""

    def __init__(self, patients: Patients, check_ins: CheckIns) -> None:
        self._patients = patients
        self._check_ins = check_ins

    def holds(self, patient: str, reply: str) -> CheckIn | None:
        """The rating that a reply holds of a patient, None where it holds none."""
        return next((each for each in self._check_ins.of(patient) if each.reply == reply), None)

    def put(self, patient: str, check_in: CheckIn) -> Trend:
        """Have a reply hold this rating and no other; what it says beside the ones before it.

        Raises:
            NotFound: there is no such patient any more.
            StoreUnavailable: it may not be on record; ask again, it is idempotent.
        """
        known = self.holds(patient, check_in.reply)
        if known is not None:
            check_in = replace(known, rating=check_in.rating)
        return trend(
            before(self._change(patient, check_in.reply, check_in), check_in), check_in.rating
        )

    def remove(self, patient: str, reply: str) -> None:
        """Have a reply hold no rating.

        Raises:
            NotFound: there is no such patient any more.
            StoreUnavailable: it may still be on record; ask again, it is idempotent.
        """
        self._change(patient, reply, None)

    def _change(self, patient: str, reply: str, check_in: CheckIn | None) -> list[CheckIn]:
        for _ in range(TRIES):
            was = self._patients.load(patient).text("v") or ""
            read = self._check_ins.of(patient)
            kept = [each for each in read if each.reply != reply]
            kept = in_order([*kept, check_in] if check_in else kept)
            if self._check_ins.replace(
                patient, reply, check_in, read=read, was=was, going=going(kept)
            ):
                return kept
        raise StoreUnavailable("The patient's ratings keep changing; try again.")


def in_order(ratings: Sequence[CheckIn]) -> list[CheckIn]:
    """Oldest first, as they are read."""
    return sorted(ratings, key=lambda each: (each.at_ms, each.reply))


def going(ratings: Sequence[CheckIn]) -> Trend | None:
    """Where ratings are going, by the newest of them; None where there is none.

    Args:
        ratings: oldest first.
    """
    return trend(before(ratings, ratings[-1]), ratings[-1].rating) if ratings else None


def before(ratings: Sequence[CheckIn], one: CheckIn) -> list[int]:
    """The earlier answers to the same question, oldest first."""
    place = (one.at_ms, one.reply)
    return [
        each.rating
        for each in ratings
        if each.topic == one.topic and (each.at_ms, each.reply) < place
    ]
