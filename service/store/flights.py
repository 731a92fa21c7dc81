"""What ``begin`` and ``conclude`` are asked, and how their scripts are told: many in one call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, Literal, TypeVar

import structlog

from service.store.history import HistoryEntry
from service.store.keys import PartitionKeys, partition_of
from service.store.records import LETTER, Again, Channel, Claimed
from service.store.scripts import Argument, Call

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 128
"""Flights in one call of a script: the server does nothing else for about two milliseconds."""
ATTEMPT_TTL_MS = 14 * 86_400_000
"""Receipts are joined to their attempt this long; Twilio keeps a message queued 10 h at most."""
DRIPS_A_WEEK = 7

Where = Literal["due", "back", "hold", "question", "end"]
Begun = Literal["ok", "lost", "stopped", "suppressed", "capped_day", "capped_week"]


@dataclass(frozen=True, slots=True)
class Beginning:
    """What ``begin`` is asked to begin.

    Attributes:
        attempt: a new attempt id in the patient's partition.
        lease_until_ms: machine ms UTC.
        cap_day: ordinal of the local day a drip counts for; None for service messages.
        begun_ms: machine ms UTC, kept for looking the attempt up at the provider.
        body: keyed hash of a text, for the same; of an e-mail the digest of its mailbox.
        probe: name of the stopped sender that it tries, else empty.
    """

    claimed: Claimed
    attempt: str
    channel: Channel
    lease_until_ms: int
    cap_day: int | None
    begun_ms: int
    body: str = ""
    probe: str = ""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How a flight ends.

    Attributes:
        expects: flight states it may end from: ``c`` before begin, ``bq`` after.
        where: ``due`` (at ``when_ms`` business), ``back`` (the same, for a claim that was not
            worked on), ``hold`` (until ``when_ms`` machine, then due
            again), ``question`` (begun, unproven; looked at from ``when_ms`` machine), ``end``.
        cursor: the new (index, attempts, failures), None to leave it.
        again: of a delivery that is tried again beside the cursor: with an entry it is over, else
            this is what is known of it now.
        frees_day: give the day's cap back, since nothing was sent.
    """

    subscription: str
    token: int
    expects: Literal["c", "bq"]
    where: Where
    when_ms: int = 0
    cursor: tuple[int, int] | tuple[int, int, int] | None = None
    again: Again | None = None
    entry: HistoryEntry | None = None
    attempt: str = ""
    frees_day: bool = False
    provider_id: str = ""


T = TypeVar("T", Beginning, Conclusion)


def by_partition(asked: Sequence[T]) -> Iterator[tuple[PartitionKeys, list[T]]]:
    """What is asked, in its order, cut into calls: neighbours of one partition at a time."""
    for partition, run in groupby(asked, key=lambda one: partition_of(_patient(one))):
        while some := list(islice(run, MOST_AT_ONCE)):
            yield PartitionKeys(partition), some


def begin_calls(beginnings: Sequence[Beginning]) -> list[Call]:
    """What ``begin.lua`` is called with, in order; its replies are for `begun`."""
    return [_begin_call(keys, items) for keys, items in by_partition(beginnings)]


def begun(replies: list[Any]) -> list[Begun]:
    """The answers of ``begin.lua``, one for each attempt."""
    return [word.decode() for reply in replies for word in reply]


def conclude_calls(conclusions: Sequence[Conclusion]) -> list[Call]:
    """What ``conclude.lua`` is called with, in order; its replies are for `concluded`."""
    return [_conclude_call(keys, items) for keys, items in by_partition(conclusions)]


def concluded(replies: list[Any]) -> list[bool]:
    """The answers of ``conclude.lua``: whether each was recorded."""
    return [word == b"ok" for reply in replies for word in reply]


def claim_call(partition: int, now_ms: int, limit: int, lease_until_ms: int) -> Call:
    """What ``claim.lua`` is called with; see `DispatchStore.claim`."""
    keys = PartitionKeys(partition)
    args = (now_ms, limit, lease_until_ms, keys.patient(""))
    return (keys.due, keys.held, keys.fence, keys.counts), args


def patient_keys(rows: list[Any]) -> list[str]:
    """From the reply of ``claim.lua``: keys of the patients whose subscriptions were claimed."""
    patients = [member.decode().partition(".")[0] for member in rows[::3]]
    return [PartitionKeys(partition_of(patient)).patient(patient) for patient in patients]


def claimed_of(rows: list[Any], records: Sequence[Mapping[bytes, bytes]]) -> list[Claimed]:
    """From the reply of ``claim.lua`` and the patients' hashes; what cannot be read is left out."""
    claimed = []
    for member, token, due, record in zip(rows[::3], rows[1::3], rows[2::3], records, strict=True):
        try:
            claimed.append(Claimed.of(member.decode(), token, int(float(due)), record))
        except (LookupError, ValueError) as error:
            # Erased this moment; or it has to be looked at, and is in flight until its lease ends.
            log.error("unreadable", subscription=member.decode(), fault=type(error).__name__)
    return claimed


def _patient(one: Beginning | Conclusion) -> str:
    return (
        one.claimed.fields.id if isinstance(one, Beginning) else one.subscription.partition(".")[0]
    )


def _begin_call(keys: PartitionKeys, beginnings: Sequence[Beginning]) -> Call:
    """What ``begin.lua`` is called with, for attempts in one partition."""
    names = [keys.held]
    args: list[Argument] = [ATTEMPT_TTL_MS, DRIPS_A_WEEK]
    for one in beginnings:
        subscription = one.claimed.subscription
        names += (keys.patient(subscription.patient), keys.attempt(one.attempt))
        args += (
            subscription.number,
            subscription.id,
            one.claimed.token,
            "x" + LETTER[one.channel],
            one.attempt,
            "" if one.cap_day is None else one.cap_day,
            subscription.patient,
            subscription.index,
            one.channel,
            one.body,
            one.probe,
            one.lease_until_ms,
            one.begun_ms,
            subscription.tried,
            subscription.again.field(subscription.number) if subscription.again else "",
        )
    return names, args


def _conclude_call(keys: PartitionKeys, conclusions: Sequence[Conclusion]) -> Call:
    """What ``conclude.lua`` is called with, for flights of one partition."""
    names = [keys.held, keys.due, keys.dead_letters, keys.afterwards, keys.counts]
    args: list[Argument] = []
    for one in conclusions:
        patient, _, number = one.subscription.partition(".")
        entry, attempt = one.entry, keys.attempt(one.attempt or "-")
        names += (keys.patient(patient), keys.history(patient), attempt)
        args += (
            number,
            one.subscription,
            one.token,
            one.expects,
            *_place(one, number),
            entry.field if entry else "",
            entry.state if entry else "",
            entry.rest() if entry else "",
            entry.at_ms if entry else 0,
            one.where,
            one.when_ms,
            int(one.frees_day),
            one.provider_id,
        )
    return names, args


def _place(conclusion: Conclusion, number: str) -> tuple[str, str]:
    """Field and value that say where the subscription, or the delivery tried again, stands now."""
    if conclusion.again is not None:
        field = conclusion.again.field(int(number))
        return field, "-" if conclusion.entry else conclusion.again.pack()
    if conclusion.cursor is None:
        return "", ""
    index, attempts, failures = (*conclusion.cursor, 0)[:3]
    return f"k{number}", f"{index}|{attempts}" + (f"|{failures}" if failures else "")
