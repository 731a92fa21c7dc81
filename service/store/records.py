"""The records of one patient as Python values, and the compact texts they are stored as.

A patient is one hash (see ``keys.PartitionKeys.patient``). Its fields: ``c`` encrypted contact,
``h`` channels with consent, ``s<n>`` subscription, ``u<n>`` its status, ``k<n>`` its cursor,
``f<n>`` its flight, ``a<n>.<step>`` a delivery tried again, ``b<n>`` when one of those wants to be
looked at, ``d<n>`` when its pause ends, ``l<n>`` when it was left by itself and, where staff may
undo that, what it goes back to,
``g<n>`` steps that are over before their turn, ``m<n>`` what it went on as, ``t<n>`` the clinic's
number under which it is counted, ``y<n>`` the pause that an opt-out ended, ``w<n>`` leases that
ran out, ``r`` local days of recent drips, ``xs``/``xe`` suppression copies, ``ns``/``ne`` and
all links to the patient's page were ended, and of somebody who was erased nothing but ``z``, when.
Nothing outside ``c`` tells who somebody is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from typing import Literal

from service.store.keys import split_subscription
from service.store.subscription import (
    Again,
    Flight,
    FlightState,
    Status,
    Subscription,
    pack_subscription,
)

__all__ = [
    "CHANNELS",
    "LETTER",
    "Again",
    "Channel",
    "Claimed",
    "Flight",
    "FlightState",
    "Patient",
    "PatientFields",
    "Status",
    "Subscription",
    "SuppressionCopy",
    "pack_subscription",
]

Channel = Literal["sms", "email"]
CHANNELS: tuple[Channel, ...] = ("sms", "email")
LETTER: dict[Channel, str] = {"sms": "s", "email": "e"}
_CONTACT = (
    *("clinic", "given_name", "phone", "email", "language", "timezone", "country", "state"),
    *("bedtime", "channels", "prefers"),
)
"""Places of a contact's row: without names in every record it takes half the memory.
Places at the end that are empty are left out, so that a later one costs only those who use it."""


compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""A value as the shortest JSON; made once, as an encoder takes longer to make than to use."""


@dataclass(frozen=True, slots=True)
class Patient:
    """Who the messages are for. Encrypted at rest; never logged.

    Attributes:
        channels: those with consent evidence on record.
        bedtime: local wall time.
        prefers: a channel that everything is to come by while it reaches the patient; None: each
            message by its own.
    """

    id: str
    clinic: str
    given_name: str
    phone: str | None
    email: str | None
    language: str
    timezone: str
    country: str
    state: str | None
    bedtime: time
    channels: tuple[Channel, ...]
    prefers: Channel | None = None

    def address(self, channel: Channel) -> str | None:
        """The normalised address of a channel."""
        return self.phone if channel == "sms" else self.email

    def pack(self) -> bytes:
        """The contact to be encrypted: a JSON array, whose places are those of ``_CONTACT``."""
        written = {
            "bedtime": self.bedtime.strftime("%H:%M"),
            "channels": "".join(LETTER[channel] for channel in self.channels),
        }
        row = [written[n] if n in written else getattr(self, n) for n in _CONTACT]
        while row[-1] is None:
            del row[-1]
        return compact(row).encode()

    @classmethod
    def unpack(cls, identifier: str, packed: bytes) -> Patient:
        """Read what ``pack`` wrote, or wrote before its rows: an object without what is empty."""
        read = json.loads(packed)
        fields = read if isinstance(read, dict) else dict(zip(_CONTACT, read, strict=False))
        return cls(
            id=identifier,
            clinic=fields["clinic"],
            given_name=fields["given_name"],
            phone=fields.get("phone"),
            email=fields.get("email"),
            language=fields["language"],
            timezone=fields["timezone"],
            country=fields["country"],
            state=fields.get("state"),
            bedtime=_wall_time(fields["bedtime"]),
            channels=_channels(fields["channels"]),
            prefers=fields.get("prefers"),
        )


@lru_cache(maxsize=1440)
def _wall_time(text: str) -> time:
    hour, minute = text.split(":")
    return time(int(hour), int(minute))


@lru_cache(maxsize=16)
def _channels(letters: str) -> tuple[Channel, ...]:
    return tuple(channel for channel in CHANNELS if LETTER[channel] in letters)


@lru_cache(maxsize=1024)
def _places(text: str) -> frozenset[int]:
    return frozenset(int(place) for place in text.split(",") if place)


def _ms(text: str | None) -> int | None:
    return None if text is None else int(float(text))


@dataclass(frozen=True, slots=True)
class SuppressionCopy:
    """What a patient's own partition knows of an address's suppression."""

    sequence: int
    on: bool
    reason: str

    @classmethod
    def unpack(cls, packed: str) -> SuppressionCopy:
        """Read ``sequence|1 or 0|reason``."""
        sequence, on, reason = packed.split("|", 2)
        return cls(int(sequence), on == "1", reason)


