"""The steps of dispatch on the store: claim, begin, conclude, sweep. Each is one script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from schedules.delivery import State, movable
from service.store.flights import (
    Beginning,
    Begun,
    Conclusion,
    begin_calls,
    begun,
    claim_call,
    claimed_of,
    conclude_calls,
    concluded,
    patient_keys,
)
from service.store.keys import PartitionKeys, partition_of
from service.store.records import Again, Channel, Claimed, Flight, PatientFields
from service.store.scripts import Call, Scripts

log = structlog.get_logger(__name__)

Received = Literal["gone", "kept", "moved"]


@dataclass(frozen=True, slots=True)
class Pending:
    """What a partition has to do.

    Attributes:
        due_ms: the earliest due time (business), None if nothing is due.
        held_ms: the earliest time a flight must be looked at (machine).
        held: flights.
        after_ms: the earliest time at which something else is left to do: about an attempt, or a
            message outside of a series, an alert to staff (machine).
    """

    due_ms: int | None
    held_ms: int | None
    held: int
    after_ms: int | None = None

    def is_due(self, now_ms: int) -> bool:
        """Whether a subscription is due at a business instant."""
        return self.due_ms is not None and self.due_ms <= now_ms


@dataclass(frozen=True, slots=True)
class Question:
    """A begun attempt without an outcome."""

    fields: PatientFields
    subscription: int
    flight: Flight


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One provider call as written by ``begin``.

    Attributes:
        body: keyed hash of the text, of an e-mail the digest of the mailbox that it went to.
        receipt: state code of the newest receipt, empty if none came.
        begun_ms: machine ms UTC.
        probe: name of the stopped sender that it tried, else empty.
        attempts: provider calls made for the delivery before this one.
        failures: how many of them failed in a way that is tried only so often.
        guessed: the provider's id is that of a message that was found by its text.
    """

    patient: str
    subscription: int
    index: int
    channel: Channel
    begun_ms: int
    body: str
    receipt: str
    code: str
    provider_id: str
    probe: str = ""
    attempts: int = 0
    failures: int = 0
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Afterwards:
    """Something that is left to do about an attempt.

    Attributes:
        kind: ``x`` to look for proof of its outcome, ``d`` to have its text redacted.
    """

    kind: Literal["x", "d"]
    attempt: str


@dataclass(frozen=True, slots=True)
class Census:
    """How many subscriptions stand where.

    Attributes:
        waiting: in the due index; ``overdue`` those due by now.
        in_flight: claimed, begun, or held back; ``in_question`` begun and without an outcome.
        left_to_do: attempts about which something is left to do.
    """

    waiting: int
    overdue: int
    in_flight: int
    in_question: int
    left_to_do: int


