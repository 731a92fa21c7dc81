"""Messages outside of a series, waiting to be sent: answers, confirmations, links, alerts to staff.

A record is one hash in the partition of the address it goes to, whose suppression the script that
begins it can so ask for. Its fields: ``a`` digest of the address, ``h`` channel, ``g`` clinic,
``m`` message, ``l`` language, ``f`` 1 for an answer and 2 for an alert, which go suppression
notwithstanding, ``x`` when it is no longer wanted, ``c`` encrypted recipient and values, ``kw`` set
where these stay when it is over, ``b`` who wrote it, ``s`` state, ``u`` end of its lease, ``id``
and ``rc`` the provider's id and code.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import structlog

from service.clock import BusinessClock, MachineClock
from service.store.keyring import Index, KeyMissing, KeyRing, Tampered
from service.store.keys import PartitionKeys
from service.store.records import LETTER, Channel
from service.store.scripts import Argument, Scripts

LOOK_AGAIN_MS: Final = 60_000
"""One that cannot be read is looked at again then: its key may be back."""
KEPT_MS: Final = 400 * 86_400_000
"""How long it is known that something was queued, and what became of it; its words are kept only
until it is over."""

log = structlog.get_logger(__name__)

Begun = Literal["ok", "expired", "suppressed", "unknown", "lost"]
Ended = Literal["sent", "failed", "unknown", "again"]
_STATES: Final[dict[Ended, str]] = {"sent": "s", "failed": "f", "unknown": "x", "again": "q"}
WORDS: Final[Mapping[str, str]] = {
    "q": "queued",
    "b": "begun",
    "s": "sent",
    "f": "failed",
    "x": "unknown",
    "d": "expired",
    "n": "suppressed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One message outside of a series.

    Attributes:
        channel: how it goes.
        to: normalised phone or mailbox.
        clinic: id of the clinic in whose name it goes.
        message: name in the library.
        language: of its words.
        once: whatever names it; queued again under the same name, it is the same message.
        values: more variables of the message.
        alert: to staff: nobody's suppression is asked, and an e-mail is its text alone.
        answers: an answer to what the person has just written: it goes suppression
            notwithstanding (ARCHITECTURE, "What a STOP covers").
        expires_s: after that many machine seconds it is not wanted any more.
        after_s: it waits for so many machine seconds.
        by: who wrote it, for the audit; its words stay on record then. Empty where nobody did.
    """

    channel: Channel
    to: str
    clinic: str
    message: str
    language: str
    once: str
    values: Mapping[str, str] = field(default_factory=dict)
    answers: bool = False
    alert: bool = False
    expires_s: float = 900.0
    after_s: float = 0.0
    by: str = ""


@dataclass(frozen=True, slots=True)
class Queued:
    """A response that waits.

    Attributes:
        id: its name in the store; fit for logs.
        address: digest of the recipient.
    """

    id: str
    address: str
    response: Response


