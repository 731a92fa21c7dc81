"""Take back an opt-out that was none: only where no other stop stands, and consent is on record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal

from service.inbox.leaving import agreed
from service.inbox.people import Person
from service.store.reply_records import Reply
from service.store.suppressions import Suppressions

Lifted = Literal["lifted", "open", "kept", "kept_stop", "no_consent"]
RESTORED: Final = "restored"
"""Beside the words of a message that was taken for a START: the stops before it stand again."""


class Lifting:
    """Lifts what a misunderstood message did to the ledger."""

    def __init__(self, suppressions: Suppressions) -> None:
        self._suppressions = suppressions

    def lift(
        self,
        reply: Reply,
        reasons: Collection[str],
        *,
        others: Iterable[Reply],
        people: Sequence[Person],
    ) -> Lifted:
        """Lift the reasons that a message gave, unless the address is to stay silent all the same.

        Args:
            reply: the message; ``by`` is who says that it meant something else.
            reasons: that it gave, each time it was taken for an opt-out.
            others: what else was written from the address.
            people: on it.

        Returns:
            ``lifted``; ``open``: nothing was suppressed; ``kept``: another reason stands, such as
            a stop by staff or the provider's; ``kept_stop``: another message asks to stop;
            ``no_consent``: nobody's consent is on record.

        Raises:
            StoreUnavailable: not, or not wholly, lifted; ask again, it is idempotent.
        """
        stand = self._suppressions.stand(reply.address)
        if not stand.reasons:
            return "open"
        if not any(agreed(person, reply.channel) for person in people):
            return "no_consent"
        explained = {*reply.counted, *numbers_of_none(others)}
        if set(range(stand.answered + 1, stand.stops + 1)) - explained:
            return "kept_stop"
        ledger = self._suppressions.lift(
            reply.channel,
            reply.address,
            source=reply.source,
            lifts=sorted(reasons),
            stops=stand.stops,
        )
        if ledger.overtaken:
            return "kept_stop"
        return "kept" if ledger.on else "lifted"

    def lift_beside(self, reply: Reply, reasons: Collection[str]) -> None:
        """Lift reasons that a message gave by mistake, where it asks to leave for another one.

        Raises:
            StoreUnavailable: as in `lift`.
        """
        self._suppressions.lift(
            reply.channel, reply.address, source=reply.source, lifts=sorted(reasons)
        )


def numbers_of_none(replies: Iterable[Reply]) -> set[int]:
    """Numbers among an address's stops that were given to messages which are none."""
    return {
        number
        for reply in replies
        if not (reply.meant.says("opt_out") or reply.meant.says(RESTORED))
        for number in reply.counted
    }
