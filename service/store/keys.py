"""Names of everything in Redis, and the ids that tell which partition a thing lives in.

All of one patient hashes to one partition by its hash tag (``{p17}``), so that every atomic step is
one script on one slot of a cluster. An id begins with its partition, so that no look-up is needed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letter that reads like a digit."""
_LETTERS = bytes(ord(ALPHABET[byte & 31]) for byte in range(256))
PATIENT_RANDOM = 10
ATTEMPT_RANDOM = 24
TASK_RANDOM = 10
MEMBER_RANDOM = 12

INSTALLATION = "av:installation"
CLOCK = "av:clock"
LEADER = "av:beat"
LAST_TICK = "av:tick"
GAP = "av:gap"
LISTENING = "av:listening"
LISTING = "av:listing"
MIGRATIONS = "av:migrations"
OPEN_MIGRATIONS = "av:migrations:open"
CLINIC_NUMBERS = "av:clinics"
ADDED_COUNTS = "{counts}:added"
"""The counts of all partitions added up share a hash tag, so that a batch is added in one step."""

RandomBytes = Callable[[int], bytes]


class RandomPool:
    """Random bytes of the system's, asked for a page at a time: its calls cost more than an id.

    A forked child asks anew, so that no two processes ever hand out the same bytes.
    """

    def __init__(self, source: RandomBytes, page: int = 4096) -> None:
        self._source = source
        self._page = page
        self._rest = b""
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._forget)

    def __call__(self, count: int) -> bytes:
        """That many bytes, never handed out before."""
        with self._lock:
            if len(self._rest) < count:
                self._rest = self._source(max(self._page, count))
            given, self._rest = self._rest[:count], self._rest[count:]
        return given

    def _forget(self) -> None:
        self._rest = b""
        self._lock = threading.Lock()


system_random = RandomPool(os.urandom)
"""This process's own."""


def letters(given: bytes) -> str:
    """As many letters of `ALPHABET` as there are bytes; five bits of each are kept."""
    return given.translate(_LETTERS).decode("ascii")


def _partition_prefix(partition: int) -> str:
    """The two letters that an id begins with."""
    return ALPHABET[partition >> 5] + ALPHABET[partition & 31]


def new_patient_id(partition: int, source: RandomBytes) -> str:
    """A patient id of 12 letters, the first two naming the partition."""
    return _partition_prefix(partition) + letters(source(PATIENT_RANDOM))


def new_attempt_id(partition: int, source: RandomBytes) -> str:
    """An opaque attempt id of 120 random bits, the first two letters naming the partition."""
    return _partition_prefix(partition) + letters(source(ATTEMPT_RANDOM))


def task_id(partition: int, digest: str) -> str:
    """The id of a task for staff, of the digest of its name; it can be said on the phone."""
    number = int.from_bytes(digest.encode(), "big")
    places = (ALPHABET[(number >> (5 * place)) & 31] for place in range(TASK_RANDOM))
    return _partition_prefix(partition) + "".join(places)


def new_member_id(source: RandomBytes) -> str:
    """An id for a member of staff: 60 random bits."""
    return letters(source(MEMBER_RANDOM))


def partition_of(identifier: str) -> int:
    """The partition an id names.

    Raises:
        ValueError: the text is no id of ours.
    """
    if len(identifier) < 2 + PATIENT_RANDOM or not identifier.replace(".", "").isalnum():
        raise ValueError("not an id of this service")
    return ALPHABET.index(identifier[0]) << 5 | ALPHABET.index(identifier[1])


def is_patient_id(text: str) -> bool:
    """Whether a text has the shape of a patient id."""
    return _is_id(text, PATIENT_RANDOM)


def is_attempt_id(text: str) -> bool:
    """Whether a text has the shape of an attempt id."""
    return _is_id(text, ATTEMPT_RANDOM)


