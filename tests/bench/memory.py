"""``make bench-memory``: how many bytes of the store's memory one patient takes, by what.

Patients go through the real enrolment; `used_memory` of the server before and after is what counts.
What is left of it as the kinds of keys are deleted, one after the other, tells them apart.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import secrets
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from schedules.series import load_series
from service.bootstrap import Core
from service.enrolment.form import EnrolmentForm
from service.settings import load_settings
from service.store.flights import Beginning, Conclusion
from service.store.history import HistoryEntry
from service.store.keys import PartitionKeys
from service.store.records import Claimed
from tests.bench.filling import NOON_SOMEWHERE, a_form, enrol_all
from tests.bench.report import BUILD, Part, Row, limit, new_part, show
from tests.bench.sizes import Sizes
from tests.support.polling import until
from tests.support.servers import Server, redis_server, valkey_server

GOAL_BYTES = 600
HISTORY_GOAL_BYTES = 100
HISTORIES = 500
"""Patients who get a history; each a whole series of it."""
PLAIN = {"hash_max_listpack_value": "64"}
"""As Redis and Valkey are delivered; ours are told 1024."""
SERVERS: dict[str, tuple[str, Callable[..., AbstractContextManager[Server]], dict[str, str]]] = {
    "valkey": ("bundled Valkey", valkey_server, {}),
    "redis7": ("the machine's Redis", redis_server, {}),
    "redis7-plain": ("the machine's Redis as delivered", redis_server, PLAIN),
}
KINDS = {"text": (True, False), "both": (True, True)}
"""Which addresses a patient has: a phone, a mailbox."""
HAS = {"text": "a phone", "both": "a phone and a mailbox"}
BATCH = 128
FIRST_DAY = 739_000
_KEYS: dict[str, Callable[[PartitionKeys], str]] = {
    "consent evidence": lambda keys: keys.consents("*"),
    "audit entry": lambda keys: keys.audit,
    "look-up index": lambda keys: keys.address("*"),
    "lists for staff": lambda keys: keys.listed("*"),
    "due entry": lambda keys: keys.due,
    "patient": lambda keys: keys.patient("*"),
}
"""Kinds of keys in the order in which they are deleted."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Bytes a patient.

    Attributes:
        parts: by kind of key; in the order in which they were told apart.
        beside: what is reported beside the goal: consent evidence, audit entry.
    """

    parts: Mapping[str, float]
    beside: Mapping[str, float]

    @property
    def total(self) -> float:
        """What the goal is about."""
        return sum(self.parts.values())


def measure_patients(directory: Path, name: str, kind: str, count: int) -> Measured:
    """Enrol so many patients on a fresh server and tell their memory apart."""
    with _opened(directory, name) as (core, server):
        client = server.client()
        empty = _used(client)
        began = time.monotonic()
        enrol_all(core, count, lambda number: _form(number, kind))
        print(f"{count:,} enrolled in {time.monotonic() - began:.0f} s", flush=True)
        left = {"all": _used(client)}
        for what, key in _KEYS.items():
            _delete(client, _anywhere(key(PartitionKeys(0))))
            left[what] = _used(client)
        readings = [*left.values(), empty]
        each = {
            what: (before - after) / count
            for what, before, after in zip(
                [*_KEYS, "table of keys"], readings[:-1], readings[1:], strict=True
            )
        }
        beside = {what: each.pop(what) for what in ("consent evidence", "audit entry")}
        return Measured(each, beside)


def measure_history(directory: Path, name: str) -> Mapping[str, float]:
    """Bytes of a history entry, of an attempt, and of what a patient's record grows by."""
    steps = [step.message for step in load_series("restless-legs").steps]
    with _opened(directory, name) as (core, server):
        client = server.client()
        patients = enrol_all(core, HISTORIES, lambda number: _form(number, "text"))
        fresh, entries = _size(client, PartitionKeys.patient), len(patients) * len(steps)
        now_ms = core.business.now_ms() + 30 * 86_400_000  # when everybody is due
        for turn, message in enumerate(steps):
            for partition in range(core.partitions):
                _conclude_all(core, partition, message, now_ms + turn, FIRST_DAY + 2 * turn)
        both = _used(client)
        _delete(client, _anywhere(PartitionKeys(0).attempt("*")))
        grown = _size(client, PartitionKeys.patient) - fresh
        return {
            "a history entry": _size(client, PartitionKeys.history) / entries,
            "an attempt, which is kept 14 days": (both - _used(client)) / entries,
            "what a patient's record grows by on the way": grown / len(patients),
        }


def _size(client: redis.Redis, key: Callable[[PartitionKeys, str], str]) -> int:
    """Bytes of all keys of a kind, as the server tells of each."""
    every = client.scan_iter(match=_anywhere(key(PartitionKeys(0), "*")), count=1000)
    return sum(client.memory_usage(found, samples=0) or 0 for found in every)


def _anywhere(key: str) -> str:
    """The pattern of a key of partition 0 in any partition: one scan instead of one for each."""
    return key.replace(PartitionKeys(0).tag, "{p*}")


