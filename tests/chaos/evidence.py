"""What a run has left on disk, read back: the far ends' logs, the faults, the store at its end.

Nothing of the service is imported: the store's records are read as docs/reference/store.md says.
"""

from __future__ import annotations

import bisect
import email
import email.policy
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import redis

Line = dict[str, Any]


def lines(path: Path) -> list[Line]:
    """The whole lines of a log, none where it was never begun."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def dump_store(url: str, path: Path) -> None:
    """Write the records of a store that deliveries are judged by, with plain commands."""
    client = redis.Redis.from_url(url)
    with client, path.open("w", encoding="utf-8") as file:
        for raw in client.scan_iter(match="{p*", count=1000):
            key = raw.decode()
            kind = key.partition("}:")[2].partition(":")[0]
            if kind in {"p", "h", "t"}:
                fields: dict[bytes, bytes] = client.hgetall(raw)  # type: ignore[assignment]
                found = {
                    name.decode(): value.decode() for name, value in fields.items() if name != b"c"
                }
                file.write(json.dumps({"key": key, "hash": found}) + "\n")
            elif kind in {"due", "held"}:
                queue: list[bytes] = client.zrange(raw, 0, -1)  # type: ignore[assignment]
                members = [member.decode() for member in queue]
                file.write(json.dumps({"key": key, "members": members}) + "\n")


@dataclass(frozen=True, slots=True)
class Patient:
    """Somebody who was enrolled.

    Attributes:
        hours: channel -> hours [opens, closes) in which it may be begun, the patient's clock.
    """

    id: str
    number: int
    phone: str
    email: str
    zone: str
    hours: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the series, by what a far end sees of it."""

    index: int
    message: str
    kind: str
    text: str
    subject: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that a far end took.

    Attributes:
        at: machine ms UTC.
        attempt: empty where the message tells none.
        validity_s: 0 for e-mail.
        prepared: business ms UTC at which it was made, None where the message does not tell.
    """

    channel: str
    to: str
    content: str
    at: int
    attempt: str = ""
    validity_s: int = 0
    prepared: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a patient's history; ``due`` and ``at`` (its end) in business time."""

    index: int
    state: str
    channel: str
    due: int
    at: int
    reason: str
    code: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One provider call as the store knows it; ``at`` is on the clock of the workers."""

    id: str
    patient: str
    index: int
    channel: str
    at: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was done to the installation, machine ms UTC."""

    kind: str
    start: int
    end: int
    to: tuple[str, ...] = ()
    attempts: tuple[str, ...] = ()