def is_task_id(text: str) -> bool:
    """Whether a text has the shape of a task's id."""
    return _is_id(text, TASK_RANDOM)


def is_member_id(text: str) -> bool:
    """Whether a text has the shape of a member's id."""
    return _is_id(text, MEMBER_RANDOM - 2)


def _is_id(text: str, random: int) -> bool:
    return len(text) == 2 + random and all(letter in ALPHABET for letter in text)


def split_subscription(subscription: str) -> tuple[str, int]:
    """``patient.n`` as patient id and subscription number."""
    patient, _, number = subscription.partition(".")
    return patient, int(number)


@dataclass(frozen=True, slots=True)
class PartitionKeys:
    """The keys of one partition."""

    partition: int

    @property
    def tag(self) -> str:
        """The hash tag every key of the partition begins with."""
        return f"{{p{self.partition}}}"

    @property
    def due(self) -> str:
        """Sorted set: subscription by business due time, ms UTC."""
        return f"{self.tag}:due"

    @property
    def held(self) -> str:
        """Sorted set: subscription by the machine ms UTC at which its flight is looked at."""
        return f"{self.tag}:held"

    @property
    def fence(self) -> str:
        """Counter of fencing tokens."""
        return f"{self.tag}:fence"

    @property
    def queued(self) -> str:
        """Marker, with expiry, that a drain task for the partition waits in the broker."""
        return f"{self.tag}:queued"

    @property
    def audit(self) -> str:
        """Stream: what was changed by whom."""
        return f"{self.tag}:audit"

    @property
    def dead_letters(self) -> str:
        """Sorted set: deliveries (``patient.n.step``) that staff should look at, by business ms."""
        return f"{self.tag}:dead"

    @property
    def afterwards(self) -> str:
        """Sorted set: attempts about which something is left to do, by machine ms UTC.

        ``x:<attempt>``: proof of an unknown outcome is looked for on; ``d:<attempt>``: it is over,
        and its text is to be redacted at the provider.
        """
        return f"{self.tag}:after"

    @property
    def open_replies(self) -> str:
        """Sorted set: replies whose effects may not be complete, by machine ms UTC of receipt."""
        return f"{self.tag}:open"

    @property
    def open_corrections(self) -> str:
        """Sorted set: replies whose correction may not be complete, by machine ms UTC."""
        return f"{self.tag}:fix"

    @property
    def open_fan_outs(self) -> str:
        """Sorted set: suppressions not yet carried to all patients, by the server's ms UTC."""
        return f"{self.tag}:fan"

    @property
    def responses(self) -> str:
        """Sorted set: messages outside of a series, by the machine ms UTC they are looked at."""
        return f"{self.tag}:out"

    @property
    def tasks(self) -> str:
        """Sorted set: tasks for staff that are not closed, by the machine ms UTC they are of."""
        return f"{self.tag}:tasks"

    @property
    def alerts(self) -> str:
        """Sorted set: tasks of which staff are to be alerted, by machine ms UTC."""
        return f"{self.tag}:alerts"

    @property
    def counts(self) -> str:
        """Hash: what was counted in the partition and is not added up yet."""
        return f"{self.tag}:counts"

    @property
    def taken_counts(self) -> str:
        """Hash: a batch of those that is being added up."""
        return f"{self.tag}:taken"

    def task(self, identifier: str) -> str:
        """Hash: one task for staff, in the partition of the address it is about."""
        return f"{self.tag}:k:{identifier}"

    def response(self, identifier: str) -> str:
        """Hash with expiry: one message outside of a series, in its address's partition."""
        return f"{self.tag}:m:{identifier}"

    def patient(self, patient: str) -> str:
        """Hash: contact, subscriptions, cursors, flights, suppression copies."""
        return f"{self.tag}:p:{patient}"

    def history(self, patient: str) -> str:
        """Hash: one packed entry a delivery."""
        return f"{self.tag}:h:{patient}"

    def consents(self, patient: str) -> str:
        """List: encrypted consent evidence, oldest first."""
        return f"{self.tag}:c:{patient}"

    def listed(self, listed: str) -> str:
        """String: ids of the patients of a clinic, or of those there who have one name."""
        return f"{self.tag}:l:{listed}"

    def answered(self, address: str) -> str:
        """String with expiry: the task of an address that got the day's automatic answer."""
        return f"{self.tag}:o:{address}"

    def scope(self, address: str) -> str:
        """String with expiry: the series that an address may keep, asked after a STOP."""
        return f"{self.tag}:q:{address}"

    def check_ins(self, patient: str) -> str:
        """Hash: the patient's ratings, encrypted, each by the reply that holds it."""
        return f"{self.tag}:v:{patient}"

    def attempt(self, attempt: str) -> str:
        """Hash with expiry: one provider call."""
        return f"{self.tag}:t:{attempt}"

    def address(self, address: str) -> str:
        """Hash: the suppression record of an address and the patients who use it."""
        return f"{self.tag}:a:{address}"

    def join(self, join: str) -> str:
        """Hash with expiry: one who asked to join, in the partition of their first address."""
        return f"{self.tag}:j:{join}"

    def awaited(self, address: str) -> str:
        """String with expiry: the join that the next YES from a phone is for."""
        return f"{self.tag}:y:{address}"

    def reply(self, message_id: str) -> str:
        """Hash: one inbound message, by the hash of the provider's id."""
        return f"{self.tag}:r:{message_id}"

    def said(self, address: str) -> str:
        """Sorted set with expiry: what was said by or to an address, by business ms UTC.

        ``r:<reply>``, ``m:<response>``, ``k:<task>``.
        """
        return f"{self.tag}:i:{address}"

    def mail(self, message_id: str) -> str:
        """Hash: one e-mail that came back, by the hash of its id and recipient."""
        return f"{self.tag}:e:{message_id}"

    def look(self, look: str) -> str:
        """String with expiry: that a look at a patient (``patient:by``) has been noted lately."""
        return f"{self.tag}:w:{look}"

    def bounces(self, address: str) -> str:
        """Sorted set with expiry: attempts that a mailbox bounced for now, by business ms."""
        return f"{self.tag}:b:{address}"


