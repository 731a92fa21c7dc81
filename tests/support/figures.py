"""Months of plausible figures, counted as the scripts would have counted them."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

from schedules.series import Series, load_series
from service.bootstrap import Core
from service.clock import from_ms, to_ms
from service.store.counts import ClinicNumbers
from service.store.keys import PartitionKeys

HOUR_MS = 3_600_000
WORDS = ("check_in", "check_in", "check_in", "other", "affirm", "opt_out", "help", "urgent")


def count_months(
    core: Core, *, patients: int, weeks: int = 26, clinic: str = "", seed: int = 7
) -> None:
    """Count what becomes of as many patients, who join evenly over some weeks up to now."""
    given = random.Random(seed)
    number = ClinicNumbers(core.client).of(clinic or next(iter(core.clinics)))
    total: Counter[str] = Counter()
    for _ in range(patients):
        name = "restless-legs" if given.random() < 0.8 else "sleep-hygiene"
        begun = core.business.now_ms() - int(given.random() * weeks * 7 * 24) * HOUR_MS
        _one(total, given, str(number), load_series(name), begun, core.business.now_ms())
    core.client.hset(
        PartitionKeys(0).counts, mapping={field: by for field, by in total.items() if by}
    )
    core.counts.add_up()


def _one(
    total: Counter[str], given: random.Random, clinic: str, series: Series, begun: int, now: int
) -> None:
    """One patient's way through a series, as far as it has come."""
    of = f"{clinic}|{series.name}|{series.version}"
    total[f"e|{begun // HOUR_MS}|{of}|n||"] += 1
    status, last, severity = "a", "", given.gauss(6.2, 1.6)
    for index, step in enumerate(series.steps):
        at = begun + to_ms(from_ms(0) + timedelta(days=step.day, hours=given.randint(0, 9)))
        if at > now:
            break
        channel = "e" if step.channel == "email" and given.random() < 0.6 else "s"
        letter = given.choices("dsxufk", (90, 3, 1, 2, 1, 3))[0]
        where = f"{at // HOUR_MS}|{of}|{index}"
        total[f"d|{where}|{'' if letter == 'k' else channel}|{letter}"] += 1
        if letter in "dsx":
            last = str(index)
            if "check" in step.message:
                _answer(total, given, clinic, series, step.day, at, severity)
        if given.random() < (0.02 if "worse" in step.message else 0.004):
            status = "o" if given.random() < 0.7 else "a"
            what = "o" if status == "o" else "h"
            total[f"e|{at // HOUR_MS}|{of}|{what}|{last}|{channel}"] += 1
            _reply(total, given, clinic, at, "opt_out")
            if status == "o":
                break
    else:
        status = "c"
    total[f"u|{begun // HOUR_MS}|{of}|{from_ms(begun).date().isoformat()}|{status}"] += 1


def _answer(
    total: Counter[str],
    given: random.Random,
    clinic: str,
    series: Series,
    day: int,
    at: int,
    severity: float,
) -> None:
    if given.random() < 0.45:
        rating = min(10, max(0, round(severity - day / 40 + given.gauss(0, 1.2))))
        topic = "sleep-check" if "sleep" in series.name else "symptom-check"
        total[f"c|{at // HOUR_MS}|{clinic}|{series.name}|{topic}|{day // 7}|{rating}"] += 1
        _reply(total, given, clinic, at, given.choice(WORDS))


def _reply(total: Counter[str], given: random.Random, clinic: str, at: int, word: str) -> None:
    at += given.randint(0, 5) * HOUR_MS
    for understood in ("", word):
        total[f"i|{at // HOUR_MS}|{clinic}|{understood}"] += 1
