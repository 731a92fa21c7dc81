"""A machine that sleeps between a decision and its send: the window is asked about once more."""

from __future__ import annotations

from service.bootstrap import Core
from service.store.installation import StoredClock
from tests.integration.dispatch.conftest import Workers

HOURS = 10 * 3_600_000


class SleptThrough(StoredClock):
    """Business time that is found to be ten hours later as soon as something has been begun."""

    def now_ms(self) -> int:
        slept = HOURS if self._client.keys("{p0}:t:*") else 0
        return super().now_ms() + slept


def sleeps_after_begin(core: Core) -> None:
    core.business = SleptThrough(core.client)


def test_what_was_begun_before_a_sleep_is_not_sent_at_night_after_it(workers: Workers) -> None:
    worker = workers(prepare=sleeps_after_begin)
    patients = [worker.enrol_by_text(), worker.enrol_by_mail()]
    worker.drain()
    for patient in patients:
        assert patient.texts == patient.mails == []
        assert patient.history == []
    worker.wait(1)
    worker.drain()  # given back at once, and put off until the window opens
    (pending,) = worker.core.dispatch_store.peek([0])
    assert pending.held == 0
    assert pending.due_ms is not None
    assert pending.due_ms > worker.core.business.now_ms()
