"""The states of a delivery and the moves between them, as tables.

A delivery is one intended message. Receipts are the provider's; they arrive late, twice and out
of order, so `advance` only ever moves forward, and the first terminal state wins.
"""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a delivery stands. Values are for people and JSON; `code` is what a store keeps."""

    PENDING = "pending"  # waits for its time
    CLAIMED = "claimed"  # a worker holds it under a lease; nothing has left
    BEGUN = "begun"  # the attempt is written down; the provider may have it
    SENT = "sent"  # the provider has accepted it
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"  # accepted, then failed for good on its way
    FAILED = "failed"  # refused by the provider or by our own checks
    SKIPPED = "skipped"  # never attempted, for a reason
    UNKNOWN = "unknown"  # the provider may have it, and the proof was withheld
    PARKED = "parked"  # set aside with a reason, for staff

    @property
    def code(self) -> str:
        """The one letter a store keeps for the state."""
        return _CODES[self]

    @classmethod
    def from_code(cls, code: str) -> "State":
        """Return the state of a stored letter; raises ValueError for any other."""
        try:
            return _STATES[code]
        except KeyError:
            known = "".join(_STATES)
            raise ValueError(
                f"{code!r} is not a delivery state; known letters: {known}. "
                "Was the record written by a newer version?"
            ) from None


_CODES: Final = {
    State.PENDING: "p",
    State.CLAIMED: "c",
    State.BEGUN: "b",
    State.SENT: "s",
    State.DELIVERED: "d",
    State.UNDELIVERED: "u",
    State.FAILED: "f",
    State.SKIPPED: "k",
    State.UNKNOWN: "x",
    State.PARKED: "h",
}
_STATES: Final = {code: state for state, code in _CODES.items()}

TERMINAL: Final = frozenset(
    {State.DELIVERED, State.UNDELIVERED, State.FAILED, State.SKIPPED, State.UNKNOWN}
)
"""The delivery is over: of itself it is never attempted again."""

RETRIABLE: Final = frozenset({State.PARKED, State.FAILED})
"""Staff may have it tried again: it is proven that the provider does not have the message."""

DEAD: Final = RETRIABLE | {State.UNKNOWN}
"""The dead letters: staff should look at these."""

SETTLED: Final = TERMINAL | {State.SENT}
"""The subscription may go on to its next step."""

_OUTCOMES: Final = frozenset({State.DELIVERED, State.UNDELIVERED, State.FAILED})

MOVES: Final = {
    # To delivered: a receipt contradicts the one that had it tried again; nothing more is sent.
    State.PENDING: frozenset({State.CLAIMED, State.DELIVERED}),
    # To failed or undelivered: what the provider refused before was to be tried again, and is not
    # worth it any more; it stays what the provider said.
    State.CLAIMED: frozenset(
        {
            State.PENDING,
            State.BEGUN,
            State.SKIPPED,
            State.PARKED,
            State.FAILED,
            State.UNDELIVERED,
            State.DELIVERED,
        }
    ),
    # Back to pending only where it is proven that the provider does not have it: refused before
    # a byte left, 429, or given back because the attempt grew too old before the call.
    State.BEGUN: _OUTCOMES | {State.PENDING, State.SENT, State.UNKNOWN},
    # Back to pending: the provider's own record says this attempt failed for good, and the
    # failure is one that is worth a later attempt or the patient's other channel.
    State.SENT: _OUTCOMES | {State.PENDING, State.UNKNOWN},
    # Only evidence moves an unknown: a receipt, or the provider's list. Never a new attempt.
    State.UNKNOWN: _OUTCOMES | {State.SENT},
    # Staff have a delivery tried again that never reached the provider, or that it refused.
    State.PARKED: frozenset({State.PENDING}),
    State.DELIVERED: frozenset[State](),
    State.UNDELIVERED: frozenset[State](),
    State.FAILED: frozenset({State.PENDING}),
    State.SKIPPED: frozenset[State](),
}
"""Which states may follow which, and no other: a contract test drives the store through it."""

_AWAITING: Final = frozenset({State.BEGUN, State.SENT, State.UNKNOWN})
_GIVEN_BACK: Final = frozenset({State.PENDING, State.CLAIMED})
REPORTS: Final = _OUTCOMES | {State.SENT, State.UNKNOWN}
"""What a provider reports of an attempt; unknown: it failed, and may have arrived nevertheless."""


def may_move(current: State, following: State) -> bool:
    """Say whether a delivery may go from one state to the other."""
    return following in MOVES[current]


def advance(current: State, receipt: State) -> State:
    """Return the state of an attempt after a provider's receipt; applying it again changes nothing.

    A receipt is one of `REPORTS` (the carrier has translated the provider's word). It only moves
    an attempt forward, and what is terminal stays as it is; only an unknown outcome is still open
    to evidence. A delivered receipt also settles an attempt that was given back: the patient has
    the message, so nothing may be sent again. A failure that proves nothing makes unknown what
    was accepted, and leaves the rest as it is.

    Raises:
        ValueError: The receipt is a state that no provider reports.
    """
    if receipt not in REPORTS:
        raise ValueError(f"{receipt.value!r} is not something a provider reports")
    if current in _AWAITING:
        return receipt
    return receipt if current in _GIVEN_BACK and receipt is State.DELIVERED else current


def movable(receipt: State) -> frozenset[State]:
    """Return the states that a receipt changes; a store is told these with each receipt."""
    return frozenset(s for s in State if advance(s, receipt) is not s)
