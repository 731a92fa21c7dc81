"""What the service made of patients' messages, written down for the sandbox's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import itemgetter
from pathlib import Path

from service.bootstrap import Core
from service.carriers.sandbox.answers import ANSWERS
from service.carriers.sandbox.phone import TEXTS
from service.carriers.sandbox.tail import Tail, note
from service.carriers.sandbox.texts import INBOUND
from service.carriers.sandbox.why import JOURNAL, Followed
from service.inbox.mail.arrivals import mail_id
from service.inbox.mail.reading import Kind
from service.inbox.understanding import told
from service.store.keys import PartitionKeys
from service.store.records import Channel
from service.store.reply_records import Reply

_LATEST = 500
"""Entries of each audit looked at: what a message caused is among the newest."""
_WHAT = {"suppressed": "suppressed", "suppression_lifted": "lifted"}


@dataclass(frozen=True, slots=True)
class _Written:
    """A message that a patient sent off.

    Attributes:
        address: digest of the phone or mailbox.
        message_id: by which the service knows it.
    """

    channel: Channel
    address: str
    message_id: str


class JournalKeeper:
    """Looks up in the store what became of what patients write.

    Args:
        core: the service's.
        directory: the sandbox's.
    """

    def __init__(self, core: Core, directory: Path) -> None:
        self._core = core
        self._texts = Tail(directory / TEXTS)
        self._mails = Tail(directory / ANSWERS)
        self._journal = directory / JOURNAL
        self._waiting: dict[str, _Written] = {}
        self._joined: set[bytes] = set()

    def keep(self) -> None:
        """Write down what has been followed since the last call.

        Raises:
            StoreUnavailable: call again.
        """
        digest = self._core.suppressions.digest
        for event in self._texts.new():
            text = event.get("text", {})
            if text.get("direction") == INBOUND:
                address = digest("sms", text["sender"])
                self._waiting[text["sid"]] = _Written("sms", address, text["sid"])
        for mail in self._mails.new():
            if not mail["fault"]:
                named = mail_id(self._core.index, mail["id"], mail["to"], Kind.REPLY)
                address = digest("email", mail["mailbox"])
                self._waiting[mail["id"]] = _Written("email", address, named)
        for identifier, written in list(self._waiting.items()):
            reply = self._core.replies.find(written.address, written.message_id)
            if reply is not None and reply.done:
                del self._waiting[identifier]
                note(self._journal, asdict(self._followed(identifier, reply)))

    def _followed(self, identifier: str, reply: Reply) -> Followed:
        return Followed(
            id=identifier,
            channel=reply.channel,
            words=reply.heard.words,
            check_in=reply.heard.check_in,
            rules=told(reply.heard.rules, self._core.replies.content(reply).get("body", "")),
            answers=reply.messages,
            effects=(*self._audited(reply), *self._rated(reply)),
        )

    def _audited(self, reply: Reply) -> list[tuple[str, str]]:
        """What the audit says was done for this message's sake."""
        pipeline = self._core.client.pipeline(transaction=False)
        for partition in range(self._core.partitions):
            pipeline.xrevrange(PartitionKeys(partition).audit, count=_LATEST)
        audited = [entry for newest in pipeline.execute() for entry in newest]
        patients = self._core.suppressions.patients(reply.address)
        return [
            found
            for _, fields in sorted(audited, key=itemgetter(0))
            if (found := self._effect(fields, reply, patients))
        ]

    def _effect(
        self, fields: dict[bytes, bytes], reply: Reply, patients: Sequence[str]
    ) -> tuple[str, str] | None:
        what, on = fields[b"what"].decode(), fields.get(b"on", b"")
        if what == "enrolled" and fields[b"by"] == b"join" and reply.heard.says("affirm"):
            if on in self._joined or on.decode().partition(".")[0] not in patients:
                return None
            self._joined.add(on)
            return "enrolled", ""
        if fields.get(b"by") != reply.source.encode():
            return None
        if what == "task_opened":
            return "task", fields[b"kind"].decode()
        own = on.decode() == reply.address
        other = "email" if reply.channel == "sms" else "sms"
        return (_WHAT[what], reply.channel if own else other) if what in _WHAT else None

    def _rated(self, reply: Reply) -> list[tuple[str, str]]:
        return [
            ("rated", check_in.topic)
            for patient in self._core.suppressions.patients(reply.address)
            for check_in in self._core.check_ins.of(patient)
            if check_in.reply == reply.id
        ]
