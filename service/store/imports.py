"""Files of patients that are imported: how each stands, its parts, and who works on it.

An import is one hash; the parts of its file and of its rejected rows are hashes of their own that
vanish by themselves, since they hold patients in bulk. All stand in one slot, so that each step is
one script. Fields of an import: ``s`` state, ``at`` when, ``by`` who, ``d`` keyed digest of
the file, ``c`` its name, digest and terms, encrypted; ``z`` rows, ``u`` parts of the file, ``x``
parts of what was rejected, ``q`` the row up to which it has been carried out, ``n`` the tally,
``k`` parts of what its check found, ``lt`` and ``lu`` the lease.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import redis

from service.clock import BusinessClock, MachineClock
from service.errors import NotFound
from service.store.connection import store_errors
from service.store.import_records import Import, ImportState, Progress
from service.store.keyring import Index, KeyRing
from service.store.keys import ImportKeys, RandomBytes, is_patient_id, new_patient_id
from service.store.scripts import Argument, Scripts, as_bytes, as_text

UNCONFIRMED_MS: Final = 86_400_000
"""A file that nobody confirms is kept for a day."""
KEPT_MS: Final = 7 * 86_400_000
"""The rows of a file, and those that were rejected, are kept for a week."""
LEASE_MS: Final = 6_000
"""A worker that did not get on with an import for so long is gone."""
LATEST: Final = 500
"""Earlier imports that are listed at most."""


class ImportStore:
    """Keeps imports; texts of theirs are encrypted with the key ring."""

    def __init__(
        self,
        client: redis.Redis,
        scripts: Scripts,
        keyring: KeyRing,
        index: Index,
        random: RandomBytes,
        machine: MachineClock,
        business: BusinessClock,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._keyring = keyring
        self._index = index
        self._random = random
        self._machine = machine
        self._business = business

    def new_id(self) -> str:
        """A fresh id, of the shape that a patient's has."""
        return new_patient_id(0, self._random)

    def keep(
        self, identifier: str, told: Mapping[str, str], *, by: str, rows: int, parts: int
    ) -> Import:
        """Keep a file that came; for a day, unless it is imported.

        Args:
            identifier: a new id.
            told: its ``name``, ``digest``, ``terms``, ``shape`` and ``earlier``.
            by: who brought it.
            rows: how many it has.
            parts: that were kept of it.
        """
        key, at, digest = ImportKeys.record(identifier), self._business.now_ms(), told["digest"]
        fields: list[Argument] = ["s", ImportState.RECEIVED.value, "at", at, "by", by]
        fields += [
            "d",
            self._blind(digest),
            "c",
            self._keyring.encrypt(json.dumps(dict(told)).encode(), key.encode()),
        ]
        fields += ["z", rows, "u", parts]
        call = ((key, ImportKeys.latest), (identifier, at, UNCONFIRMED_MS, *fields))
        self._scripts.run_durably("keep_import", [call])
        return self.load(identifier)

    def _blind(self, digest: str) -> str:
        return self._index.digest("file", digest)

    def find(self, identifier: str) -> Import | None:
        """An import, None where there is none of that id."""
        if not is_patient_id(identifier):
            return None
        return self._read(identifier, self._scripts.read_hash(ImportKeys.record(identifier)))

    def load(self, identifier: str) -> Import:
        """An import.

        Raises:
            NotFound: there is none of that id.
        """
        found = self.find(identifier)
        if found is None:
            raise NotFound("There is no import with that id.")
        return found

    def latest(self) -> list[Import]:
        """The newest imports, the newest first."""
        with store_errors(self._client):
            pipeline = self._client.pipeline(transaction=False)
            pipeline.zrevrange(ImportKeys.latest, 0, LATEST - 1)
            names = [as_text(name) for name in pipeline.execute()[0]]
        records = self._scripts.read_hashes([ImportKeys.record(name) for name in names])
        found = []
        for name, record in zip(names, records, strict=True):
            fields = {as_text(field): as_bytes(value) for field, value in record.items()}
            one = self._read(name, fields)
            found += [] if one is None else [one]
        return found

    def of_file(self, digest: str) -> Import | None:
        """The latest import of a file that was begun.

        Args:
            digest: SHA-256, hexadecimal.
        """
        with store_errors(self._client):
            identifier = self._client.hget(ImportKeys.files, self._blind(digest))
        return None if identifier is None else self.find(as_text(identifier))

    def _read(self, identifier: str, fields: Mapping[str, bytes]) -> Import | None:
        if not fields:
            return None
        sealed = self._keyring.decrypt_texts(fields["c"], ImportKeys.record(identifier).encode())
        return Import(
            id=identifier,
            state=ImportState(fields["s"].decode()),
            at_ms=int(fields["at"]),
            by=fields["by"].decode(),
            name=sealed["name"],
            digest=sealed["digest"],
            terms=sealed["terms"],
            shape=sealed["shape"],
            earlier=sealed["earlier"],
            rows=int(fields.get("z", 0)),
            parts=int(fields.get("u", 0)),
            rejected_parts=int(fields.get("x", 0)),
            checked_parts=int(fields.get("k", 0)),
            done_to=int(fields.get("q", 0)),
            tally=json.loads(fields.get("n", b"{}")),
        )

    def keep_part(self, identifier: str, name: str, plain: bytes, kept_ms: int) -> None:
        """Keep a part of an import, compressed and encrypted.

        Args:
            identifier: of the import.
            name: ``f0``, ``f1`` ... of the file, ``x0`` ... of what was rejected, ``c0`` ... of
                what its check found.
            plain: what it holds.
            kept_ms: for how long.
        """
        key = ImportKeys.part(f"{identifier}.{name}")
        blob = self._keyring.encrypt(zlib.compress(plain, 1), key.encode())
        self._scripts.run_durably("keep_part", [((key,), (blob, kept_ms))])

    def part(self, identifier: str, name: str) -> bytes:
        """A part of an import.

        Raises:
            NotFound: it has vanished meanwhile.
        """
        key = ImportKeys.part(f"{identifier}.{name}")
        with store_errors(self._client):
            blob = self._client.hget(key, "c")
        if blob is None:
            raise NotFound(
                "The rows of this import are not kept any more: they vanish after a week, or after "
                "a day where nobody confirmed it. Upload the file again."
            )
        return zlib.decompress(self._keyring.decrypt(as_bytes(blob), key.encode()))

    def prolong(self, identifier: str, names: Sequence[str], kept_ms: int) -> None:
        """Keep parts for longer, or with 0 no more."""
        with store_errors(self._client):
            pipeline = self._client.pipeline(transaction=False)
            for name in names:
                pipeline.pexpire(ImportKeys.part(f"{identifier}.{name}"), kept_ms)
            pipeline.execute()

    def claim(
        self, identifier: str, token: str, *, states: str, by_worker: bool, checks: bool = False
    ) -> Import | None:
        """Begin an import, or go on with it; None where it is not to be done, or is held.

        Args:
            identifier: of the import.
            token: whose lease it is.
            states: letters of those that allow it.
            by_worker: whether another worker goes on with it where this one dies.
            checks: whether its file is only checked.
        """
        now = self._machine.now_ms()
        names = (ImportKeys.record(identifier), ImportKeys.waiting, ImportKeys.files)
        state = ImportState.RECEIVED if checks else ImportState.RUNNING
        args = (identifier, states, token, now, now + LEASE_MS, int(by_worker), state.value)
        answer: list[Any] = self._scripts.run_durably("claim_import", [(names, args)])[0]
        if answer[0] != b"ok":
            return None
        pairs = zip(answer[1::2], answer[2::2], strict=True)
        return self._read(identifier, {as_text(field): as_bytes(v) for field, v in pairs})

    def advance(
        self, one: Import, token: str, progress: Progress, *, by_worker: bool, checks: bool = False
    ) -> bool:
        """Note how far an import is, or its check; False where somebody else has it by now."""
        until = str(self._machine.now_ms() + LEASE_MS)
        fields = {"n": json.dumps(dict(progress.tally)), "lu": until}
        fields["k" if checks else "x"] = str(progress.parts)
        if not checks:
            fields["q"] = str(progress.done_to)
        state = ImportState.RECEIVED if checks else ImportState.RUNNING
        when = until if by_worker else "-"
        return self._move(one.id, state.value, fields, token=token, when=when)

    def end(self, one: Import, token: str, state: ImportState) -> bool:
        """Note that an import, or its check, is over; False where somebody else has it by now."""
        fields = {"s": state.value, "lt": "", "lu": ""}
        over = {ImportState.DONE: "imported", ImportState.FAILED: "import_failed"}
        what = over.get(state, "")
        states = ImportState.RECEIVED.value + ImportState.RUNNING.value
        return self._move(one.id, states, fields, token=token, when="", what=what, by=one.by)

    def give_back(self, one: Import, token: str) -> bool:
        """Let another worker go on with an import, or check it anew, at once."""
        fields = {"lt": "", "lu": ""}
        when = str(self._machine.now_ms())
        states = ImportState.RECEIVED.value + ImportState.RUNNING.value
        return self._move(one.id, states, fields, token=token, when=when)

    def confirm(self, identifier: str, by: str) -> bool:
        """Have a checked file imported; False where it is under way by now."""
        fields = {"s": ImportState.CONFIRMED.value, "n": ""}
        return self._move(
            identifier,
            ImportState.CHECKED.value,
            fields,
            when=str(self._machine.now_ms()),
            kept="-",
            what="import_confirmed",
            by=by,
        )

    def taken(self, identifier: str, by: str) -> None:
        """Note that somebody took away rows of an import."""
        states = "".join(state.value for state in ImportState)
        self._move(identifier, states, {}, what="import_taken", by=by)

    def look_at(self, identifier: str, in_ms: int = 0) -> None:
        """Have a worker look at an import.

        Args:
            identifier: of the import.
            in_ms: how long from now.
        """
        when = self._machine.now_ms() + in_ms
        with store_errors(self._client):
            self._client.zadd(ImportKeys.waiting, {identifier: when})

    def waiting(self) -> list[str]:
        """Imports that a worker should look at now: confirmed, or left by one that is gone."""
        return self._scripts.read_before([ImportKeys.waiting], self._machine.now_ms())

    def _move(
        self,
        identifier: str,
        states: str,
        fields: Mapping[str, str],
        *,
        token: str = "",
        when: str = "-",
        kept: str = "",
        what: str = "",
        by: str = "",
    ) -> bool:
        names = (ImportKeys.record(identifier), ImportKeys.waiting, ImportKeys.audit)
        at = self._business.now_ms()
        args: list[Argument] = [identifier, states, token, when, kept, what, by, at]
        args += [part for pair in fields.items() for part in pair]
        return bool(self._scripts.run_durably("move_import", [(names, args)])[0])


def part_names(letter: str, count: int) -> Iterator[str]:
    """The names of so many parts of a kind."""
    return (f"{letter}{number}" for number in range(count))