def _conclude_all(core: Core, partition: int, message: str, now_ms: int, day: int) -> None:
    """Send one step to everybody who is due, as far as the store can tell."""
    dispatch, far = core.dispatch_store, core.machine.now_ms() + 60_000
    while claims := dispatch.claim(partition, now_ms, BATCH, far):
        attempts = [core.patients.new_attempt(claim.subscription.patient) for claim in claims]
        begun = dispatch.begin(
            [
                Beginning(claim, attempt, "sms", far, day, now_ms, "b" * 22)
                for claim, attempt in zip(claims, attempts, strict=True)
            ]
        )
        assert set(begun) == {"ok"}, begun
        done = dispatch.conclude(
            [
                _conclusion(claim, attempt, message, now_ms)
                for claim, attempt in zip(claims, attempts, strict=True)
            ]
        )
        assert all(done)


def _conclusion(claim: Claimed, attempt: str, message: str, now_ms: int) -> Conclusion:
    subscription = claim.subscription
    provider_id = f"SM{secrets.token_hex(16)}"
    entry = HistoryEntry(
        subscription=subscription.number,
        index=subscription.index,
        state="s",
        message=message,
        channel="sms",
        due_ms=claim.due_ms,
        at_ms=now_ms,
        attempts=1,
        provider_id=provider_id,
    )
    return Conclusion(
        subscription=subscription.id,
        token=claim.token,
        expects="bq",
        where="due",
        when_ms=now_ms + 1,
        cursor=(subscription.index + 1, 0),
        entry=entry,
        attempt=attempt,
        provider_id=provider_id,
    )


def _form(number: int, kind: str) -> EnrolmentForm:
    text, mail = KINDS[kind]
    zone = NOON_SOMEWHERE[number % len(NOON_SOMEWHERE)]
    return a_form(number, zone, text=text, mail=mail)


@contextmanager
def _opened(directory: Path, name: str) -> Iterator[tuple[Core, Server]]:
    _, start, config = SERVERS[name]
    with (
        tempfile.TemporaryDirectory(dir=directory) as folder,
        start(Path(folder) / "store", **config) as server,
    ):
        core = Core(
            load_settings(
                redis_url=server.url, data_dir=Path(folder), public_url="https://drip.example.org"
            ),
            server.url,
        )
        try:
            yield core, server
        finally:
            core.close()


def _delete(client: redis.Redis, pattern: str) -> None:
    found = list(client.scan_iter(match=pattern, count=10_000))
    for start in range(0, len(found), 1000):
        client.delete(*found[start : start + 1000])


def _used(client: redis.Redis) -> int:
    """Bytes of memory in use, once the server has done what it does in the background."""
    last = 0

    def settled() -> bool:
        nonlocal last
        before, last = last, int(client.info("memory")["used_memory"])
        time.sleep(0.2)
        return abs(last - before) < 4096

    until(settled, "the server's memory is steady", limit_s=60)
    return last


def _rows(name: str, kind: str, count: int, measured: Measured) -> list[Row]:
    parts = ", ".join(f"{what} {size:.0f}" for what, size in measured.parts.items())
    what = f"a patient with {HAS[kind]}, {count:,} of them on {SERVERS[name][0]}: {parts}"
    rows = [limit("P4", what, measured.total, GOAL_BYTES, "bytes")]
    beside = [f"{what} {size:.0f}" for what, size in measured.beside.items()]
    size = round(sum(measured.beside.values()))
    rows.append(Row("P4 beside", f"the same: {', '.join(beside)}", size, 0, "bytes", 0, 0))
    return rows


def _history_rows(name: str, sizes: Mapping[str, float]) -> list[Row]:
    on = SERVERS[name][0]
    (entry, size), *beside = sizes.items()
    return [
        limit("P4 history", f"{entry} on {on}", size, HISTORY_GOAL_BYTES, "bytes"),
        *(Row("P4 beside", f"{what}, on {on}", round(n), 0, "bytes", 0, 0) for what, n in beside),
    ]


def measure(part: Part, directory: Path, name: str, patients: int) -> None:
    """All of it on one server; a tenth of the patients once more with a mailbox besides."""
    for kind, count in (("text", patients), ("both", patients // 10)):
        part.rows += _rows(name, kind, count, measure_patients(directory, name, kind, count))
    part.rows += _history_rows(name, measure_history(directory, name))


def few(part: Part, directory: Path, sizes: Sizes) -> None:
    """P4 as ``make bench`` has it: fewer patients, on the bundled server alone."""
    directory.mkdir()
    measure(part, directory, "valkey", sizes.patients)


def main() -> int:
    """Measure, show, and keep the rows for the page of benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.memory", description=__doc__)
    parser.add_argument(
        "--patients", type=int, default=1_000_000, help="with a phone; a tenth of them with both"
    )
    parser.add_argument("--server", choices=SERVERS, action="append", help="only on this one")
    parser.add_argument("--results", type=Path, default=BUILD, help="where figures are kept")
    asked = parser.parse_args()
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as folder:
        directory = Path(folder)
        command = shlex.join([".venv/bin/python", "-m", "tests.bench.memory", *sys.argv[1:]])
        part = new_part("memory", command, directory)
        for name in asked.server or ("valkey", "redis7"):
            measure(part, directory, name, asked.patients)
    show(part)
    part.save(asked.results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
