from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.bootstrap import carriers_of
from service.carriers.base import ProviderUnreachable
from service.inbox.catch_up import OVERLAP_MS, CaughtUp, catch_up
from tests.fakes.provider import RunningProvider
from tests.support.web import SENDER, Site, site_with_provider

PHONE = "+15035550142"


@dataclass
class Gap:
    """A service whose webhook no text reaches, and a provider that keeps what is texted."""

    web: Site
    provider: RunningProvider

    def catch_up(self, numbers: frozenset[str] | None = None) -> CaughtUp:
        core = self.web.core

        async def run() -> CaughtUp:
            carrier = carriers_of(core.settings).texts
            assert carrier is not None
            try:
                return await catch_up(
                    carrier,
                    core.inbox,
                    core.replies,
                    core.text_senders if numbers is None else numbers,
                    core.machine.now_ms(),
                )
            finally:
                await carrier.aclose()

        return asyncio.run(run())


@pytest.fixture
def gap(tmp_path: Path) -> Iterator[Gap]:
    with site_with_provider(tmp_path) as (web, provider):
        yield Gap(web, provider)


def test_a_stop_sent_while_nobody_listened_is_applied(gap: Gap) -> None:
    patient = gap.web.enrol(phone=PHONE)
    gap.provider.text(PHONE, "STOP")
    gap.provider.text("+15035550143", "my legs never stop")

    caught = gap.catch_up()

    assert (caught.read, caught.new) == (2, 2)
    assert gap.web.silent(patient)


def test_what_came_by_webhook_changes_nothing_again(gap: Gap) -> None:
    patient = gap.web.enrol(phone=PHONE)
    sid = gap.provider.text(PHONE, "Stop please")
    assert gap.web.text(PHONE, "Stop please", sid=sid).status_code == 200
    gap.web.wait(minutes=11)
    assert gap.web.text(PHONE, "Start please").status_code == 200
    before = gap.web.changes()

    caught = gap.catch_up()

    assert (caught.read, caught.new) == (1, 0)
    assert gap.web.changes() == before
    assert not gap.web.silent(patient)


def test_a_start_found_late_does_not_undo_a_stop_that_came_after_it(gap: Gap) -> None:
    patient = gap.web.enrol(phone=PHONE)
    gap.provider.text(PHONE, "START")
    assert gap.web.text(PHONE, "STOP").status_code == 200

    assert gap.catch_up().new == 1
    assert gap.web.silent(patient)


def test_the_mark_moves_on_and_overlaps(gap: Gap) -> None:
    first = gap.catch_up()
    now_ms = gap.web.core.machine.now_ms()
    second = gap.catch_up()
    assert first.since_ms < now_ms - OVERLAP_MS
    assert now_ms - OVERLAP_MS - 60_000 < second.since_ms <= now_ms - OVERLAP_MS


def test_the_mark_stays_where_the_list_cannot_be_read(gap: Gap) -> None:
    before = gap.catch_up()
    mark = gap.web.core.replies.mark_ms()
    gap.provider.script({"on": "list", "fault": "error_before", "status": 500})
    with pytest.raises(ProviderUnreachable):
        gap.catch_up()
    assert gap.web.core.replies.mark_ms() == mark
    assert mark is not None
    assert mark > before.since_ms


def test_the_whole_account_is_read_for_a_messaging_service(gap: Gap) -> None:
    patient = gap.web.enrol(phone=PHONE)
    gap.provider.text(PHONE, "STOP")
    assert gap.catch_up(frozenset({"+15005550009"})).read == 0
    assert gap.catch_up(frozenset({"MG" + "0" * 32})).read == 1
    assert gap.web.silent(patient)


def test_nothing_is_read_where_no_text_can_be_sent(gap: Gap) -> None:
    requests = gap.provider.requests()
    assert gap.catch_up(frozenset()).read == 0
    assert gap.provider.requests() == requests


def test_senders_of_every_clinic_are_listened_to(gap: Gap) -> None:
    assert gap.web.core.text_senders == {SENDER}
