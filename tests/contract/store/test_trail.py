"""The audit of everything: newest first, page by page, nothing left out, nothing ever changed."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import service
from service.store.audit import LOOK_MS, Audit
from service.store.keys import PartitionKeys, StaffKeys
from service.store.trail import Place, Trace, Trail
from tests.contract.store.installation import DUE, Installed

MANY = 90


def trail(store: Installed) -> Trail:
    return Trail(store.client, store.partitions, store.business, store.machine)


def write(store: Installed, count: int, at_ms: int = DUE) -> None:
    """Entries in all streams, in an order that can be told from their reasons."""
    keys = [PartitionKeys(partition).audit for partition in range(store.partitions)]
    for number in range(count):
        stream = (*keys, StaffKeys.audit)[number * 7 % (len(keys) + 1)]
        entry: dict[Any, Any] = {
            "what": "seen",
            "on": "x",
            "by": "test",
            "reason": number,
            "at": at_ms + number,
        }
        store.client.xadd(stream, entry, id=f"{DUE + number // 3}-{number % 3 + 1}")


def reasons(traces: list[Trace]) -> list[int]:
    return [int(trace.entry.reason) for trace in traces]


def test_all_entries_come_newest_first_whatever_stream_they_are_in(store: Installed) -> None:
    write(store, MANY)
    found = list(trail(store).newest_first())
    assert sorted(reasons(found)) == list(range(MANY))
    orders = [trace.place.order for trace in found]
    assert orders == sorted(orders)


@pytest.mark.parametrize("size", [1, 7, 50])
def test_pages_follow_each_other_without_a_gap_or_a_repetition(store: Installed, size: int) -> None:
    write(store, MANY)
    whole = list(trail(store).newest_first())
    found: list[Trace] = []
    before: Place | None = None
    while part := list(islice(trail(store).newest_first(before=before), size)):
        found += part
        before = Place.read(str(part[-1].place))
        store.client.xadd(StaffKeys.audit, {"what": "seen", "on": "y", "by": "t", "at": DUE})
    assert found == whole, "what is written meanwhile is newer, and moves nothing"


def test_entries_of_one_instant_in_several_streams_are_all_told(store: Installed) -> None:
    for partition in range(store.partitions):
        stream = PartitionKeys(partition).audit
        entry: dict[Any, Any] = {
            "what": "seen",
            "on": "x",
            "by": "test",
            "reason": partition,
            "at": DUE,
        }
        store.client.xadd(stream, entry, id="5000-1")
    found: list[int] = []
    before: Place | None = None
    for _ in range(store.partitions):
        (one,) = islice(trail(store).newest_first(before=before), 1)
        found += reasons([one])
        before = one.place
    assert sorted(found) == list(range(store.partitions))
    assert list(trail(store).newest_first(before=before)) == []


def test_a_stretch_of_time_and_some_partitions_are_read_alone(store: Installed) -> None:
    write(store, MANY)
    part = trail(store).newest_first(since_ms=DUE + 10, until_ms=DUE + 20)
    assert reasons(list(part)) == list(range(19, 9, -1))
    staff = [each.entry for each in trail(store).newest_first(partitions=[])]
    assert len(staff) == MANY // 5
    one = list(trail(store).newest_first(partitions=[2], staff=False))
    assert {trace.place.stream for trace in one} == {"2"}


@pytest.mark.parametrize(
    "text", ["", "x", "1-2", "1-x-3", "-1-2-3", "1-2-3-4", "9" * 80 + "-1-1", "\u0661-1-1"]
)
def test_a_place_that_is_none_is_not_read(text: str) -> None:
    assert Place.read(text) is None


def test_a_place_is_read_as_it_was_told() -> None:
    for place in (Place(1_772_470_800_000, 0, "17"), Place(1, 2, "staff")):
        assert Place.read(str(place)) == place


def test_nothing_of_ours_takes_an_entry_out_or_changes_one() -> None:
    """Streams only grow: no code of ours trims, deletes, claims, renames or restores one."""
    root = Path(service.__path__[0])
    sources = [*root.rglob("*.py"), *root.rglob("*.lua")]
    assert len(sources) > 200
    taking_out = re.compile(r"xtrim|xdel|xsetid|minid|'maxlen'|xadd\([^)]*maxlen", re.IGNORECASE)
    assert [path.name for path in sources if taking_out.search(path.read_text("utf-8"))] == []
    wiping = re.compile(r"flushdb|flushall", re.IGNORECASE)
    wipes = [path for path in sources if wiping.search(path.read_text("utf-8"))]
    assert wipes == [root / "demo" / "run.py"], "a demonstration empties its own store alone"


def test_an_audit_is_never_among_what_is_deleted_or_expires() -> None:
    scripts = Path(service.__path__[0]).joinpath("store", "scripts")
    for path in scripts.glob("*.lua"):
        text = path.read_text("utf-8")
        named = re.search(r"-- KEYS: (.*?)\.\s", text, re.DOTALL)
        keys = [part.strip() for part in named[1].replace("\n--", " ").split(",")] if named else []
        for number, key in enumerate(keys, 1):
            if key.startswith("audit"):
                uses = re.findall(rf"redis\.call\('(\w+)', KEYS\[{number}\]", text)
                assert set(uses) <= {"XADD"}, path.name


def test_a_look_is_noted_once_an_hour_for_each_member_and_patient(store: Installed) -> None:
    patient, _ = store.enrol()
    another, _ = store.enrol(partition=2)
    audit = Audit(store.client, store.business, store.machine)
    for _ in range(3):
        audit.note_seen(patient, "staff:a")
        audit.note_seen(another, "staff:a")
        audit.note_seen(patient, "staff:b")
    looks = [trace.entry for trace in trail(store).newest_first() if trace.entry.what == "seen"]
    assert sorted((each.on, each.by) for each in looks) == sorted(
        [(patient, "staff:a"), (patient, "staff:b"), (another, "staff:a")]
    )
    for key in store.keys("*:w:*"):
        assert 0 < store.client.pttl(key) <= LOOK_MS
        store.client.delete(key)
    audit.note_seen(patient, "staff:a")
    looks = [trace.entry for trace in trail(store).newest_first() if trace.entry.what == "seen"]
    assert len(looks) == 4
