"""What waits for staff: urgent replies (escalations), replies to read, people to call.

A record is one hash in the partition of the address that it is about. Its fields: ``k`` kind,
``s`` state, ``a`` digest of the address, ``g`` clinic, ``p`` ids of the patients concerned, ``at``
when it was opened, ``n`` alerts so far, ``by`` who took or closed it, ``ta`` and ``ca`` when,
``c`` encrypted content. All times are machine ms UTC.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from service.clock import BusinessClock, MachineClock
from service.errors import AftervisitError, NotFound
from service.store.keyring import Index, KeyRing
from service.store.keys import PartitionKeys, is_task_id, partition_of, task_id
from service.store.scripts import Scripts

KEPT_MS: Final = 400 * 86_400_000
"""How long a closed task is kept, as long as the reply that it came from."""


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


ORDER: Final = {kind: place for place, kind in enumerate(TaskKind)}
"""The most pressing first."""


class TaskTaken(AftervisitError):
    """Somebody else has taken the task, or it is closed; nothing was changed."""


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
        by: who has taken or closed it, empty before.
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


class Tasks:
    """Opens tasks, lists them, and notes who takes them and who closes them; all durably."""

    def __init__(
        self,
        scripts: Scripts,
        keyring: KeyRing,
        index: Index,
        keys_of: Callable[[str], PartitionKeys],
        partitions: int,
        machine: MachineClock,
        business: BusinessClock,
    ) -> None:
        self._scripts = scripts
        self._keyring = keyring
        self._index = index
        self._keys_of = keys_of
        self._partitions = partitions
        self._machine = machine
        self._business = business

    def open(
        self,
        kind: TaskKind,
        address: str,
        *,
        clinic: str,
        patients: Sequence[str],
        once: str,
        content: Mapping[str, str],
        source: str,
        alert: bool = False,
    ) -> str:
        """Put something before staff; its id. Opened again under the same name, it is the same.

        Args:
            kind: what is asked for.
            address: digest of the address that it is about.
            clinic: id of the clinic that it is for.
            patients: ids of those concerned.
            once: whatever names it: a reply's id and the kind.
            content: what staff are shown; encrypted before it is stored.
            source: who opens it, for the audit.
            alert: whether staff are to be alerted at once.

        Raises:
            StoreUnavailable: it may not be open; ask again, it is idempotent.
        """
        keys = self._keys_of(address)
        name = task_id(keys.partition, self._index.digest("task", f"{kind}:{once}"))
        key = keys.task(name)
        now_ms = self._machine.now_ms()
        sealed = json.dumps(dict(content), ensure_ascii=False).encode()
        fields: dict[str, str | bytes] = {
            "a": address,
            "g": clinic,
            "p": ",".join(patients),
            "c": self._keyring.encrypt(sealed, key.encode()),
        }
        head = (now_ms, now_ms if alert else "", kind, source, self._business.now_ms())
        args = (*head, KEPT_MS, *(part for pair in fields.items() for part in pair))
        names = (key, keys.tasks, keys.alerts, keys.audit, keys.said(address))
        self._scripts.run_durably("open_task", [(names, args)])
        return name

    def waiting(self) -> list[Task]:
        """All that is not closed, the most pressing kind first, in it the oldest."""
        partitions = [PartitionKeys(number) for number in range(self._partitions)]
        names = self._scripts.read_before([keys.tasks for keys in partitions], 2**53, 100_000)
        return sorted(self._read(names), key=lambda task: (ORDER[task.kind], task.opened_ms))

    def find(self, identifier: str) -> Task:
        """A task by its id, closed ones too.

        Raises:
            NotFound: there is none, or it was closed long ago.
        """
        found = self._read([identifier]) if is_task_id(identifier) else []
        if not found:
            raise NotFound("There is no task with that id. `aftervisit inbox list` shows them.")
        return found[0]

    def content(self, task: Task) -> dict[str, str]:
        """What staff are shown of it, decrypted; empty where it was erased.

        Raises:
            KeyMissing: the key it was encrypted under is not in the ring.
        """
        key = _keys_of(task.id).task(task.id)
        return self._keyring.decrypt_texts(self._scripts.read_hash(key).get("c"), key.encode())

    def take(self, identifier: str, by: str) -> Task:
        """Note that somebody sees to it; the alerts end.

        Raises:
            NotFound: there is no such task.
            TaskTaken: somebody else was first, or it is closed.
        """
        return self._move(identifier, TaskState.TAKEN, by, "")

    def close(self, identifier: str, by: str, note: str = "") -> Task:
        """Note that nothing is left to do about it.

        Args:
            identifier: the task's.
            by: who closes it.
            note: one word for the audit, nothing of the patient's.

        Raises:
            NotFound: there is no such task.
            TaskTaken: it is closed already.
        """
        return self._move(identifier, TaskState.CLOSED, by, note)

    def _move(self, identifier: str, state: TaskState, by: str, note: str) -> Task:
        task = self.find(identifier)
        keys = _keys_of(identifier)
        names = (keys.task(identifier), keys.tasks, keys.alerts, keys.audit)
        args = (state, by, self._machine.now_ms(), KEPT_MS, self._business.now_ms(), note)
        answer = self._scripts.run_durably("move_task", [(names, args)])[0]
        if answer[0] != b"ok":
            stands, who = TaskState(answer[1].decode()), answer[2].decode()
            raise TaskTaken(f"The task {identifier} is {stands.word} by {who}; nothing changed.")
        return self.find(task.id)

    def to_alert(self, partition: int, limit: int) -> list[Task]:
        """Those of a partition of which staff are to be alerted now."""
        keys = PartitionKeys(partition)
        return self._read(self._scripts.read_before([keys.alerts], self._machine.now_ms(), limit))

    def alerting(self, task: Task, turn_s: float) -> None:
        """Note that this process alerts of a task; nobody else does for so many machine seconds."""
        keys = _keys_of(task.id)
        until_ms = self._machine.now_ms() + int(turn_s * 1000)
        self._scripts.run("put_off", (keys.alerts,), (task.id, until_ms))

    def alerted(self, task: Task, again_s: float | None) -> bool:
        """Note an alert; False where another worker was first, or it has been taken meanwhile.

        Args:
            task: as it was read.
            again_s: machine seconds until the next one; None for none.
        """
        keys = _keys_of(task.id)
        again = "" if again_s is None else self._machine.now_ms() + int(again_s * 1000)
        names = (keys.task(task.id), keys.alerts)
        return bool(self._scripts.run_durably("alerted", [(names, (task.alerts, again))])[0])

    def _read(self, names: Sequence[str]) -> list[Task]:
        records = self._scripts.read_hashes([_keys_of(name).task(name) for name in names])
        return [task_of(name, r) for name, r in zip(names, records, strict=True) if r]


def task_of(name: str, record: Mapping[bytes, bytes]) -> Task:
    """Read a task's record."""
    fields = {key.decode(): value for key, value in record.items() if key != b"c"}
    text = {key: value.decode() for key, value in fields.items()}
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


def _keys_of(name: str) -> PartitionKeys:
    return PartitionKeys(partition_of(name))
