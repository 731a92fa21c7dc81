"""The suppression ledger: one record an address, and its copies with every patient who uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from service.clock import BusinessClock
from service.store.keyring import Index
from service.store.keys import PartitionKeys, partition_of
from service.store.records import LETTER, Channel
from service.store.scripts import Argument, Call, Scripts
from service.store.together import Asked, ask_together

GRACE_MS = 10_000
"""A fan-out that is open for longer was cut off, or is done twice, which is harmless."""
WEIGHTS: Final[Mapping[str, int]] = {
    "complaint": 4,
    "staff": 3,
    "provider_opt_out": 1,
    "invalid": 0,
}
"""Which of several reasons is told: the weightiest; what is not listed here, the patient's own
words, weighs 2."""
LIFTED_BY_START: Final[Mapping[Channel, tuple[str, ...]]] = {
    "sms": ("stop", "provider_opt_out"),
    "email": ("stop", "one_click"),
}
"""A start takes back what the patient did, never what staff or a dead number did."""
_OVERTAKEN, _UNCLEAR = -1, -2
KIND: dict[Channel, str] = {"sms": "phone", "email": "email"}


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger's record of an address after a change.

    Attributes:
        changed: whether this call changed it.
        sequence: of the last change; copies carry it.
        patients: ids of all patients who use the address.
        ended: subscriptions that no channel reaches any more because of this change.
        overtaken: nothing was lifted, since a stop has come after what asked for it.
        unclear: nothing was lifted, since a stop may have come after what asked for it.
    """

    changed: bool
    sequence: int
    on: bool
    reason: str
    patients: tuple[str, ...]
    ended: tuple[str, ...] = ()
    overtaken: bool = False
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class Stand:
    """How an address stands.

    Attributes:
        reasons: for which it is suppressed; empty where it is not.
        stops: how many stops have come from it.
        answered: how many of these a later start has taken back.
    """

    reasons: tuple[str, ...]
    stops: int
    answered: int = 0


