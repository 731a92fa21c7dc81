"""An import is killed in the middle, or its file is as large as they come: nothing is doubled."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from service.enrolment.bulk.terms import Terms
from service.store.import_records import ImportState
from tests.integration.faults import million_rows
from tests.integration.faults.patience import TEST_S, eventually
from tests.support.patient_files import opens, patient, text
from tests.support.system import System, kill, running_system

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.store.import_records import Import

pytestmark = pytest.mark.timeout(TEST_S)
ROWS = 6_000
TERMS = Terms(method="written", wording="2026-11")
LATER = "2030-01-07"
"""Nothing of it is due while these tests run."""


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running_system(
        tmp_path, clock="real", processes=("beat",), WORKER_PROCESSES="1"
    ) as running:
        yield running


def content() -> str:
    return text(*(patient(number, visit_date=LATER) for number in range(ROWS)))


def started(system: System, identifier: str) -> Import | None:
    """The import, once some of its rows are done and others are not."""
    one = system.core.imports.load(identifier)
    assert one.state is not ImportState.DONE, "it was over before it was killed"
    return one if one.done_to else None


def assert_each_is_enrolled_once(system: System) -> None:
    names = []
    for identifier in system.core.patients.identifiers():
        fields = system.core.patients.load(identifier)
        assert fields.numbers() == [1]
        assert len(system.core.patients.consents(identifier)) == 2
        names.append(system.core.patients.contact(fields).given_name)
    assert sorted(names) == sorted(f"Pat{number}" for number in range(ROWS))


def test_a_command_that_is_killed_goes_on_where_it_was_and_doubles_nothing(
    system: System, tmp_path: Path
) -> None:
    path = tmp_path / "march.csv"
    path.write_text(content(), encoding="utf-8")
    command = (*million_rows.COMMAND, "import", str(path), "--method", "written")
    digest = system.core.imports.survey(opens(content()), TERMS).scanned.digest
    run = system.start("--wording=2026-11", program=command)

    def begun() -> Import | None:
        found = system.core.imports.earlier(digest)
        return None if found is None else started(system, found.id)

    eventually(begun, "some rows are enrolled")
    kill(run)
    again = subprocess.run(
        [*command, "--wording=2026-11", "--json"],
        env=system.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=TEST_S,
    )
    assert "where this import was cut off" in again.stderr
    answer = json.loads(again.stdout)
    assert (answer["rows"], answer["accepted"], answer["duplicates"]) == (ROWS, ROWS, 0)
    assert answer["rejected"] == []
    assert_each_is_enrolled_once(system)


def test_an_import_whose_worker_is_killed_is_ended_by_another(system: System) -> None:
    imports = system.core.imports
    one = imports.receive(opens(content()), TERMS, "march.csv", "staff:m1")
    worker = system.start("worker")
    eventually(lambda: imports.load(one.id).state is ImportState.CHECKED, "a worker checks it")
    assert imports.confirm(imports.load(one.id), "staff:m1")
    eventually(lambda: started(system, one.id), "some rows are enrolled")
    kill(worker)
    system.start("worker")
    eventually(lambda: imports.load(one.id).over, "another worker ends it")
    ended = imports.load(one.id)
    assert ended.state is ImportState.DONE
    counts = (ended.tally["rows"], ended.tally["accepted"], ended.tally["duplicates"])
    assert counts == (ROWS, ROWS, 0)
    assert_each_is_enrolled_once(system)


def test_a_file_of_a_million_rows_is_read_in_as_little_memory_as_a_small_one() -> None:
    """Under a limit of the address space that holding its rows would break at once."""
    ran = subprocess.run(
        [sys.executable, "-m", million_rows.__name__],
        capture_output=True,
        text=True,
        check=False,
        timeout=TEST_S,
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["rows"] == million_rows.ROWS
    assert told["refused"] == "too_many_rows"