@dataclass
class Evidence:
    """Everything a checker looks at.

    Attributes:
        left: (address, when it was acknowledged, machine ms UTC).
        asked: addresses for which an end was asked, or brought about by a far end.
        clock: (before, after, business) of each reading of business time.
        outages: between which instants of business time nothing could be sent.
        eras: (from when, offset in ms) of the workers' clock.
    """

    roster: list[Patient] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    left: list[tuple[str, int]] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    clock: list[tuple[int, int, int]] = field(default_factory=list)
    outages: list[tuple[int, int]] = field(default_factory=list)
    eras: list[tuple[int, int]] = field(default_factory=list)
    patients: dict[str, Mapping[str, str]] = field(default_factory=dict)
    histories: dict[str, list[Entry]] = field(default_factory=dict)
    attempts: dict[str, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    open: list[str] = field(default_factory=list)

    def business(self, at: int) -> tuple[int, int] | None:
        """Between which instants business time was at a moment of the machine's."""
        place = bisect.bisect_right(self.clock, at, key=lambda sample: sample[1])
        if place == 0 or place == len(self.clock):
            return None
        return self.clock[place - 1][2], self.clock[place][2]

    def on_machine(self, at: int) -> list[int]:
        """What an instant of the workers' clock may have been on the machine's."""
        found = []
        ends = [start for start, _ in self.eras[1:]] + [1 << 60]
        for (start, offset), end in zip(self.eras, ends, strict=True):
            moment = at - offset
            if start - ERA_SLACK_MS <= moment <= end + ERA_SLACK_MS:
                found.append(moment)
        return found


ERA_SLACK_MS = 500
"""A process notices that its clock was set within 50 ms, a busy one somewhat later."""


def read(directory: Path) -> Evidence:
    """Everything that a run has left."""
    found = Evidence()
    found.roster = [
        Patient(
            **{k: row[k] for k in ("id", "number", "phone", "email", "zone")},
            hours={k: (a, b) for k, (a, b) in row["hours"].items()},
        )
        for row in lines(directory / "roster.jsonl")
    ]
    found.steps = [Step(**row) for row in lines(directory / "steps.jsonl")]
    _read_provider(found, lines(directory / "provider.jsonl"))
    _read_mail(found, directory)
    for name in ("faults", "proxy"):
        found.faults += [_fault(row) for row in lines(directory / f"{name}.jsonl")]
    found.outages = [
        (row["business"][0], row["business"][1])
        for row in lines(directory / "faults.jsonl")
        if "business" in row
    ]
    for row in lines(directory / "acknowledged.jsonl"):
        found.asked.update(row["addresses"])
        if row["at"] is not None:
            found.left += [(address, row["at"]) for address in row["addresses"]]
    clock = lines(directory / "clock.jsonl")
    found.clock = [(row["before"], row["after"], row["business"]) for row in clock]
    eras = lines(directory / "eras.jsonl")
    found.eras = [(row["at"], row["offset_s"] * 1000) for row in eras]
    _read_store(found, lines(directory / "store.jsonl"))
    return found


def _fault(row: Line) -> Fault:
    return Fault(
        row["kind"],
        row["start"],
        row["end"],
        tuple(row.get("to", ())),
        tuple(row.get("attempts", ())),
    )


def _read_provider(found: Evidence, rows: list[Line]) -> None:
    for row in rows:
        match row["event"]:
            case "text" if row["text"]["direction"] == "outbound-api":
                found.arrivals.append(_text(row))
            case "text" if row["text"]["direction"] == "inbound":
                found.asked.add(row["text"]["sender"])
            case "fault":
                kind = f"provider_{row['on']}_{row['fault']}"
                named = (row["attempt"],) if row["attempt"] else ()
                found.faults.append(Fault(kind, row["at"], row["at"], (row["to"],), named))
            case "opted_out":
                found.asked.add(row["phone"])
            case "webhook" if row["status"] == 200:
                found.left.append((row["phone"], row["at"]))


def _text(row: Line) -> Arrival:
    text, form = row["text"], row["text"]["fields"]
    attempt = form.get("StatusCallback", "").partition("?a=")[2].partition("#")[0]
    validity = int(form.get("ValidityPeriod", "36000"))
    return Arrival("sms", text["to"], text["written"], row["at"], attempt, validity)


def _read_mail(found: Evidence, directory: Path) -> None:
    for row in lines(directory / "mail.jsonl"):
        mail = email.message_from_bytes(
            row["content"].encode("latin-1"), policy=email.policy.default
        )
        dated = datetime.strptime(str(mail["Date"]), "%a, %d %b %Y %H:%M:%S %z")
        found.arrivals.append(
            Arrival(
                channel="email",
                to=row["to"][0],
                content=str(mail["Subject"]),
                at=row["at"],
                prepared=int(dated.timestamp() * 1000),
            )
        )
    for row in lines(directory / "mail.faults.jsonl"):
        what = row.get("do") or str(row.get("reply", ""))[:3] or "slow"
        kind = f"mail_{row['at'].lower()}_{what}" + ("_taken" if row.get("accept") else "")
        found.faults.append(Fault(kind, row["written"], row["written"], tuple(row["to"])))
        if str(row.get("reply", "")).startswith("5"):
            found.asked.update(row["to"])


def _read_store(found: Evidence, rows: list[Line]) -> None:
    for row in rows:
        kind, _, name = row["key"].partition("}:")[2].partition(":")
        if kind in {"due", "held"}:
            found.open += row["members"]
        elif kind == "p":
            found.patients[name] = row["hash"]
        elif kind == "h":
            found.histories[name] = list(_entries(row["hash"]))
        elif kind == "t" and "p" in row["hash"]:
            one = row["hash"]
            attempt = Attempt(name, one["p"], int(one["i"]), one["ch"], int(one["at"]))
            found.attempts[attempt.patient].append(attempt)


def _entries(fields: Mapping[str, str]) -> Iterator[Entry]:
    for name, packed in sorted(fields.items(), key=lambda item: int(item[0].partition(".")[2])):
        state, _, channel, due, after, _, reason, code, *_ = packed.split("|")
        at = int(due) + int(after or 0)
        long = {"s": "sms", "e": "email", "": ""}[channel]
        yield Entry(int(name.partition(".")[2]), state, long, int(due), at, reason, code)
