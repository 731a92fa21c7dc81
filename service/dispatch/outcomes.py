"""From a carrier's answer to what is recorded and what happens next: one pure function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from schedules.backoff import delay
from schedules.delivery import State
from service.carriers.base import Outcome, Result

RETRY_CAP_S = 900.0
"""The longest wait between two attempts. A delivery is tried until its step expires."""
STOPPED_WAIT_S = 60.0
"""How long messages of a stopped sender wait before one of them tries it again."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means for a delivery.

    Attributes:
        where: ``next`` step, ``hold`` and try again, in ``question``, or ``due`` at once, to be
            decided anew.
        state: recorded in the history when it goes on to the next step.
        wait_s: for ``hold`` and ``question``: machine seconds.
        counts: whether it used up an attempt.
        fails: whether it is one of the failures that are tried again only so often.
        nothing_sent: the day's cap is given back.
    """

    where: Literal["next", "hold", "question", "due"]
    state: State
    reason: str
    wait_s: float = 0.0
    counts: bool = True
    fails: bool = False
    nothing_sent: bool = True


def verdict(
    outcome: Outcome, attempts: int, failures: int, *, random: float, base_s: float
) -> Verdict:
    """Judge one answer.

    Args:
        outcome: the carrier's answer.
        attempts: calls made before this one for the same delivery.
        failures: how many of them failed in a way that is tried again only so often; a provider
            that was busy (429) does not use up the later attempt that a phone switched off has.
        random: in [0, 1), for the jitter.
        base_s: back-off before the first retry, seconds.
    """
    ruling: Verdict
    match outcome.result:
        case Result.ACCEPTED:
            ruling = Verdict("next", State.SENT, "accepted", nothing_sent=False)
        case Result.UNKNOWN:
            ruling = Verdict("question", State.UNKNOWN, "no_answer", nothing_sent=False)
        case Result.PERMANENT:
            ruling = Verdict("next", State.FAILED, "refused")
        case Result.TOO_LATE:
            ruling = Verdict("hold", State.PENDING, "given_back", counts=False)
        case Result.STOPPED:
            wait = STOPPED_WAIT_S * (1 + random)
            ruling = Verdict("hold", State.PENDING, "sender_stopped", wait, counts=False)
        case Result.TRANSIENT:
            ruling = _later(outcome, attempts, failures, random=random, base_s=base_s)
    return ruling


def _later(
    outcome: Outcome, attempts: int, failures: int, *, random: float, base_s: float
) -> Verdict:
    limited = outcome.later_attempts is not None
    if outcome.later_attempts is not None and failures >= outcome.later_attempts:
        return Verdict("next", State.FAILED, "gave_up")
    wait = delay(attempts, random, base_s=base_s, cap_s=RETRY_CAP_S)
    if outcome.retry_after_s is not None:
        wait += outcome.retry_after_s
    return Verdict("hold", State.PENDING, "retry", wait, fails=limited)
