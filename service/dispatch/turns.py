"""Whose turn it is in a subscription: a delivery tried once more, or the step at the cursor.

A delivery whose provider reports, after the cursor has moved on, that it failed for good, may be
worth another attempt; so may one that staff take up again. Such a delivery stands beside the
cursor (`Again`), and shares the subscription's one flight with it: they are never sent at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from schedules.calendar import Profile
from service.dispatch.standing import due_after
from service.store.flights import Conclusion
from service.store.records import Claimed


def turns(claim: Claimed, now_ms: int) -> list[Claimed]:
    """The claim as the claim of each delivery that may go now, in order; the cursor's is last."""
    waiting = claim.fields.again(claim.subscription.number)
    behind = [
        replace(claim, subscription=claim.subscription.turned_to(again))
        for again in waiting
        if again.from_ms <= now_ms
    ]
    return [*behind, claim]


def turned(claim: Claimed, index: int) -> Claimed:
    """The claim as that of the delivery of a step, whether it is at the cursor or beside it."""
    if index == claim.subscription.index:
        return claim
    for again in claim.fields.again(claim.subscription.number):
        if again.index == index:
            return replace(claim, subscription=claim.subscription.turned_to(again))
    return claim


def later_ms(claim: Claimed, now_ms: int) -> list[int]:
    """When each delivery that does not go yet wants to be looked at, business ms UTC."""
    waiting = claim.fields.again(claim.subscription.number)
    return [again.from_ms for again in waiting if again.from_ms > now_ms]


def following_ms(claim: Claimed, profile: Profile) -> int | None:
    """When the subscription is due once this delivery is over, business ms UTC; None: never."""
    subscription = claim.subscription
    if subscription.again is None:
        next_due = due_after(subscription, subscription.index + 1, profile)
    else:
        at_cursor = claim.fields.subscription(subscription.number)
        index = at_cursor.index if at_cursor else subscription.index
        next_due = due_after(subscription, index, profile)
    others = [
        again.from_ms
        for again in claim.fields.again(subscription.number)
        if again.index != subscription.index
    ]
    return min([due for due in (next_due, *others) if due is not None], default=None)


def is_deferred(conclusion: Conclusion) -> bool:
    """Whether a delivery was only put off."""
    return conclusion.where == "due" and conclusion.entry is None


def no_later_than(conclusion: Conclusion, instants: Sequence[int]) -> Conclusion:
    """The conclusion, with the subscription due at the earliest of some instants at the latest."""
    if not instants or conclusion.entry is not None or conclusion.where not in {"due", "end"}:
        return conclusion
    earliest = min(instants)
    if conclusion.where == "due":
        earliest = min(earliest, conclusion.when_ms)
    return replace(conclusion, where="due", when_ms=earliest)
