"""A task for staff as it is recorded, and the compact texts it is stored as.

A record is one hash in the partition of the address that it is about. Its fields: ``k`` kind,
``s`` state, ``a`` digest of the address, ``g`` clinic, ``p`` ids of the patients concerned, ``at``
when it was opened, ``n`` alerts so far, ``by`` who has it or closed it, ``ta`` and ``ca`` when,
``c`` encrypted content, ``nt`` encrypted notes. All times are machine ms UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class TaskKind(StrEnum):
    """What staff are asked for; the value is what is stored."""

    URGENT = "urgent"
    """A reply tells of something that may need care at once: an escalation."""
    WORSE = "worse"
    """A check-in is much worse than the ones before."""
    DIED = "died"
    """Somebody says that the patient has died."""
    WRONG_NUMBER = "wrong_number"
    """The number belongs to somebody else."""
    UNREACHABLE = "unreachable"
    """No channel reaches the patient any more."""
    ERASURE = "erasure"
    """A patient asks to be erased."""
    REPLY = "reply"
    """A reply that a person has to read."""

    @property
    def word(self) -> str:
        """For people: ``wrong number``."""
        return self.value.replace("_", " ")


class TaskState(StrEnum):
    """How far a task has come; the value is what is stored."""

    OPEN = "o"
    TAKEN = "t"
    CLOSED = "c"

    @property
    def word(self) -> str:
        """For people: ``open``."""
        return self.name.lower()


_ENCRYPTED: Final = frozenset({b"c", b"nt"})
ORDER: Final = {kind: place for place, kind in enumerate(TaskKind)}
"""The most pressing first."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for staff.

    Attributes:
        id: partition letters and digits; fit for logs and command lines.
        address: digest of the address that it is about.
        clinic: id of the clinic that it is for.
        patients: ids of those concerned; several may share a phone.
        opened_ms: machine ms UTC.
        alerts: how often staff have been alerted.
        by: who has it, or closed it; empty where nobody has.
    """

    id: str
    kind: TaskKind
    state: TaskState
    address: str
    clinic: str
    patients: tuple[str, ...]
    opened_ms: int
    alerts: int
    by: str


@dataclass(frozen=True, slots=True)
class Note:
    """What a member of staff wrote when they closed a task.

    Attributes:
        at_ms: business ms UTC.
        by: who.
    """

    at_ms: int
    by: str
    text: str


def task_of(name: str, record: Mapping[bytes, bytes]) -> Task:
    """Read a task's record."""
    text = {key.decode(): value.decode() for key, value in record.items() if key not in _ENCRYPTED}
    return Task(
        id=name,
        kind=TaskKind(text["k"]),
        state=TaskState(text["s"]),
        address=text["a"],
        clinic=text["g"],
        patients=tuple(filter(None, text["p"].split(","))),
        opened_ms=int(text["at"]),
        alerts=int(text["n"]),
        by=text.get("by", ""),
    )
