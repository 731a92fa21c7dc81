"""A fresh installation on a real server, with clocks that a test sets by hand."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, time
from typing import Literal

import redis

from service.carriers.base import Receipt
from service.dispatch.parts import Stores
from service.dispatch.receipts import Receipts
from service.dispatch.stops import Stops
from service.store.changes import PatientChanges, Restart
from service.store.connection import Durability, connect
from service.store.dispatching import DispatchStore, Question
from service.store.flights import Beginning, Begun, Conclusion
from service.store.history import HistoryEntry
from service.store.installation import open_installation
from service.store.keyring import KeyRing
from service.store.keys import PartitionKeys, new_patient_id
from service.store.patients import Enrolled, Patients
from service.store.rates import Rates
from service.store.records import (
    Channel,
    Claimed,
    Patient,
    PatientFields,
    Status,
    Subscription,
    pack_subscription,
)
from service.store.replies import Replies
from service.store.responses import Responses
from service.store.scripts import Scripts, as_text
from service.store.suppressions import Suppressions
from service.store.tasks import Tasks
from tests.support.sets import Store

DAY = date(2026, 3, 2)
DUE = 1_772_470_800_000
"""Monday 2026-03-02 17:00 UTC, ms."""
LEASE_MS = 60_000
WEEK_MS = 7 * 86_400_000
SENDER = "+15005550006"
PHONE, MAILBOX = "+15035550100", "ana@example.org"


@dataclass
class SetClock:
    """A clock that stands until a test sets it."""

    ms: int = DUE

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000


@dataclass
class Installed:
    """Every part of the store, and short ways to use it."""

    client: redis.Redis
    scripts: Scripts
    dispatch: DispatchStore
    patients: Patients
    suppressions: Suppressions
    rates: Rates
    replies: Replies
    responses: Responses
    tasks: Tasks
    business: SetClock = field(default_factory=SetClock)
    machine: SetClock = field(default_factory=SetClock)
    partitions: int = 4
    wipe: Callable[[], None] = lambda: None

    @classmethod
    @contextmanager
    def fresh(cls, server: Store) -> Iterator[Installed]:
        """Wipe the server and install on it."""
        client = connect(server.url)
        server.flush()
        ring = KeyRing.generate()
        index = open_installation(client, ring, cls.partitions).index
        scripts = Scripts(client, Durability.of(client))
        business, machine = SetClock(), SetClock()
        suppressions = Suppressions(scripts, index, cls.partitions, business)
        yield cls(
            client,
            scripts,
            DispatchStore(scripts),
            Patients(client, scripts, ring, cls.partitions, business, os.urandom, index),
            suppressions,
            Rates(client, scripts, index, machine),
            Replies(
                client, scripts, ring, index, suppressions.keys, cls.partitions, machine, business
            ),
            Responses(
                scripts, ring, index, suppressions.digest, suppressions.keys, machine, business
            ),
            Tasks(scripts, ring, index, suppressions.keys, cls.partitions, machine, business),
            business,
            machine,
            wipe=server.flush,
        )
        client.close()

    def enrol(
        self,
        identifier: str | None = None,
        *,
        partition: int = 1,
        phone: str | None = PHONE,
        email: str | None = MAILBOX,
        channels: tuple[Channel, ...] = ("sms", "email"),
        series: str = "restless-legs",
        new: bool = True,
        due_ms: int = DUE,
    ) -> tuple[str, Enrolled]:
        """Enrol as the use case does: join the addresses, then create."""
        identifier = identifier or new_patient_id(partition, os.urandom)
        copies = self.join(identifier, phone, email)
        return identifier, self.create(
            identifier, copies, channels=channels, series=series, new=new, due_ms=due_ms
        )

    def join(self, identifier: str, phone: str | None, email: str | None) -> dict[Channel, str]:
        """Enter a patient under addresses; the copies to enrol with."""
        addresses: dict[Channel, str | None] = {"sms": phone, "email": email}
        return {
            channel: self.suppressions.join(self.digest(channel, address), identifier)
            for channel, address in addresses.items()
            if address
        }

    def create(
        self,
        identifier: str,
        copies: dict[Channel, str],
        *,
        channels: tuple[Channel, ...] = ("sms", "email"),
        series: str = "restless-legs",
        new: bool = True,
        due_ms: int = DUE,
    ) -> Enrolled:
        patient = Patient(
            id=identifier,
            clinic="riverside",
            given_name="Ana",
            phone=PHONE,
            email=MAILBOX,
            language="en",
            timezone="America/Los_Angeles",
            country="US",
            state="OR",
            bedtime=time(22, 30),
            channels=channels,
        )
        return self.patients.enrol(
            patient,
            new=new,
            subscription=pack_subscription(series, 1, DAY, DUE),
            series=series,
            due_ms=due_ms,
            consents=[{"channel": channel, "method": "verbal"} for channel in channels],
            copies={c: copy for c, copy in copies.items() if not copy.startswith("0|")},
            source="test",
        )

    def digest(self, channel: Channel, address: str) -> str:
        return self.suppressions.digest(channel, address)

    def suppress(
        self, channel: Channel = "sms", address: str = "", reason: str = "stop"
    ) -> tuple[str, ...]:
        """Suppress an address; the subscriptions it ended."""
        address = address or (PHONE if channel == "sms" else MAILBOX)
        digest = self.digest(channel, address)
        return self.suppressions.suppress(channel, digest, reason=reason, source="test").ended

    def lift(self, channel: Channel = "sms", address: str = "", *lifts: str) -> None:
        address = address or (PHONE if channel == "sms" else MAILBOX)
        digest = self.digest(channel, address)
        self.suppressions.lift(channel, digest, source="test", lifts=lifts or ("stop",))

    def claim(self, partition: int = 1, limit: int = 10) -> list[Claimed]:
        return self.dispatch.claim(partition, self.business.ms, limit, self.machine.ms + LEASE_MS)

    def claim_one(self, partition: int = 1) -> Claimed:
        (claimed,) = self.claim(partition)
        return claimed

    def beginning(
        self,
        claimed: Claimed,
        *,
        channel: Channel = "sms",
        cap_day: int | None = None,
        attempt: str = "",
    ) -> Beginning:
        return Beginning(
            claimed=claimed,
            attempt=attempt or self.patients.new_attempt(claimed.fields.id),
            channel=channel,
            lease_until_ms=self.machine.ms + LEASE_MS,
            cap_day=cap_day,
            begun_ms=self.machine.ms,
            body="digest",
        )

    def begin(self, beginning: Beginning) -> Begun:
        (answer,) = self.dispatch.begin([beginning])
        return answer

    def receive(self, receipt: Receipt) -> bool:
        """Apply a receipt as the webhook does; texts come from ``SENDER``."""
        stores = Stores(self.dispatch, self.patients, self.suppressions, self.rates, self.tasks)
        stops = Stops(self.rates, 50)
        return Receipts(stores, stops, lambda *_: SENDER, self.business).apply(receipt)

    def conclude(self, conclusion: Conclusion) -> bool:
        (done,) = self.dispatch.conclude([conclusion])
        return done

    def sweep(self, partition: int = 1) -> list[Question]:
        return self.dispatch.sweep(partition, self.machine.ms, 100, self.machine.ms + 3_000)

    def expire(self) -> None:
        """Let every lease run out."""
        self.machine.ms += LEASE_MS + 1

    def fields(self, patient: str) -> PatientFields:
        return self.patients.load(patient)

    def subscription(self, patient: str, number: int = 1) -> Subscription:
        found = self.fields(patient).subscription(number)
        assert found is not None
        return found

    def status(self, patient: str, number: int = 1) -> Status:
        return self.subscription(patient, number).status

    def set_status(
        self,
        patient: str,
        status: Status,
        allowed: Sequence[Status],
        number: int = 1,
        until_ms: int | None = None,
    ) -> Status | None:
        return self.patients.set_status(
            self.subscription(patient, number),
            status,
            allowed=allowed,
            source="test",
            reason="staff",
            until_ms=until_ms,
        )

    def stop_one(
        self, patient: str, number: int = 1, *, source: str = "staff:ida", undoable: bool = True
    ) -> Status | None:
        """Stop one subscription as staff do; where it may not be undone, as a patient does."""
        return self.patients.set_status(
            self.subscription(patient, number),
            Status.OPTED_OUT,
            allowed=[Status.ACTIVE, Status.PAUSED, Status.OPTED_OUT],
            source=source,
            reason="left",
            undoable=undoable,
        )

    def restart(self, patient: str, number: int = 1) -> Restart:
        """Undo that, within a week."""
        changes = PatientChanges(self.scripts, self.patients._keyring, self.business)
        subscription = self.subscription(patient, number)
        return changes.restart(subscription, within_ms=WEEK_MS, source="staff:ida")

    def place(self, member: str, partition: int = 1) -> set[str]:
        """In which of the two indexes a subscription stands."""
        keys = PartitionKeys(partition)
        names = {"due": keys.due, "held": keys.held}
        return {n for n, key in names.items() if self.client.zscore(key, member) is not None}

    def due_ms(self, member: str, partition: int = 1) -> int | None:
        score = self.client.zscore(PartitionKeys(partition).due, member)
        return None if score is None else int(score)

    def audited(self, partition: int) -> list[tuple[str, str]]:
        """What was changed, and by whom, in a partition."""
        rows = self.client.xrange(PartitionKeys(partition).audit) or []
        return [(as_text(fields[b"what"]), as_text(fields[b"by"])) for _, fields in rows if fields]

    def keys(self, pattern: str = "*") -> list[str]:
        """Every key that matches, on whichever server."""
        return sorted(as_text(key) for key in self.client.scan_iter(match=pattern))

    def dump(self) -> dict[str, bytes]:
        """Everything that is stored, to see that nothing changed."""
        return {name: self.client.dump(name) or b"" for name in self.keys()}


def ended(
    claimed: Claimed,
    where: Literal["due", "back", "hold", "question", "end"] = "due",
    *,
    when_ms: int = DUE,
    state: str = "",
    attempt: str = "",
    frees_day: bool = False,
) -> Conclusion:
    """The end of a flight; with a state it is recorded and the cursor moves on."""
    subscription = claimed.subscription
    entry = HistoryEntry(
        subscription=subscription.number,
        index=subscription.index,
        state=state,
        message="walking",
        channel="sms",
        due_ms=claimed.due_ms,
        at_ms=DUE,
        attempts=1,
        reason="accepted",
    )
    return Conclusion(
        subscription=subscription.id,
        token=claimed.token,
        expects="bq" if attempt else "c",
        where=where,
        when_ms=when_ms,
        cursor=(subscription.index + 1, 0) if state and subscription.again is None else None,
        again=subscription.again,
        entry=entry if state else None,
        attempt=attempt,
        frees_day=frees_day,
        provider_id="SM1" if state == "s" else "",
    )
