"""Deliveries whose outcome a test records, without a carrier."""

from __future__ import annotations

from datetime import timedelta

from schedules.delivery import State
from service.bootstrap import Core
from service.dispatch.prepare import conclusion, entry_of, onwards
from service.dispatch.standing import due_after, profile_of
from service.store.installation import StoredClock
from service.store.keys import partition_of


def conclude(core: Core, patient: str, state: State, reason: str, *, late: timedelta) -> None:
    """Let time pass to a while after the next step's, and record an outcome for it."""
    fields = core.patients.load(patient)
    profile = profile_of(core.patients.contact(fields), fields.reachable())
    (subscription,) = fields.subscriptions()
    entry = entry_of(subscription, profile, state, reason, 0, channel="sms", attempts=1)
    now = entry.due_ms + int(late.total_seconds() * 1000)
    assert isinstance(core.business, StoredClock)
    core.business.set_ms(now)
    lease = core.machine.now_ms() + 60_000
    claims = core.dispatch_store.claim(partition_of(patient), now, 100, lease)
    (claim,) = [one for one in claims if one.fields.id == patient]
    others = [one for one in claims if one is not claim]
    core.dispatch_store.conclude([conclusion(one, "back", when_ms=one.due_ms) for one in others])
    entry = entry_of(subscription, profile, state, reason, now, channel="sms", attempts=1)
    following = due_after(subscription, subscription.index + 1, profile)
    assert core.dispatch_store.conclude([onwards(claim, entry, following)]) == [True]
