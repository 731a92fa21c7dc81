"""Judges a run by what it left on disk: the promises G1 to G6, delivery by delivery.

It knows nothing of how the service works, and imports none of it. A delivery is a patient and a
step; what a far end took is told apart by address and content. Times are the machine's, ms UTC,
unless they are called business time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.chaos.evidence import Arrival, Attempt, Entry, Evidence, Patient, read
from tests.chaos.figures import Figures, Violation
from tests.chaos.naming import named_fault

ENDED_EARLY = frozenset("ox")
AGE_LIMIT_MS = 2_000
"""How long after it was begun a message may still set out."""
CALL_LIMIT_MS = 1_000
TRAVEL_LIMIT_MS = 6_000
"""How long the injected faults may hold a request up on its way."""
DEADLY = (
    "kill_child",
    "kill_worker",
    "freeze_child",
    "freeze_worker",
    "term_worker",
    "clock_",
    "outage",
)
POISON_DEATHS = 3


def check(directory: Path) -> Figures:
    """Judge the run that a directory holds."""
    return Checker(read(directory)).figures()


class Checker:
    """One run's evidence, and the questions put to it."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.found = Figures()

    def figures(self) -> Figures:
        """Everything that was found."""
        evidence, found = self.evidence, self.found
        found.faults = Counter(fault.kind for fault in evidence.faults)
        found.arrived = len(evidence.arrivals)
        found.opt_outs = len({address for address, _ in evidence.left})
        self._doubled()
        for patient in evidence.roster:
            entries = evidence.histories.get(patient.id, [])
            found.deliveries += len(entries)
            found.states.update(entry.state for entry in entries)
            self._lost(patient, entries)
            for entry in entries:
                self._judged(patient, entry)
            self._flood(patient)
            self._suppressed(patient)
        for arrival in evidence.arrivals:
            self._in_time(arrival)
        for member in evidence.open:
            self._violation("lost", member, -1, "still due or in flight at the end")
        return found

    def _violation(self, rule: str, patient: str, step: int, detail: str) -> None:
        self.found.violations.append(Violation(rule, patient, step, detail))

    # Who and what an arrival is.

    @cached_property
    def _people(self) -> dict[str, list[Patient]]:
        people: dict[str, list[Patient]] = defaultdict(list)
        for patient in self.evidence.roster:
            for address in filter(None, (patient.phone, patient.email)):
                people[address].append(patient)
        return people

    @cached_property
    def _steps(self) -> dict[str, int]:
        known = {step.text: step.index for step in self.evidence.steps}
        return known | {step.subject: step.index for step in self.evidence.steps}

    @cached_property
    def _attempts(self) -> dict[str, Attempt]:
        every = (one for attempts in self.evidence.attempts.values() for one in attempts)
        return {attempt.id: attempt for attempt in every}

    @cached_property
    def _taken(self) -> dict[tuple[str, int], list[Arrival]]:
        """(address, step) -> what arrived there of it."""
        taken: dict[tuple[str, int], list[Arrival]] = defaultdict(list)
        for arrival in self.evidence.arrivals:
            step = self._steps.get(arrival.content)
            if step is None or arrival.to not in self._people:
                self._violation("disagrees", arrival.to, -1, f"not ours: {arrival.content[:40]!r}")
                continue
            taken[arrival.to, step].append(arrival)
        return taken

    def _arrived(self, patient: Patient, step: int) -> int:
        """How often a step came to somebody, by any channel."""
        return sum(
            len(self._taken.get((address, step), ()))
            for address in filter(None, (patient.phone, patient.email))
        )

    # G3: nothing twice.

    def _doubled(self) -> None:
        for (address, step), arrivals in self._taken.items():
            people = self._people[address]
            if len(arrivals) > len(people):
                times = ", ".join(str(arrival.at) for arrival in arrivals)
                self._violation("doubled", people[0].id, step, f"to {address} at {times}")
        for patient in self.evidence.roster:
            if patient.phone and patient.email and len(self._people[patient.phone]) == 1:
                for place in range(len(self.evidence.steps)):
                    if self._arrived(patient, place) > 1:
                        self._violation("doubled", patient.id, place, "by both channels")

    # G4: nothing lost.

    def _lost(self, patient: Patient, entries: list[Entry]) -> None:
        fields = self.evidence.patients.get(patient.id, {})
        status = fields.get(f"u{patient.number}", "gone")
        indexes = [entry.index for entry in entries]
        if indexes != list(range(len(indexes))):
            self._violation("lost", patient.id, -1, f"steps missing: there are {indexes}")
        if status == "c" and len(entries) != len(self.evidence.steps):
            self._violation("lost", patient.id, len(entries), "completed without its last steps")
        if status in ENDED_EARLY:
            addresses = {patient.phone, patient.email} - {""}
            if not addresses & self.evidence.asked:
                self._violation("lost", patient.id, len(entries), f"ended ({status}) for no reason")
        elif status != "c":
            self._violation("lost", patient.id, len(entries), f"not over: its status is {status}")
        if f"f{patient.number}" in fields:
            self._violation("lost", patient.id, len(entries), "still in flight")

    # What is recorded, against what the far ends have.

    def _judged(self, patient: Patient, entry: Entry) -> None:
        there = bool(self._arrived(patient, entry.index))
        if len(self._people[patient.phone]) > 1 and entry.channel != "email":
            there = self._has_own(patient, entry)
        match entry.state:
            case "s" | "d":
                if not there:
                    self._disagrees(patient, entry, "the far end does not have it")
            case "x":
                self._unknown(patient, entry, there=there)
            case "f" | "u":
                refused = {patient.phone, patient.email} & self.evidence.asked
                if there:
                    self._disagrees(patient, entry, "the far end has it")
                elif not refused or not entry.code:
                    self._unnamed(patient, entry, f"{entry.reason} {entry.code}")
            case "k":
                self._skipped(patient, entry, there=there)
            case "h":
                self._parked(patient, entry, there=there)
            case _:
                self._violation("lost", patient.id, entry.index, f"ended as {entry.state}")

    def _has_own(self, patient: Patient, entry: Entry) -> bool:
        """Whether one of the patient's own attempts arrived at a phone that several share."""
        own = {one.id for one in self.evidence.attempts[patient.id] if one.index == entry.index}
        arrivals = self._taken.get((patient.phone, entry.index), ())
        return any(arrival.attempt in own for arrival in arrivals)

    def _unknown(self, patient: Patient, entry: Entry, *, there: bool) -> None:
        if there and entry.channel == "sms" and not self._ambiguous(patient, entry):
            self._violation("unknown", patient.id, entry.index, "though the provider has it")
            return
        attempts = [one for one in self.evidence.attempts[patient.id] if one.index == entry.index]
        fault = named_fault(self.evidence, patient, attempts)
        if fault is None:
            self._unnamed(patient, entry, entry.reason)
        else:
            self.found.unknown_by_fault[fault.kind] += 1

    def _ambiguous(self, patient: Patient, entry: Entry) -> bool:
        """Whether somebody else on the phone has the same open question, and no text of their own.

        Then the provider's list shows fewer texts than there are attempts that may have made them,
        and only a receipt could tell which: a fault has to have withheld it.
        """
        others = (other for other in self._people[patient.phone] if other.id != patient.id)
        return any(
            same.index == entry.index and same.state == "x" and not self._has_own(other, same)
            for other in others
            for same in self.evidence.histories.get(other.id, ())
        )

    def _skipped(self, patient: Patient, entry: Entry, *, there: bool) -> None:
        self.found.skipped_by_reason[entry.reason] += 1
        if there:
            self._disagrees(patient, entry, "the far end has it")
        left = {patient.phone, patient.email} & self.evidence.asked
        outage = any(start <= entry.at and end >= entry.due for start, end in self.evidence.outages)
        if not left and not outage:
            self._unnamed(patient, entry, entry.reason)

    def _parked(self, patient: Patient, entry: Entry, *, there: bool) -> None:
        self.found.unknown_by_fault["parked: workers died on it"] += 1
        deaths = sum(fault.kind.startswith(DEADLY) for fault in self.evidence.faults)
        if there:
            self._disagrees(patient, entry, "the far end has it")
        elif entry.reason != "poison" or deaths < POISON_DEATHS:
            self._unnamed(patient, entry, entry.reason)

    def _disagrees(self, patient: Patient, entry: Entry, what: str) -> None:
        detail = f"recorded as {entry.state} ({entry.reason}), and {what}"
        self._violation("disagrees", patient.id, entry.index, detail)

    def _unnamed(self, patient: Patient, entry: Entry, why: str) -> None:
        detail = f"{entry.state} by {entry.channel} ({why}), and no fault explains it"
        self._violation("unnamed", patient.id, entry.index, detail)

    # G1 and G2: who left.

    def _suppressed(self, patient: Patient) -> None:
        fields = self.evidence.patients.get(patient.id, {})
        for address, field_name in ((patient.phone, "xs"), (patient.email, "xe")):
            if address and address in self._left and "|1|" not in fields.get(field_name, ""):
                self._violation(
                    "after opt-out", patient.id, -1, f"the opt-out of {address} is not on record"
                )

    @cached_property
    def _left(self) -> dict[str, int]:
        """Address -> when its first opt-out was acknowledged."""
        first: dict[str, int] = {}
        for address, at in self.evidence.left:
            first[address] = min(at, first.get(address, at))
        return first

    def _in_time(self, arrival: Arrival) -> None:
        step = self._steps.get(arrival.content)
        attempt = self._attempt_of(arrival)
        begun = self.evidence.on_machine(attempt.at) if attempt else []
        left = self._left.get(arrival.to)
        limit = AGE_LIMIT_MS + CALL_LIMIT_MS + TRAVEL_LIMIT_MS
        if left is not None and ((begun and min(begun) > left) or arrival.at > left + limit):
            late = (min(begun) if begun else arrival.at) - left
            detail = f"begun {late} ms after the opt-out of {arrival.to} was acknowledged"
            self._violation("after opt-out", self._someone(arrival), step or 0, detail)
        if not any(self._fits(arrival, at) for at in self._begun_at(arrival)):
            detail = f"to {arrival.to} by {arrival.channel}, valid for {arrival.validity_s} s"
            self._violation("outside the window", self._someone(arrival), step or 0, detail)

    def _someone(self, arrival: Arrival) -> str:
        people = self._people.get(arrival.to)
        return people[0].id if people else arrival.to

    # G5: the window.

    def _attempt_of(self, arrival: Arrival) -> Attempt | None:
        """The attempt that brought a message: by its id, or the last one of an e-mail before it."""
        if arrival.attempt:
            return self._attempts.get(arrival.attempt)
        step = self._steps.get(arrival.content)
        fitting = [
            (moment, attempt)
            for patient in self._people.get(arrival.to, ())
            for attempt in self.evidence.attempts[patient.id]
            if (attempt.index, attempt.channel) == (step, arrival.channel)
            for moment in self.evidence.on_machine(attempt.at)
            if moment <= arrival.at
        ]
        return max(fitting, key=lambda found: found[0])[1] if fitting else None

    def _begun_at(self, arrival: Arrival) -> list[datetime]:
        """The business times at which a message may have been begun.

        Business time was read every few milliseconds; where it moved between two readings, the
        record of the delivery decides, if it lies between them.
        """
        attempt = self._attempt_of(arrival)
        moments = self.evidence.on_machine(attempt.at) if attempt else []
        span = self.evidence.business(moments[0] if moments else arrival.at)
        recorded = self._recorded(arrival)
        if span is None:
            return [_instant(ms) for ms in (recorded, arrival.prepared) if ms is not None]
        if recorded is not None and span[0] <= recorded <= span[1]:
            return [_instant(recorded)]
        if arrival.prepared is not None and span[0] <= arrival.prepared <= span[1]:
            return [_instant(arrival.prepared)]
        return [_instant(ms) for ms in span]

    def _recorded(self, arrival: Arrival) -> int | None:
        """The business time at which the delivery of an arrival was over, by its record."""
        attempt = self._attempt_of(arrival)
        step = self._steps.get(arrival.content)
        for patient in self._people.get(arrival.to, ()):
            if attempt is None or attempt.patient == patient.id:
                for entry in self.evidence.histories.get(patient.id, ()):
                    if entry.index == step:
                        return entry.at
        return None

    def _fits(self, arrival: Arrival, at: datetime) -> bool:
        """Whether a message may be begun at an instant, and its validity ends in time."""
        for patient in self._people.get(arrival.to, ()):
            opens, closes = patient.hours[arrival.channel]
            local = at.astimezone(ZoneInfo(patient.zone))
            day = local.replace(minute=0, second=0, microsecond=0)
            start, end = day.replace(hour=opens), day.replace(hour=closes)
            if start <= local and local + timedelta(seconds=arrival.validity_s) <= end:
                return True
        return not self._people.get(arrival.to)

    # G6: no flood.

    def _flood(self, patient: Patient) -> None:
        days = sorted(self._drip_days(patient))
        for day, count in Counter(days).items():
            if count > 1:
                self._violation("flood", patient.id, -1, f"{count} drips on {day}")
        for day in set(days):
            week = sum(day <= other < day + timedelta(days=7) for other in days)
            if week > 7:
                self._violation("flood", patient.id, -1, f"{week} drips in the week of {day}")

    def _drip_days(self, patient: Patient) -> Iterator[date]:
        zone = ZoneInfo(patient.zone)
        shared = len(self._people[patient.phone]) > 1
        for step in self.evidence.steps:
            if step.kind != "drip":
                continue
            for address in filter(None, (patient.phone, patient.email)):
                for arrival in self._taken.get((address, step.index), ()):
                    attempt = self._attempt_of(arrival)
                    if shared and (attempt is None or attempt.patient != patient.id):
                        continue
                    for at in self._begun_at(arrival)[:1]:
                        yield at.astimezone(zone).date()


def _instant(ms: int) -> datetime:
    return datetime.combine(date(1970, 1, 1), time(0), UTC) + timedelta(milliseconds=ms)