class StaffKeys:
    """The keys of the accounts of staff. They are few: all stand in one slot, by a tag of its own.

    So that each change of an account and its entry in the audit are one script, as patients' are.
    """

    tag = "{staff}"
    audit = f"{tag}:audit"
    """Stream: what was done to accounts by whom, sign-ins included; entries as a partition's."""
    emails = f"{tag}:emails"
    """Hash: keyed hash of an e-mail address -> id of the member who has it."""

    @classmethod
    def member(cls, member: str) -> str:
        """Hash: one member of staff."""
        return f"{cls.tag}:u:{member}"

    @classmethod
    def session(cls, token: str) -> str:
        """Hash with expiry: a session, or a sign-in that was begun, by the digest of its token."""
        return f"{cls.tag}:s:{token}"

    @classmethod
    def sessions(cls, member: str) -> str:
        """Sorted set with expiry: digests of a member's sessions, by machine ms UTC of start."""
        return f"{cls.tag}:l:{member}"


def sums(clinic: str, period: str) -> str:
    """Hash: what was counted for a clinic's number (``*``: for all) in a period, see `Counts`."""
    return f"{{counts}}:{clinic}:{period}"


def rate(sender: str) -> str:
    """What all workers share of a sender (named by a keyed hash, never by its number)."""
    return f"av:rate:{sender}"


def migration(identifier: str) -> str:
    """Hash: a migration of patients to another version of a series, and how far it is."""
    return f"av:migration:{identifier}"


def limit(name: str, digest: str) -> str:
    """List, expires: when something limited was done lately, by the keyed hash of whom or what."""
    return f"av:limit:{name}:{digest}"
