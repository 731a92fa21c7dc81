"""A START whose webhook came after that of a STOP, though it was written before it: STOP stands."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from service.inbox.leaving import Leaving
from service.inbox.receive import GRACE_MS
from service.inbox.received import LIMIT_S
from service.store.records import Status
from tests.fakes.provider import RunningProvider
from tests.support.web import Site, said, site_with_provider

PHONE = "+15035550142"
UNREADABLE = [
    {"fault": "error_before"},
    {"fault": "close_before"},
    {"fault": "busy"},
    {"fault": "garbage_after", "body": "[1]"},
]


@dataclass
class Line:
    """A phone, the provider that notes when it texts, and our webhook."""

    web: Site
    provider: RunningProvider
    patient: str

    def write(self, body: str, *, minutes: float = 0) -> str:
        """Text at an instant so many minutes from now; the webhook is another matter."""
        self.provider.settings(ahead_ms=int(minutes * 60_000))
        return self.provider.text(PHONE, body)

    def post(self, sid: str, body: str) -> httpx.Response:
        """The webhook of a text, which has no time of its own."""
        return self.web.text(PHONE, body, sid=sid)

    def text(self, body: str, *, minutes: float = 0) -> str | None:
        """Text, and the webhook arrives; what we answer."""
        return said(self.post(self.write(body, minutes=minutes), body))

    @property
    def silent(self) -> bool:
        return self.web.silent(self.patient)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with site_with_provider(tmp_path) as (web, provider):
        yield Line(web, provider, web.enrol(phone=PHONE))


def test_a_start_that_was_not_acknowledged_and_comes_again_after_a_stop_lifts_nothing(
    line: Line,
) -> None:
    start = line.write("Start please", minutes=-1)
    line.web.server.kill()
    assert line.post(start, "Start please").status_code == 503
    line.web.server.start()
    assert line.text("please stop texting me") is not None

    assert said(line.post(start, "Start please")) is None
    assert line.silent


def test_a_start_that_was_written_after_the_stop_lifts_it(line: Line) -> None:
    line.text("please stop texting me")
    before = line.provider.requests()
    answer = line.text("Start please", minutes=5)
    assert "back on our list" in (answer or "")
    assert not line.silent
    assert line.provider.requests() == before + 1


def test_a_start_within_the_second_of_a_stop_is_asked_for_again(line: Line) -> None:
    line.text("please stop texting me")
    answer = line.text("Start please") or ""
    assert "opted out" in answer
    assert "text START" in answer
    assert line.silent
    line.text("Start please", minutes=1)
    assert not line.silent


@pytest.mark.parametrize("fault", UNREADABLE, ids=lambda fault: str(fault["fault"]))
def test_where_the_provider_does_not_say_the_stop_stands_and_the_answer_says_so(
    line: Line, fault: dict[str, object]
) -> None:
    line.text("STOP")
    line.provider.script({"on": "list", **fault})
    # The provider's own answer, that they are back, is not true.
    answer = line.text("START", minutes=5) or ""
    assert "opted out" in answer
    assert "text START" in answer
    assert line.silent


def test_a_provider_that_is_away_keeps_nobody_waiting(line: Line) -> None:
    line.text("please stop texting me")
    line.provider.script({"on": "list", "fault": "hang_before"})
    begun = time.monotonic()
    assert "opted out" in (line.text("Start please", minutes=5) or "")
    assert time.monotonic() - begun < LIMIT_S + 2
    assert line.silent


def test_a_text_that_the_provider_does_not_know_lifts_nothing(line: Line) -> None:
    line.text("please stop texting me")
    assert "opted out" in (said(line.web.text(PHONE, "Start please")) or "")
    assert line.silent


def test_a_copy_of_a_start_in_doubt_gets_the_same_answer_and_asks_nobody(line: Line) -> None:
    line.text("please stop texting me")
    start = line.write("Start please")
    first = said(line.post(start, "Start please"))
    before = line.provider.requests()
    line.provider.settings(ahead_ms=0)
    assert said(line.post(start, "Start please")) == first
    assert line.provider.requests() == before


def test_a_letter_that_keeps_a_series_is_settled_by_its_own_time_too(line: Line) -> None:
    line.web.enrol(phone=PHONE, series="sleep-hygiene")
    assert "A " in (line.text("please stop texting me") or "")
    assert "the rest stays off" in (line.text("B", minutes=1) or "")
    statuses = [s.status for s in line.web.core.patients.load(line.patient).subscriptions()]
    assert statuses == [Status.OPTED_OUT, Status.ACTIVE]


def test_a_start_that_was_cut_off_is_finished_by_its_own_time(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise SystemError

    line.text("please stop texting me")
    for minutes, silent in ((-1, True), (1, False)):
        with monkeypatch.context() as cut:
            cut.setattr(Leaving, "start", dies)
            start = line.write("Start please", minutes=minutes)
            assert line.post(start, "Start please").status_code == 500
        core = line.web.core
        assert core.inbox.finish_open(core.machine.now_ms() + GRACE_MS) == 1
        assert line.silent is silent


def test_the_provider_is_asked_only_where_a_stop_is_recent_and_unanswered(line: Line) -> None:
    before = line.provider.requests()
    line.text("Start please")
    line.text("please stop texting me")
    line.web.wait(minutes=11)
    line.text("Start please")
    assert not line.silent
    line.text("please stop texting me")
    assert line.provider.requests() == before
    line.text("Start please", minutes=15)
    line.text("Start please", minutes=16)
    assert not line.silent
    assert line.provider.requests() == before + 1