class Suppressions:
    """Suppresses addresses and lifts it again; durable and fanned out before it answers."""

    def __init__(
        self, scripts: Scripts, index: Index, partitions: int, clock: BusinessClock
    ) -> None:
        self._scripts = scripts
        self._index = index
        self._partitions = partitions
        self._clock = clock

    def digest(self, channel: Channel, address: str) -> str:
        """The keyed hash an address is known by; opaque, 22 letters."""
        return self._index.digest(KIND[channel], address)

    def keys(self, digest: str) -> PartitionKeys:
        """The partition of an address."""
        return PartitionKeys(int.from_bytes(digest.encode(), "big") % self._partitions)

    def suppress(
        self,
        channel: Channel,
        digest: str,
        *,
        reason: str,
        source: str,
        own: bool = False,
    ) -> Ledger:
        """Never send to this address again, for any patient on it.

        Args:
            channel: the address's channel.
            digest: from ``digest``.
            reason: one word: ``stop``, ``one_click``, ``provider_opt_out``, ``complaint``,
                ``staff``, ``invalid``.
            source: who says so: a reply's id, ``carrier``, ``staff:name``.
            own: the patient says so, and not by a reply that was recorded as a stop: no start that
                came before it undoes it then.

        Raises:
            StoreUnavailable: not (wholly) recorded; ask again, it is idempotent.
        """
        return self._change(
            channel, digest, on=True, reason=reason, source=source, lifts="", own=own
        )

    def lift(
        self,
        channel: Channel,
        digest: str,
        *,
        source: str,
        lifts: Sequence[str],
        stops: int | None = None,
        received_ms: int | None = None,
        doubtful_ms: int | None = None,
    ) -> Ledger:
        """Allow sending again, where it was suppressed for one of the reasons in ``lifts``.

        Args:
            channel: the address's channel.
            digest: from ``digest``.
            source: who says so.
            lifts: reasons.
            stops: how many stops stood (``stand``) when the person asked for it; where another has
                come since, nothing is lifted.
            received_ms: beside ``stops``: when the person asked, by the provider's clock (to the
                second); where a stop was received since, nothing is lifted, and in doubt neither.
            doubtful_ms: the same where that is not known: a stop received after this, which no
                start has answered yet, leaves it unclear whether it came first.

        Raises:
            StoreUnavailable: not (wholly) recorded; ask again, it is idempotent.
        """
        return self._change(
            channel,
            digest,
            on=False,
            reason="rejoined",
            source=source,
            lifts=",".join(lifts),
            stops=stops,
            received_ms=received_ms,
            doubtful_ms=doubtful_ms,
        )

    def stand(self, digest: str) -> Stand:
        """How an address stands now; what is decided by it may be overtaken."""
        record = self._scripts.read_hash(self.keys(digest).address(digest))
        reasons = (record.get("ys") or record.get("y") or b"").decode()
        on = record.get("x") == b"1"
        stops, answered = int(record.get("w", 0)), int(record.get("l", 0))
        return Stand(tuple(reasons.split(",")) if on else (), stops, answered)

    def _change(
        self,
        channel: Channel,
        digest: str,
        *,
        on: bool,
        reason: str,
        source: str,
        lifts: str,
        stops: int | None = None,
        received_ms: int | None = None,
        doubtful_ms: int | None = None,
        own: bool = False,
    ) -> Ledger:
        keys = self.keys(digest)
        args = change(
            _member(channel, digest),
            on=on,
            reason=reason,
            source=source,
            at_ms=self._clock.now_ms(),
            lifts=lifts,
            stops=stops,
            received_ms=received_ms,
            own=own,
            doubtful_ms=doubtful_ms,
        )
        names = (keys.address(digest), keys.audit, keys.open_fan_outs)
        answer = self._scripts.run_durably("suppress", [(names, args)])[0]
        ledger = _ledger(answer)
        if ledger.overtaken or ledger.unclear:
            return ledger  # and what has overtaken it is carried to the patients by itself
        # Fanned out even where nothing changed: an earlier call may have been cut off here.
        return self._fan_out(channel, digest, ledger)

    def finish_open(self, now_ms: int) -> int:
        """Carry on what a crash cut off between the ledger and the patients; how many.

        Idle it costs one round trip.

        Args:
            now_ms: machine ms UTC; everything open for longer than ``GRACE_MS`` is looked at.
        """
        partitions = [PartitionKeys(number) for number in range(self._partitions)]
        found = self._scripts.read_before(
            [keys.open_fan_outs for keys in partitions], now_ms - GRACE_MS
        )
        for member in found:
            letter, _, digest = member.partition(":")
            channel: Channel = "sms" if letter == LETTER["sms"] else "email"
            record = self._scripts.read_hash(self.keys(digest).address(digest))
            ledger = Ledger(
                changed=False,
                sequence=int(record.get("q", 0)),
                on=record.get("x") == b"1",
                reason=record.get("y", b"").decode(),
                patients=patients_of(record),
            )
            self._fan_out(channel, digest, ledger)
        return len(found)

    def _fan_out(self, channel: Channel, digest: str, ledger: Ledger) -> Ledger:
        if ledger.sequence == 0:
            return ledger
        now_ms = self._clock.now_ms()
        calls: list[Call] = []
        for patient in ledger.patients:
            keys = PartitionKeys(partition_of(patient))
            field = "x" + LETTER[channel]
            args = (field, ledger.sequence, int(ledger.on), ledger.reason, patient, now_ms, digest)
            names = (keys.patient(patient), keys.due, keys.history(patient), keys.counts)
            calls.append((names, args))
        ended = []
        answers = self._scripts.run_durably("copy_suppression", calls)
        for patient, answer in zip(ledger.patients, answers, strict=True):
            ended += [f"{patient}.{int(number)}" for number in answer[1:]]
        address = self.keys(digest)
        self._scripts.run(
            "fanned_out",
            (address.address(digest), address.open_fan_outs),
            (_member(channel, digest), ledger.sequence),
        )
        return replace(ledger, ended=tuple(ended) if ledger.on else ())

    def join(self, digest: str, patient: str) -> str:
        """Enter a patient under an address; the suppression copy to start with, as stored.

        Done before the patient's record is made, so that an opt-out that comes between the two
        already finds the patient.
        """
        return self.join_all([(digest, patient)])[0]

    def join_all(self, pairs: Sequence[tuple[str, str]]) -> list[str]:
        """The same for many pairs of address and patient, with one wait for the disk."""
        joining = [self._asked(digest, patient) for digest, patient in pairs]
        copies = ask_together(partial(self._scripts.run_durably, "join_address"), joining)
        return [b"|".join(copy).decode() for copy in copies]

    def leave(self, digest: str, patient: str) -> None:
        """Take a patient out of an address's index; what is suppressed stays so."""
        keys = self.keys(digest)
        self._scripts.run_durably("leave_address", [((keys.address(digest),), (patient,))])

    def patients(self, digest: str) -> tuple[str, ...]:
        """Ids of the patients entered under an address (some may never have been completed)."""
        return patients_of(self._scripts.read_hash(self.keys(digest).address(digest)))

    def patients_of_all(self, digests: Sequence[str]) -> list[tuple[str, ...]]:
        """The same for many addresses, in one round trip."""
        asked = [self._asked(digest) for digest in digests]
        found = ask_together(partial(self._scripts.run_many, "patients_at"), asked)
        return [tuple(patient.decode() for patient in patients) for patients in found]

    def _asked(self, digest: str, *arguments: str) -> Asked:
        home = self.keys(digest)
        return Asked(home.partition, home.address(digest), arguments)


def _member(channel: Channel, digest: str) -> str:
    """An address in the index of fan-outs."""
    return f"{LETTER[channel]}:{digest}"


def _ledger(answer: Sequence[Any]) -> Ledger:
    """From what ``suppress.lua`` returns."""
    changed, sequence, on, reason, *patients = answer
    return Ledger(
        changed=changed == 1,
        sequence=int(sequence),
        on=on in (1, b"1"),
        reason=reason.decode(),
        patients=tuple(patient.decode() for patient in patients),
        overtaken=changed == _OVERTAKEN,
        unclear=changed == _UNCLEAR,
    )


def change(
    member: str,
    *,
    on: bool,
    reason: str,
    source: str,
    at_ms: int,
    lifts: str,
    stops: int | None = None,
    received_ms: int | None = None,
    own: bool = False,
    doubtful_ms: int | None = None,
) -> tuple[Argument, ...]:
    """What ``suppress.lua`` is told.

    Args:
        member: the address in the index of fan-outs.
        on: whether to suppress, or to lift.
        reason: for which.
        source: who says so.
        at_ms: business ms UTC.
        lifts: only these reasons, with commas between them; empty for any.
        stops: of a patient's start, how many stops of the address stood when it was recorded.
        received_ms: when that was received, where it is known.
        own: a stop of the patient's own that is no numbered reply.
        doubtful_ms: after when a stop makes the order of a start doubtful whose time is not known.
    """
    guard = (stops, received_ms, 1 if own else None, doubtful_ms)
    weights = (part for pair in WEIGHTS.items() for part in pair)
    told = ("" if each is None else each for each in guard)
    return (int(on), reason, source, at_ms, lifts, member, *told, *weights)


def patients_of(fields: Mapping[str, bytes]) -> tuple[str, ...]:
    """Ids of the patients entered under an address, from its record."""
    return tuple(field[2:] for field in fields if field.startswith("p:"))