class DispatchStore:
    """Claims, begins and concludes flights; the only writer of deliveries."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def peek(self, partitions: Sequence[int]) -> list[Pending]:
        """What each partition has to do, in one round trip."""
        calls: list[Call] = []
        for partition in partitions:
            keys = PartitionKeys(partition)
            others = (keys.afterwards, keys.responses, keys.alerts)
            calls.append(((keys.due, keys.held, *others), ()))
        found = []
        for due, held_at, held, after in self._scripts.run_many("peek", calls):
            found.append(Pending(_ms(due), _ms(held_at), int(held), _ms(after)))
        return found

    def census(self, partitions: Sequence[int], now_ms: int) -> Census:
        """How partitions stand together at a business instant."""
        calls: list[Call] = []
        for partition in partitions:
            keys = PartitionKeys(partition)
            calls.append(((keys.due, keys.held, keys.afterwards), (now_ms, keys.patient(""))))
        rows = self._scripts.run_many("census", calls)
        return Census(*(sum(column) for column in zip(*rows, strict=True)))

    def due_between(self, partitions: Sequence[int], instants: Sequence[int]) -> list[int]:
        """How many subscriptions are due before the first instant, and between each two.

        Args:
            partitions: all that are counted.
            instants: business ms UTC, rising.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        calls: list[Call] = [((PartitionKeys(each).due,), tuple(instants)) for each in partitions]
        rows = self._scripts.run_many("due_counts", calls)
        return [sum(int(count) for count in column) for column in zip(*rows, strict=True)]

    def overdue(self, partition: int, now_ms: int) -> list[str]:
        """Subscriptions of a partition that are due at a business instant, the earliest first."""
        return self._scripts.read_before([PartitionKeys(partition).due], now_ms, 2**53)

    def claim(self, partition: int, now_ms: int, limit: int, lease_until_ms: int) -> list[Claimed]:
        """Take up to ``limit`` due subscriptions under a lease.

        One whose record cannot be read is left out, and comes up again when its lease has run out.

        Args:
            partition: whose due index.
            now_ms: business ms UTC.
            limit: at most this many; 100 cost the server about a millisecond.
            lease_until_ms: machine ms UTC.
        """
        call = claim_call(partition, now_ms, limit, lease_until_ms)
        rows = self._scripts.run("claim", *call)
        return claimed_of(rows, self._scripts.read_hashes(patient_keys(rows)))

    async def claim_soon(
        self, partition: int, now_ms: int, limit: int, lease_until_ms: int
    ) -> list[Claimed]:
        """`claim` while the event loop goes on."""
        call = claim_call(partition, now_ms, limit, lease_until_ms)
        (rows,) = await self._scripts.run_soon("claim", [call])
        return claimed_of(rows, await self._scripts.read_hashes_soon(patient_keys(rows)))

    def suspect(self, claim: Claimed) -> int:
        """Note that a claim is worked on alone, since its lease ran out before.

        Returns how often its lease ran out or it was taken alone since it last moved, this time
        not counted; what is concluded is not counted any more.
        """
        subscription = claim.subscription
        keys = PartitionKeys(partition_of(subscription.patient))
        key, args = keys.patient(subscription.patient), (subscription.number, claim.token)
        return int(self._scripts.run("suspect", (key,), args))

    def absolve(self, claim: Claimed) -> None:
        """Note that this process lived through a claim that it worked on alone; may be repeated."""
        subscription = claim.subscription
        keys = PartitionKeys(partition_of(subscription.patient))
        self._scripts.run("absolve", (keys.patient(subscription.patient),), (subscription.number,))

    def begin(self, beginnings: Sequence[Beginning]) -> list[Begun]:
        """Write attempts durably, each only where the send is still allowed; answers in order.

        Raises:
            StoreUnavailable: nothing may be sent.
        """
        return begun(self._scripts.run_durably("begin", begin_calls(beginnings)))

    async def begin_soon(self, beginnings: Sequence[Beginning]) -> list[Begun]:
        """`begin` while the event loop goes on."""
        calls = begin_calls(beginnings)
        return begun(await self._scripts.run_soon("begin", calls, durably=True))

    def conclude(self, conclusions: Sequence[Conclusion]) -> list[bool]:
        """End flights; False where the token no longer held, and so nothing was recorded."""
        return concluded(self._scripts.run_many("conclude", conclude_calls(conclusions)))

    async def conclude_soon(self, conclusions: Sequence[Conclusion]) -> list[bool]:
        """`conclude` while the event loop goes on."""
        return concluded(await self._scripts.run_soon("conclude", conclude_calls(conclusions)))

    def sweep(self, partition: int, now_ms: int, limit: int, look_again_ms: int) -> list[Question]:
        """Return what was not begun to the due index; hand out what is in question.

        Args:
            partition: whose flights.
            now_ms: machine ms UTC; flights whose time is at or before it are looked at.
            limit: at most this many.
            look_again_ms: machine ms UTC at which an unanswered question comes up again.
        """
        keys = PartitionKeys(partition)
        rows = self._scripts.run(
            "sweep",
            (keys.held, keys.due),
            (now_ms, limit, keys.patient(""), look_again_ms),
        )
        questions = []
        for member, flight, flat in rows:
            patient, _, number = member.decode().partition(".")
            questions.append(
                Question(
                    PatientFields.of(patient, flat), int(number), Flight.unpack(flight.decode())
                )
            )
        return questions

    def afterwards(self, partition: int, now_ms: int, limit: int) -> list[Afterwards]:
        """What is left to do about attempts of a partition by now (machine ms UTC)."""
        key = PartitionKeys(partition).afterwards
        return [_afterwards(one) for one in self._scripts.read_before([key], now_ms, limit)]

    def unsettled(self, partition: int) -> list[str]:
        """Attempts of a partition whose outcome is unknown, and looked for on."""
        every = self.afterwards(partition, 2**53, 1_000_000)
        return [one.attempt for one in every if one.kind == "x"]

    def look_again(self, task: Afterwards, at_ms: int) -> None:
        """Put what is left to do off until then (machine ms UTC), unless it is done meanwhile."""
        self._scripts.run("put_off", (_afterwards_key(task),), (_member(task), at_ms))

    def no_more(self, task: Afterwards) -> None:
        """Nothing is left to do."""
        self._scripts.run("put_off", (_afterwards_key(task),), (_member(task), ""))

    def attempt(self, attempt: str) -> AttemptRecord | None:
        """One attempt by its id, None once it has expired."""
        key = PartitionKeys(partition_of(attempt)).attempt(attempt)
        fields = {name: value.decode() for name, value in self._scripts.read_hash(key).items()}
        if "p" not in fields:
            return None
        attempts, _, failures = fields.get("tr", "0|0").partition("|")
        return AttemptRecord(
            patient=fields["p"],
            subscription=int(fields["n"]),
            index=int(fields["i"]),
            channel="sms" if fields["ch"] == "sms" else "email",
            begun_ms=int(fields["at"]),
            body=fields.get("bh", ""),
            receipt=fields.get("rs", ""),
            code=fields.get("rc", ""),
            provider_id=fields.get("id", ""),
            probe=fields.get("pr", ""),
            attempts=int(attempts),
            failures=int(failures),
            guessed="ig" in fields,
        )

    def receive(
        self,
        attempt: str,
        state: str,
        rank: int,
        provider_id: str,
        code: str | None,
        *,
        again: Again | None = None,
        now_ms: int = 0,
        certain: bool = True,
    ) -> Received:
        """Apply a receipt to an attempt, durably.

        Args:
            attempt: its id.
            state: code of the state that the receipt proves.
            rank: only a higher one replaces what an earlier receipt said.
            provider_id: must agree with the one on record, if there is one.
            code: the provider's error code.
            again: the delivery goes back to pending, as far as its state allows.
            now_ms: business ms UTC.
            certain: whether the provider's id is known to be this attempt's.

        Returns:
            ``moved``; ``kept`` where as much was known before; ``gone`` where the attempt has
            expired, or is another message's.
        """
        keys = PartitionKeys(partition_of(attempt))
        names = (keys.attempt(attempt), keys.due, keys.dead_letters, keys.afterwards, keys.counts)
        moves = "".join(sorted(each.code for each in movable(State.from_code(state))))
        args = (
            *(state, rank, provider_id, code or "", moves),
            *(keys.patient(""), keys.history(""), again.pack() if again else "", now_ms),
            int(certain),
        )
        answer = self._scripts.run_durably("receipt", [(names, args)])[0]
        received: Received = answer[0].decode()
        return received


def _ms(score: bytes) -> int | None:
    return int(float(score)) if score else None


def _afterwards(member: str) -> Afterwards:
    kind, _, attempt = member.partition(":")
    return Afterwards("x" if kind == "x" else "d", attempt)


def _member(task: Afterwards) -> str:
    return f"{task.kind}:{task.attempt}"


def _afterwards_key(task: Afterwards) -> str:
    return PartitionKeys(partition_of(task.attempt)).afterwards
