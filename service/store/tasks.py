"""What waits for staff: urgent replies (escalations), replies to read, people to call.

``task_records`` tells how a task is stored, ``worklist`` reads those that wait a page at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from service.clock import BusinessClock, MachineClock
from service.errors import AftervisitError, NotFound, StoreUnavailable
from service.store.keyring import Index, KeyMissing, KeyRing, Tampered
from service.store.keys import PartitionKeys, is_task_id, partition_of, task_id
from service.store.scripts import Scripts
from service.store.task_records import ORDER, Note, Task, TaskKind, TaskState, task_of

__all__ = ["ORDER", "Note", "Task", "TaskKind", "TaskState", "TaskTaken", "Tasks", "task_of"]

log = structlog.get_logger(__name__)

KEPT_MS: Final = 400 * 86_400_000
"""How long a closed task is kept, as long as the reply that it came from."""
ALERTED_OF_AGAIN: Final = frozenset({TaskKind.URGENT})
"""Where nobody sees to one of these any more, staff are alerted as if it were new."""
TRIES: Final = 5


class TaskTaken(AftervisitError):
    """Somebody else has taken the task, or it is closed; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A task that stands open, or did.

    Attributes:
        id: the task's.
        answered: whether it is the one of its address that is answered automatically.
    """

    id: str
    answered: bool


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
        answered_ms: int | None = None,
    ) -> Opened:
        """Put something before staff. Opened again under the same name, it is the same.

        Args:
            kind: what is asked for.
            address: digest of the address that it is about.
            clinic: id of the clinic that it is for.
            patients: ids of those concerned.
            once: whatever names it: a reply's id and the kind.
            content: what staff are shown; encrypted before it is stored.
            source: who opens it, for the audit.
            alert: whether staff are to be alerted at once.
            answered_ms: for how long (machine ms) one task of the address is answered
                automatically, the first that asks; None where this one does not ask.

        Raises:
            StoreUnavailable: it may not be open; ask again, it is idempotent.
        """
        keys, name = self._keys_of(address), self.name_of(kind, address, once)
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
        span = "" if answered_ms is None else answered_ms
        args = (*head, KEPT_MS, span, *(part for pair in fields.items() for part in pair))
        lists = (
            *(keys.tasks, keys.alerts, keys.audit, keys.said(address), keys.answered(address)),
            keys.task_rows,
        )
        answer = self._scripts.run_durably("open_task", [((key, *lists), args)])[0]
        return Opened(name, answered=bool(answer[1]))

    def name_of(self, kind: TaskKind, address: str, once: str) -> str:
        """The id of a task, whether it was opened or not."""
        digest = self._index.digest("task", f"{kind}:{once}")
        return task_id(self._keys_of(address).partition, digest)

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

    def contents(self, tasks: Sequence[Task]) -> list[dict[str, str]]:
        """The same of several, in one round trip; empty too where one cannot be read."""
        found: list[dict[str, str]] = []
        names = [_keys_of(task.id).task(task.id) for task in tasks]
        for key, record in zip(names, self._scripts.read_hashes(names), strict=True):
            try:
                found.append(self._keyring.decrypt_texts(record.get(b"c"), key.encode()))
            except (KeyMissing, Tampered) as error:
                log.error("task_unreadable", task=key.rpartition(":")[2], fault=str(error))
                found.append({})
        return found

    def notes(self, task: Task) -> list[Note]:
        """What was written when it was closed, oldest first; empty where it was erased.

        Raises:
            KeyMissing: the key they were encrypted under is not in the ring.
        """
        return self._opened(task.id, self._sealed_notes(task.id))

    def take(self, identifier: str, by: str) -> Task:
        """Note that somebody sees to it; the alerts end.

        Raises:
            NotFound: there is no such task.
            TaskTaken: somebody else was first, or it is closed.
        """
        return self.assign(identifier, by, by=by, had="")

    def assign(self, identifier: str, to: str, *, by: str, had: str) -> Task:
        """Note who sees to it; where nobody does any more, staff are alerted of an urgent one.

        Args:
            identifier: the task's.
            to: who has it from now on, empty for nobody.
            by: who says so, for the audit.
            had: who had it when that was decided, empty for nobody; where somebody else has it
                now, nothing is changed.

        Raises:
            NotFound: there is no such task.
            TaskTaken: somebody else has it, or it is closed.
        """
        return self._move(identifier, "t" if to else "o", to, by=by, word=to, had=had)

    def close(self, identifier: str, by: str, word: str = "", note: str = "") -> Task:
        """Note that nothing is left to do about it.

        Args:
            identifier: the task's.
            by: who closes it.
            word: one word for the audit, nothing of the patient's.
            note: what was done, for colleagues; encrypted before it is stored.

        Raises:
            NotFound: there is no such task.
            TaskTaken: it is closed already.
        """
        return self._move(identifier, "c", by, by=by, word=word, note=note)

    def reopen(self, identifier: str, by: str) -> Task:
        """Note that something is left to do after all; nobody has it then.

        Raises:
            NotFound: there is no such task, or it was closed long ago.
        """
        return self._move(identifier, "r", "", by=by)

    def _move(
        self,
        identifier: str,
        move: str,
        to: str,
        *,
        by: str,
        word: str = "",
        had: str = "*",
        note: str = "",
    ) -> Task:
        task = self.find(identifier)
        keys = _keys_of(identifier)
        names = (keys.task(identifier), keys.tasks, keys.alerts, keys.audit, keys.task_rows)
        for _ in range(TRIES):
            known, now_ms = self._sealed_notes(identifier) if note else b"", self._business.now_ms()
            notes = self._noted(identifier, known, Note(now_ms, by, note)) if note else b""
            told = (move, to, self._machine.now_ms(), KEPT_MS, now_ms, word, by, had)
            args = (*told, known, notes, int(task.kind in ALERTED_OF_AGAIN))
            became, state, who = self._scripts.run_durably("move_task", [(names, args)])[0]
            if became == b"ok":
                return self.find(identifier)
            if became == b"refused":
                stands, who = TaskState(state.decode()).word, who.decode()
                whose = f"{stands} by {who}" if who else stands
                raise TaskTaken(f"The task {identifier} is {whose}; nothing changed.")
            if became == b"gone":
                raise NotFound("There is no such task any more.")
        raise StoreUnavailable("The task's notes keep changing; try again.")

    def _sealed_notes(self, identifier: str) -> bytes:
        return self._scripts.read_hash(_keys_of(identifier).task(identifier)).get("nt", b"")

    def _noted(self, identifier: str, known: bytes, note: Note) -> bytes:
        rows = [[each.at_ms, each.by, each.text] for each in self._opened(identifier, known)]
        rows.append([note.at_ms, note.by, note.text])
        key = _keys_of(identifier).task(identifier)
        return self._keyring.encrypt(json.dumps(rows, ensure_ascii=False).encode(), key.encode())

    def _opened(self, identifier: str, sealed: bytes) -> list[Note]:
        key = _keys_of(identifier).task(identifier)
        rows = json.loads(self._keyring.decrypt(sealed, key.encode())) if sealed else []
        return [Note(*row) for row in rows]

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


def _keys_of(name: str) -> PartitionKeys:
    return PartitionKeys(partition_of(name))
