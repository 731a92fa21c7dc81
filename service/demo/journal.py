"""What the service made of patients' messages, written down for the sandbox's page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from service.bootstrap import Core
from service.carriers.sandbox.answers import ANSWERS
from service.carriers.sandbox.phone import TEXTS
from service.carriers.sandbox.tail import Tail, note
from service.carriers.sandbox.texts import INBOUND
from service.carriers.sandbox.why import JOURNAL, Followed
from service.inbox.mail.arrivals import mail_id
from service.inbox.mail.reading import Kind
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
            rules=reply.heard.rules,
            answers=reply.messages,
            effects=(*self._audited(reply), *self._rated(reply)),
        )

    def _audited(self, reply: Reply) -> list[tuple[str, str]]:
        """What the audit says was done for this message's sake."""
        pipeline = self._core.client.pipeline(transaction=False)
        for partition in range(self._core.partitions):
            pipeline.xrevrange(PartitionKeys(partition).audit, count=_LATEST)
        by = reply.source.encode()
        entries = sorted(
            (at, fields)
            for newest in pipeline.execute()
            for at, fields in newest
            if fields.get(b"by") == by
        )
        return [found for _, fields in entries if (found := _effect(fields, reply))]

    def _rated(self, reply: Reply) -> list[tuple[str, str]]:
        return [
            ("rated", check_in.topic)
            for patient in self._core.suppressions.patients(reply.address)
            for check_in in self._core.check_ins.of(patient)
            if check_in.reply == reply.id
        ]


def _effect(fields: dict[bytes, bytes], reply: Reply) -> tuple[str, str] | None:
    what = fields[b"what"].decode()
    if what == "task_opened":
        return "task", fields[b"kind"].decode()
    if what not in _WHAT:
        return None
    own = fields[b"on"].decode() == reply.address
    other = "email" if reply.channel == "sms" else "sms"
    return _WHAT[what], reply.channel if own else other