@dataclass(frozen=True, slots=True)
class PatientFields:
    """A patient's hash, decoded only as far as asked; built from one ``HGETALL``."""

    id: str
    fields: Mapping[str, bytes]

    @classmethod
    def of(cls, identifier: str, flat: Mapping[bytes, bytes] | list[bytes]) -> PatientFields:
        """From a reply of Redis: a mapping, or the flat list that a script returns."""
        pairs = (
            flat.items() if isinstance(flat, Mapping) else zip(flat[::2], flat[1::2], strict=True)
        )
        return cls(identifier, {key.decode(): value for key, value in pairs})

    @property
    def exists(self) -> bool:
        """Whether there is such a patient (a suppression copy may stand there before one)."""
        return "c" in self.fields

    @property
    def erased(self) -> bool:
        """Whether there was such a patient, who was erased."""
        return "z" in self.fields

    @property
    def enrolled_ms(self) -> int:
        """When they were first enrolled, business ms UTC; 0 where they are in no series."""
        return min((each.enrolled_ms for each in self.subscriptions()), default=0)

    def text(self, field: str) -> str | None:
        """One field as text."""
        value = self.fields.get(field)
        return None if value is None else value.decode()

    @property
    def links_ended(self) -> int:
        """How often all links to the patient's page were made dead."""
        return int(self.text("e") or 0)

    def suppression(self, channel: Channel) -> SuppressionCopy | None:
        """The copy for a channel, if that address was ever suppressed."""
        packed = self.text("x" + LETTER[channel])
        return SuppressionCopy.unpack(packed) if packed else None

    def corrected_ms(self, channel: Channel) -> int:
        """When the address of a channel was last corrected, machine ms UTC; 0 where it never was.

        What was begun before then went to another address.
        """
        return int((self.text("n" + LETTER[channel]) or "|0").rpartition("|")[2])

    def reachable(self) -> frozenset[Channel]:
        """Channels with consent and without suppression."""
        consented = self.text("h") or ""
        reached: set[Channel] = set()
        for channel in CHANNELS:
            copy = self.suppression(channel)
            if LETTER[channel] in consented and not (copy and copy.on):
                reached.add(channel)
        return frozenset(reached)

    def recent_drips(self) -> tuple[date, ...]:
        """Local dates of the patient's latest drips."""
        days = self.text("r") or ""
        return tuple(date.fromordinal(int(day)) for day in days.split(",") if day)

    def trend(self) -> str | None:
        """Where the patient's check-ins are going, None before the first."""
        return (self.text("v") or "").partition("|")[0] or None

    def subscription(self, number: int) -> Subscription | None:
        """One subscription by its number."""
        packed = self.text(f"s{number}")
        if packed is None:
            return None
        series, version, start, enrolled = packed.split("|")
        index, attempts, failures = [*(self.text(f"k{number}") or "0|0").split("|"), "0"][:3]
        flight, went_on = self.text(f"f{number}"), self.text(f"m{number}")
        left, _, way_back = (self.text(f"l{number}") or "").partition("|")
        status = Status(self.text(f"u{number}") or "n")
        if went_on and status is Status.COMPLETED:
            status = Status.MOVED
        return Subscription(
            patient=self.id,
            number=number,
            series=series,
            version=int(version),
            start=date.fromisoformat(start),
            enrolled_ms=int(enrolled),
            status=status,
            index=int(index),
            attempts=int(attempts),
            lost_leases=int(self.text(f"w{number}") or 0),
            flight=Flight.unpack(flight) if flight else None,
            failures=int(failures),
            until_ms=_ms(self.text(f"d{number}")),
            left=bool(left),
            undoable_ms=int(left) if way_back else None,
            done=_places(self.text(f"g{number}") or ""),
            moved_to=int(went_on.partition("|")[0]) if went_on else None,
        )

    def again(self, number: int) -> list[Again]:
        """Deliveries of a subscription that are to be tried once more, earliest first."""
        prefix = f"a{number}."
        found = [
            Again.unpack(int(field.removeprefix(prefix)), value.decode())
            for field, value in self.fields.items()
            if field[0] == "a" and field.startswith(prefix)
        ]
        return sorted(found, key=lambda one: (one.from_ms, one.index))

    def numbers(self) -> list[int]:
        """The numbers of the patient's subscriptions, oldest first."""
        return sorted(int(f[1:]) for f in self.fields if f[0] == "s" and f[1:].isdigit())

    def subscriptions(self) -> Iterator[Subscription]:
        """All of them, oldest first."""
        for number in self.numbers():
            found = self.subscription(number)
            if found is not None:
                yield found


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claimed subscription with the whole record of its patient.

    Attributes:
        token: fencing token; a record under another one is refused.
        due_ms: the due time it was claimed at.
    """

    fields: PatientFields
    subscription: Subscription
    token: int
    due_ms: int

    @classmethod
    def of(cls, member: str, token: int, due: int, record: Mapping[bytes, bytes]) -> Claimed:
        """From the reply of ``claim.lua``, and the patient's hash."""
        patient, number = split_subscription(member)
        fields = PatientFields.of(patient, record)
        subscription = fields.subscription(number)
        if subscription is None:
            raise LookupError(f"subscription {member} is in the due index but has no record")
        return cls(fields, subscription, token, due)
