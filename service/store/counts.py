"""What is counted for insight, added up: by clinic, by local day and week.

The scripts that change something count it where they do, in one hash of their partition, by the
hour UTC (business time). Those hashes are small and short-lived: every half minute each is taken
as a batch and added to the sums, under the clinic's own days. A batch is added once, whatever is
killed in between: the sums of all partitions share a hash tag, and remember each one's last batch.

A field of a partition's hash, and the fields of the sums that it is added to:

- ``d|hour|clinic|series|version|step|channel|state``: a delivery, in its state of the history.
  Day: ``d|series|channel|state``; week: ``d|series|version|step|channel|state``.
- ``e|hour|clinic|series|version|what|step|channel``: something happened, see ``counting.lua``.
  Day: ``e|series|what``; week: ``e|series|version|what|step|channel``.
- ``c|hour|clinic|series|topic|week|rating``: a check-in. Week: ``c|series|topic|week|rating``.
- ``i|hour|clinic|word``: an inbound message, by what was understood (empty: each). Day and
  week: ``i|word``.
- ``u|hour|clinic|series|version|start|status``: subscriptions by status, and by their hour of
  enrolment. Now: ``u|series|version|status``, and of the active ones ``a|series|version|day one``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

import redis

from service.store import keys
from service.store.connection import store_errors
from service.store.keys import PartitionKeys
from service.store.scripts import Argument, Call, Scripts, as_text

EVERY: Final = "*"
"""In the place of a clinic's number: all of them."""
NOW: Final = "now"
"""The period of what stands at present, and is not of a day."""
_NEXT: Final = "#"

Sums = Mapping[str, int]
_Target = tuple[str, str]


class ClinicNumbers:
    """Short numbers for clinics, given once each: a patient's record holds one for every series."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._known: dict[str, int] = {}

    def of(self, clinic: str) -> int:
        """The number of a clinic's id.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        if clinic not in self._known:
            with store_errors(self._client):
                if not self._client.hexists(keys.CLINIC_NUMBERS, clinic):
                    fresh = self._client.hincrby(keys.CLINIC_NUMBERS, _NEXT, 1)
                    self._client.hsetnx(keys.CLINIC_NUMBERS, clinic, str(fresh))
                number = self._client.hget(keys.CLINIC_NUMBERS, clinic)
            self._known[clinic] = int(number or 0)
        return self._known[clinic]

    def clinics(self) -> dict[int, str]:
        """Every clinic's id by its number, those that have left the clinics file too."""
        with store_errors(self._client):
            record = self._client.hgetall(keys.CLINIC_NUMBERS)
        return {int(number): as_text(clinic) for clinic, number in record.items() if clinic != b"#"}


def day_period(day: date) -> str:
    """The period of a day, of the clinic's own."""
    return f"d:{day.isoformat()}"


def week_period(day: date) -> str:
    """The period of the week that a day is in; weeks begin on Mondays."""
    return f"w:{(day - timedelta(days=day.weekday())).isoformat()}"


