"""What answers and receipts mean for the sender itself: stop it, resume it, slow it down."""

from __future__ import annotations

from typing import Final

import structlog

from service.carriers.base import Outcome, Result
from service.store.rates import Proof, Rates
from service.store.records import Channel

log = structlog.get_logger(__name__)

FILTERED: Final = "30007"
"""Twilio's code for a text that it or the carrier filtered as unwanted."""
FILTERED_LEAST: Final = 5
"""Fewer filtered texts a day than this say nothing about a sender."""
_WORKS: Final = frozenset({Result.ACCEPTED, Result.PERMANENT})
"""Answers about a message or an address: they are given to a sender that may send."""


class Stops:
    """Stops senders that their provider refuses, and resumes those that are proven to work."""

    def __init__(self, rates: Rates, filtered_percent: float) -> None:
        self._rates = rates
        self._filtered_percent = filtered_percent

    def answered(
        self, sender: str, channel: Channel, outcome: Outcome, *, begun_ms: int, probe: bool
    ) -> None:
        """Draw the consequences of an answer to a send.

        Args:
            sender: its address.
            channel: of the message.
            outcome: the answer.
            begun_ms: when the attempt was begun, machine ms UTC.
            probe: the message was let through to try a stopped sender.
        """
        if outcome.result is Result.STOPPED:
            self._stop(sender, channel, outcome, begun_ms, by_receipt=False)
        elif outcome.result is Result.TRANSIENT and outcome.retry_after_s:
            self._rates.pause(sender, outcome.retry_after_s)
        elif probe and outcome.result in _WORKS:
            self._resumed(self._rates.name(sender), "answer", begun_ms)
        if outcome.code == FILTERED:
            self.filtered(sender, channel, begun_ms)
        if outcome.alert:
            alert(channel, outcome)

    def refused(
        self, sender: str, channel: Channel, outcome: Outcome, *, begun_ms: int, first: bool
    ) -> None:
        """Draw the consequences of a receipt that says that a message failed for good.

        Args:
            sender: its address.
            channel: of the message.
            outcome: what the receipt means.
            begun_ms: when the attempt was begun, machine ms UTC.
            first: it is not a copy of a receipt that has come before.
        """
        if outcome.result is Result.STOPPED:
            self._stop(sender, channel, outcome, begun_ms, by_receipt=True)
        if outcome.code == FILTERED and first:
            self.filtered(sender, channel, begun_ms)
        if outcome.alert and first:
            alert(channel, outcome)

    def arrived(self, name: str, *, begun_ms: int) -> None:
        """A receipt says that a probe is on its way or has arrived: its sender works.

        Args:
            name: of the sender, as the attempt's record has it.
            begun_ms: when that attempt was begun.
        """
        self._resumed(name, "receipt", begun_ms)
        self._resumed(name, "answer", begun_ms)

    def filtered(self, sender: str, channel: Channel, begun_ms: int) -> None:
        """Count a filtered text; above the share of a day that is allowed, stop its sender."""
        filtered, sent = self._rates.filtered(sender)
        share = 100 * filtered / max(sent, filtered)
        log.warning("filtered", channel=channel, today=filtered, sent=sent)
        if filtered < FILTERED_LEAST or share <= self._filtered_percent:
            return
        reason = (
            f"{filtered} of today's {max(sent, filtered)} texts were filtered as unwanted; see "
            "Twilio's console for why, mend it, then resume the sender."
        )
        outcome = Outcome(Result.STOPPED, reason, code=FILTERED)
        self._stop(sender, channel, outcome, begun_ms, by_receipt=True)

    def _stop(
        self, sender: str, channel: Channel, outcome: Outcome, begun_ms: int, *, by_receipt: bool
    ) -> None:
        stopped = self._rates.stop(
            sender,
            begun_ms=begun_ms,
            code=outcome.code or "",
            reason=outcome.reason,
            proof="receipt" if by_receipt else "answer",
        )
        if stopped:
            log.error("sender_stopped", channel=channel, code=outcome.code, reason=outcome.reason)

    def _resumed(self, name: str, by: Proof, begun_ms: int) -> None:
        if self._rates.resume(name, by=by, begun_ms=begun_ms):
            log.info("sender_resumed", by=by)


def alert(channel: Channel, outcome: Outcome) -> None:
    """Tell staff of something at the provider that wants their attention."""
    log.error("carrier_alert", channel=channel, code=outcome.code, reason=outcome.reason)
