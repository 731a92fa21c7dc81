"""`aftervisit series migrate`: cut off anywhere, run again, and nobody is moved twice."""

from __future__ import annotations

import os
import signal
import subprocess
from datetime import date, time

from service.bootstrap import Core
from service.store.keys import PartitionKeys, partition_of
from service.store.records import Patient, pack_subscription
from tests.integration.cli.conftest import Shell
from tests.support.command import COMMAND
from tests.support.polling import until

MIGRATE = ("series", "migrate", "restless-legs", "--from", "1", "--to", "2", "--json")
MANY = 1500


def enrol_in_version_one(core: Core, count: int) -> list[str]:
    """Patients as the first release has them; nothing of theirs is due before 2126."""
    enrolled = []
    for _ in range(count):
        patient = Patient(
            id=core.patients.new_id(),
            clinic="riverside",
            given_name="Ana",
            phone="+15035550142",
            email=None,
            language="en",
            timezone="America/Los_Angeles",
            country="US",
            state="OR",
            bedtime=time(22, 30),
            channels=("sms",),
        )
        core.patients.enrol(
            patient,
            new=True,
            subscription=pack_subscription("restless-legs", 1, date(2126, 3, 4), 0),
            series="restless-legs",
            due_ms=4_927_000_000_000,
            consents=(),
            copies={},
            source="test",
        )
        enrolled.append(patient.id)
    return enrolled


def moves_of(core: Core, patient: str) -> int:
    """How often the audit has it that somebody was moved."""
    keys = PartitionKeys(partition_of(patient))
    rows = core.client.xrange(keys.audit) or []
    found = [fields for _, fields in rows if fields and fields[b"what"] == b"moved_on"]
    return sum(fields[b"on"] == f"{patient}.2".encode() for fields in found)


def moved(core: Core, patients: list[str]) -> list[str]:
    return [each for each in patients if 2 in core.patients.load(each).numbers()]


def test_a_migration_that_is_killed_in_the_middle_is_gone_on_with(shell: Shell) -> None:
    with shell.core() as core:
        patients = enrol_in_version_one(core, MANY)
        running = subprocess.Popen(
            [COMMAND, *MIGRATE], env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        with running:
            keys = PartitionKeys(0)
            until(lambda: core.client.exists("av:migrations"), "it has begun", limit_s=30)
            streams = [keys.audit.replace("p0", f"p{number}") for number in range(core.partitions)]
            before = sum(core.client.xlen(stream) for stream in streams)
            until(
                lambda: sum(core.client.xlen(stream) for stream in streams) > before,
                "some are moved",
                limit_s=30,
            )
            running.send_signal(signal.SIGKILL)
        some = len(moved(core, patients))
        assert 0 < some < MANY
        ran = shell(*MIGRATE)
        assert (ran.code, ran.answer["state"]) == (0, "done"), ran.err
        assert (ran.answer["moved"], ran.answer["patients"]) == (MANY, MANY)
        assert moved(core, patients) == patients
        assert {core.patients.load(each).numbers()[-1] for each in patients} == {2}
        assert sum(moves_of(core, each) for each in patients[:50]) == 50
        assert len(core.series_migrations.recent()) == 1
        again = shell(*MIGRATE).answer
        assert (again["patients"], again["moved"]) == (0, 0)


def test_a_dry_run_moves_nobody_and_counts_the_same(shell: Shell) -> None:
    with shell.core() as core:
        patients = enrol_in_version_one(core, 3)
        dry = shell(*MIGRATE, "--dry-run").answer
        assert (dry["patients"], dry["moved"], dry["changed"]) == (3, 0, 3)
        assert moved(core, patients) == []
        assert "3 patients would be moved" in shell(*MIGRATE[:-1], "--dry-run").out
        assert shell(*MIGRATE, "--clinic", "riverside").answer["moved"] == 3
        assert "clinic" in shell(*MIGRATE, "--clinic", "nowhere").err


def test_what_differs_is_shown_without_a_store(shell: Shell) -> None:
    told = shell("series", "diff", "restless-legs", "--from", "1", "--json").answer
    assert (told["from"], told["to"], len(told["steps"])) == (1, 2, 10)
    assert told["steps"][0]["changes"] == ["branch"]
    assert "unless None -> better" in shell("series", "diff", "restless-legs", "--from", "1").out
    assert "Nothing differs" in shell("series", "diff", "restless-legs", "--from", "2").out
