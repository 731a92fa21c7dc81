"""Names the fault that withheld the proof of a delivery.

First those that are known to have met the very attempt; then those known to have met its address
about that time; then those that hit a process or a server while the attempt was under way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tests.chaos.evidence import Attempt, Evidence, Fault, Patient

CALL_MS: Final = 4_000
"""A begun attempt may set out for 2 s, and its call may take 1 s; a second for a busy machine."""
RECORD_MS: Final = 9_000
"""How long a record may be on its way to a store that does not answer, before it is too late."""
BUSY_MS: Final = 500
_WORKERS: Final = (
    "kill_child",
    "kill_worker",
    "term_worker",
    "freeze_child",
    "freeze_worker",
    "outage",
)
_AROUND: Final = {
    **dict.fromkeys(_WORKERS, CALL_MS),
    "store": RECORD_MS,
    "clock": RECORD_MS,
    "provider": CALL_MS,
}
"""Fault (or how its name begins) -> how long after the attempt was begun it may strike."""


_PLAIN: Final = (
    "provider_create_busy",
    "provider_create_receipt_first",
    "provider_receipts",
    "mail_rcpt",
    "mail_message_451",
    "mail_mail",
    "mail_connect",
)
"""Faults that leave no doubt about what became of a message: they withhold no proof of it."""


def named_fault(evidence: Evidence, patient: Patient, attempts: Sequence[Attempt]) -> Fault | None:
    """The fault that explains why nobody knows what became of attempts; None where none does."""
    return next(_candidates(evidence, patient, attempts), None)


def _candidates(
    evidence: Evidence, patient: Patient, attempts: Sequence[Attempt]
) -> Iterator[Fault]:
    ids = {attempt.id for attempt in attempts}
    faults = [fault for fault in evidence.faults if not fault.kind.startswith(_PLAIN)]
    for fault in faults:
        if ids & set(fault.attempts):
            yield fault
    for attempt in attempts:
        address = patient.phone if attempt.channel == "sms" else patient.email
        for begun in evidence.on_machine(attempt.at):
            for fault in faults:
                if _met(fault, address, begun):
                    yield fault
            for fault in faults:
                if _struck(fault, begun):
                    yield fault


def _met(fault: Fault, address: str, begun: int) -> bool:
    about = begun - BUSY_MS <= fault.start <= begun + CALL_MS
    return about and address in fault.to and not fault.attempts


def _struck(fault: Fault, begun: int) -> bool:
    if fault.to or fault.attempts:
        return False
    for beginning, reach in _AROUND.items():
        if fault.kind.startswith(beginning):
            return fault.start <= begun + reach and fault.end >= begun - BUSY_MS
    return False