class Responses:
    """Queues responses and hands them out, each at most once."""

    def __init__(
        self,
        scripts: Scripts,
        keyring: KeyRing,
        index: Index,
        digest: Callable[[Channel, str], str],
        keys_of: Callable[[str], PartitionKeys],
        machine: MachineClock,
        business: BusinessClock,
    ) -> None:
        self._scripts = scripts
        self._keyring = keyring
        self._index = index
        self._digest = digest
        self._keys_of = keys_of
        self._machine = machine
        self._business = business

    def queue(self, response: Response) -> bool:
        """Queue a message durably; False where it was queued before.

        Raises:
            StoreUnavailable: it may not be queued; ask again, it is idempotent.
        """
        address = self._digest(response.channel, response.to)
        keys = self._keys_of(address)
        key = keys.response(self._index.digest("response", response.once))
        now_ms = self._machine.now_ms()
        content = {"to": response.to, "values": dict(response.values), "once": response.once}
        sealed = self._keyring.encrypt(
            json.dumps(content, ensure_ascii=False).encode(), key.encode()
        )
        fields: dict[str, Argument] = {
            "a": address,
            "h": LETTER[response.channel],
            "g": response.clinic,
            "m": response.message,
            "l": response.language,
            "f": "2" if response.alert else str(int(response.answers)),
            "x": now_ms + int(response.expires_s * 1000),
            "c": sealed,
        }
        if response.by:
            fields |= {"kw": "1", "b": response.by}
        # An alert is not listed: whoever of the staff gets it may be a patient as well.
        at_ms = self._business.now_ms()
        after_ms = now_ms + int(response.after_s * 1000)
        args: list[Argument] = [after_ms, KEPT_MS, "" if response.alert else at_ms]
        args += [response.by, at_ms]
        for name, value in fields.items():
            args += [name, value]
        names = (key, keys.responses, keys.said(address), keys.audit)
        return bool(self._scripts.run_durably("queue_response", [(names, args)])[0])

    def waiting(self, partition: int, limit: int) -> list[Queued]:
        """Those of a partition whose time has come, the longest due first."""
        keys = PartitionKeys(partition)
        names = self._scripts.read_before([keys.responses], self._machine.now_ms(), limit)
        records = self._scripts.read_hashes([keys.response(name) for name in names])
        found = []
        for name, record in zip(names, records, strict=True):
            if not record:
                self._scripts.run("put_off", (keys.responses,), (name, ""))
                continue
            try:
                found.append(self._opened(name, keys.response(name), record))
            except (KeyMissing, Tampered) as error:
                log.error("response_unreadable", response=name, fault=str(error))
                again_ms = self._machine.now_ms() + LOOK_AGAIN_MS
                self._scripts.run("put_off", (keys.responses,), (name, again_ms))
        return found

    def _opened(self, name: str, key: str, record: Mapping[bytes, bytes]) -> Queued:
        content = json.loads(self._keyring.decrypt(record[b"c"], key.encode()))
        channel: Channel = "sms" if record[b"h"].decode() == LETTER["sms"] else "email"
        response = Response(
            channel=channel,
            to=content["to"],
            clinic=record[b"g"].decode(),
            message=record[b"m"].decode(),
            language=record[b"l"].decode(),
            once=content["once"],
            values=content["values"],
            answers=record[b"f"] == b"1",
            alert=record[b"f"] == b"2",
        )
        return Queued(name, record[b"a"].decode(), response)

    def begin(self, queued: Queued, *, lease_s: float) -> Begun:
        """Whether it may be sent now; ``ok`` is told once, durably, and never again.

        Raises:
            StoreUnavailable: nothing may be sent.
        """
        keys = self._keys_of(queued.address)
        now_ms = self._machine.now_ms()
        names = (keys.response(queued.id), keys.responses, keys.address(queued.address))
        args = (now_ms, now_ms + int(lease_s * 1000))
        answer = self._scripts.run_durably("begin_response", [(names, args)])[0]
        begun: Begun = answer.decode()
        return begun

    def end(
        self, queued: Queued, ended: Ended, *, after_s: float = 0.0, provider_id: str, code: str
    ) -> bool:
        """Record what became of one that was begun; ``again`` only where nothing was sent."""
        keys = self._keys_of(queued.address)
        at_ms = self._machine.now_ms() + int(after_s * 1000)
        names = (keys.response(queued.id), keys.responses)
        return bool(
            self._scripts.run("end_response", names, (_STATES[ended], at_ms, provider_id, code))
        )

    def put_off(self, queued: Queued, at_ms: int) -> None:
        """Look at one that was not begun again then (machine ms UTC)."""
        keys = self._keys_of(queued.address)
        self._scripts.run("put_off", (keys.responses,), (queued.id, at_ms))

    def state(self, channel: Channel, to: str, once: str) -> str | None:
        """What has become of a message, in a word; None where none was queued under that name."""
        keys = self._keys_of(self._digest(channel, to))
        key = keys.response(self._index.digest("response", once))
        state = self._scripts.read_hash(key).get("s")
        return None if state is None else WORDS[state.decode()]
