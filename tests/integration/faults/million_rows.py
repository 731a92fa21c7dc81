"""Surveys a file of a million rows, and judges some, under a limit of the address space."""

from __future__ import annotations

import io
import json
import resource
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from messages.catalog import Catalog
from service.clinics import SAMPLE_CLINIC
from service.enrolment.bulk.judge import Judge
from service.enrolment.bulk.seen import Seen
from service.enrolment.bulk.table import Table, survey
from service.enrolment.bulk.terms import Terms
from service.enrolment.form import ValidForm
from service.errors import InvalidInput
from tests.support.patient_files import patient, text

COMMAND = (str(Path(sys.executable).parent / "aftervisit"),)
ROWS = 1_000_000
MORE = 64 << 20
"""Bytes that it may take beyond what the programs and libraries took."""
JUDGED = 20_000
TERMS = Terms(method="written", wording="2026-11")


class Rows(io.RawIOBase):
    """A file that is made while it is read."""

    def __init__(self) -> None:
        super().__init__()
        self._rest = b""
        self._blocks = self._made()

    def _made(self) -> Iterator[bytes]:
        yield text().encode()
        pattern = text(patient(0)).splitlines()[1].replace("2000000", "%07d") + "\r\n"
        for first in range(0, ROWS, 1000):
            numbers = range(first, first + 1000)
            yield "".join(pattern % (2_000_000 + number) for number in numbers).encode()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - as its base has it
        self._rest = self._rest or next(self._blocks, b"")
        given, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)


def opened() -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(Rows(), 1 << 16))


def judged(catalog: Catalog, rows: int) -> int:
    """Judge so many rows; how many are good."""
    surveyed = survey(lambda: io.BytesIO(text(patient(1)).encode()), TERMS, 10)
    judge = Judge(surveyed.header, TERMS, {SAMPLE_CLINIC.id: SAMPLE_CLINIC}, catalog)
    with Table(opened, "utf-8", TERMS) as table:
        some = islice(table, rows)
        return sum(isinstance(judge.judge(record), ValidForm) for record in some)


def main() -> None:
    catalog = Catalog.load()
    assert judged(catalog, 10) == 10  # everything is loaded
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MORE, taken + MORE))
    surveyed = survey(opened, TERMS, ROWS)
    Seen(2 * surveyed.rows)
    assert judged(catalog, JUDGED) == JUDGED
    try:
        survey(opened, TERMS, ROWS - 1)
    except InvalidInput as error:
        print(json.dumps({"rows": surveyed.rows, "refused": error.code}))  # noqa: T201


if __name__ == "__main__":
    main()