class Counts:
    """Adds up what the partitions have counted, and reads the sums."""

    def __init__(
        self,
        client: redis.Redis,
        scripts: Scripts,
        partitions: int,
        numbers: ClinicNumbers,
        zone_of: Callable[[str], tzinfo],
    ) -> None:
        """Open the counts of an installation; ``zone_of`` tells the zone of a clinic's id."""
        self._client = client
        self._scripts = scripts
        self._partitions = range(partitions)
        self._numbers = numbers
        self._zone_of = zone_of

    def add_up(self) -> int:
        """Add what was counted since the last time; how many partitions had counted something.

        Any number of processes may do so at once. Idle it costs one round trip.

        Raises:
            StoreUnavailable: what was not added stays where it is, and is added next time.
        """
        every = [PartitionKeys(number) for number in self._partitions]
        calls: list[Call] = [((k.counts, k.taken_counts, k.fence), ()) for k in every]
        taken = self._scripts.run_many("take_counts", calls)
        batches = [(k, answer) for k, answer in zip(every, taken, strict=True) if answer]
        if not batches:
            return 0
        zones = self._zones()
        additions: list[Call] = []
        for partition, (batch, flat) in batches:
            fields = zip(flat[::2], flat[1::2], strict=True)
            counted = {field.decode(): int(by) for field, by in fields if field != b"#"}
            additions.append(_addition(partition, int(batch), counted, zones))
        self._scripts.run_many("add_counts", additions)
        drops: list[Call] = [((k.taken_counts,), (int(answer[0]),)) for k, answer in batches]
        self._scripts.run_many("drop_counts", drops)
        return len(batches)

    def _zones(self) -> dict[str, tzinfo]:
        """The zone of each clinic by its number."""
        return {str(n): self._zone_of(clinic) for n, clinic in self._numbers.clinics().items()}

    def read(self, clinics: Sequence[str] | None, periods: Sequence[str]) -> list[Sums]:
        """The sums of each period, of some clinics or (None) of all; in one round trip.

        Args:
            clinics: ids; those that nothing was ever counted for add nothing.
            periods: from ``day_period`` and ``week_period``, or ``NOW``.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        numbers = [EVERY]
        if clinics is not None:
            known = {clinic: number for number, clinic in self._numbers.clinics().items()}
            numbers = [str(known[clinic]) for clinic in clinics if clinic in known]
        names = [keys.sums(number, period) for period in periods for number in numbers]
        found = self._scripts.read_hashes(names)
        width = len(numbers)
        return [_together(found[i * width : (i + 1) * width]) for i in range(len(periods))]

    def by_clinic(
        self, clinics: Sequence[str] | None, periods: Sequence[str]
    ) -> dict[str, list[Sums]]:
        """The sums of each period for each clinic apart; in two round trips.

        Args:
            clinics: ids; None: all that anything was counted for.
            periods: as in `read`.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        known = self._numbers.clinics()
        wanted = {str(n): c for n, c in sorted(known.items()) if clinics is None or c in clinics}
        names = [keys.sums(number, period) for number in wanted for period in periods]
        found = iter(self._scripts.read_hashes(names))
        return {c: [_together([next(found)]) for _ in periods] for c in wanted.values()}


def _together(hashes: Sequence[Mapping[bytes, bytes]]) -> Sums:
    total: Counter[str] = Counter()
    for fields in hashes:
        for field, value in fields.items():
            total[field.decode()] += int(value)
    return total


def _addition(
    partition: PartitionKeys, batch: int, counted: Sums, zones: Mapping[str, tzinfo]
) -> tuple[Sequence[str], Sequence[Argument]]:
    """What ``add_counts.lua`` is called with for a batch."""
    sums: Counter[_Target] = Counter()
    for field, by in counted.items():
        for target in targets(field, zones):
            sums[target] += by
    names = [keys.ADDED_COUNTS, *sorted({key for key, _ in sums})]
    places = {name: place for place, name in enumerate(names, 1)}
    args: list[Argument] = [partition.partition, batch]
    for (key, field), by in sums.items():
        args += [places[key], field, by]
    return names, args


def targets(field: str, zones: Mapping[str, tzinfo]) -> Iterator[_Target]:
    """The sums, as key and field, that a count of a partition is added to.

    Args:
        field: of the partition's hash.
        zones: of clinics, by their numbers.
    """
    kind, hour, clinic, *rest = field.split("|")
    at = datetime.fromtimestamp(int(hour) * 3600, UTC)
    day = at.astimezone(zones.get(clinic, UTC)).date()
    for period, sum_field in _sums(kind, day, rest):
        for number in (clinic, EVERY):
            yield keys.sums(number, period), sum_field


def _sums(kind: str, day: date, rest: list[str]) -> Iterator[tuple[str, str]]:
    wide = "|".join((kind, *rest))
    match kind, rest:
        case "d", [series, _, _, channel, state]:
            yield day_period(day), f"d|{series}|{channel}|{state}"
            yield week_period(day), wide
        case "e", [series, _, what, _, _]:
            yield day_period(day), f"e|{series}|{what}"
            yield week_period(day), wide
        case "c", _:
            yield week_period(day), wide
        case "i", _:
            yield day_period(day), wide
            yield week_period(day), wide
        case "u", [series, version, start, status]:
            yield NOW, f"u|{series}|{version}|{status}"
            if status == "a":
                yield NOW, f"a|{series}|{version}|{max(start, day.isoformat())}"
        case _:
            pass  # counted by a newer release, which shows it
