"""`aftervisit explain` on what has been: sent, refused, skipped, and begun without an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schedules.delivery import State
from service.bootstrap import Core
from service.cli.app import main
from service.clock import from_ms
from service.settings import load_settings
from service.store.installation import StoredClock
from tests.support.command import same_process
from tests.support.deliveries import conclude
from tests.support.people import ANA
from tests.support.servers import valkey_server

CLOCK = "fast:1@2026-03-02T18:00:00"


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    with valkey_server(tmp_path / "store") as store, same_process():
        monkeypatch.setenv("AFTERVISIT_REDIS_URL", store.url)
        monkeypatch.setenv("AFTERVISIT_DATA_DIR", str(tmp_path / "data"))
        monkeypatch.setenv("AFTERVISIT_CLOCK", CLOCK)
        (tmp_path / "data").mkdir()
        core = Core(load_settings(), store.url)
        yield core
        core.close()


def enrol(core: Core) -> str:
    return core.enrolment.enrol(ANA, source="test").patient


def explained(
    capsys: pytest.CaptureFixture[str], patient: str, *options: str
) -> list[dict[str, Any]]:
    assert main(["explain", patient, *options, "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_what_was_sent_and_what_was_not_is_explained_with_its_reason(
    core: Core, capsys: pytest.CaptureFixture[str]
) -> None:
    patient = enrol(core)
    moment = timedelta(seconds=2)
    conclude(core, patient, State.SENT, "accepted", late=moment)
    conclude(core, patient, State.FAILED, "refused", late=moment)
    conclude(core, patient, State.SKIPPED, "expired", late=timedelta(days=2))
    conclude(core, patient, State.UNKNOWN, "no_answer", late=moment)
    past = explained(capsys, patient)[:4]
    assert [(line["step"], line["outcome"], line["reason"]) for line in past] == [
        ("welcome", "sent", "accepted"),
        ("when-to-seek-help", "failed", "refused"),
        ("walking", "skipped", "expired"),
        ("sleep-same-bedtime", "unknown", "no_answer"),
    ]
    for line in past:
        assert line["attempts"] == 1
        assert line["ended"] >= line["due"]
        assert line["sentence"].endswith(".")


def test_a_day_shows_what_was_due_before_it_and_ended_after_it(
    core: Core, capsys: pytest.CaptureFixture[str]
) -> None:
    patient = enrol(core)
    conclude(core, patient, State.SENT, "accepted", late=timedelta(seconds=2))
    conclude(core, patient, State.SENT, "accepted", late=timedelta(days=4))
    (line,) = explained(capsys, patient, "--date", "2026-03-06")[:1]
    assert (line["step"], line["due"][:10]) == ("when-to-seek-help", "2026-03-03")


def test_what_waits_for_its_turn_is_shown_behind_what_goes_first(
    core: Core, capsys: pytest.CaptureFixture[str]
) -> None:
    patient = enrol(core)
    assert isinstance(core.business, StoredClock)
    week = timedelta(days=7)
    core.business.set_ms(core.business.now_ms() + int(week.total_seconds() * 1000))
    now = from_ms(core.business.now_ms()).isoformat()
    overdue = [line for line in explained(capsys, patient) if line["due"] <= now]
    assert overdue[0]["reason"] != "waits_its_turn"
    assert {line["reason"] for line in overdue[1:]} == {"waits_its_turn"}
