"""Texts that join: a clinic's word, and the YES that confirms it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import structlog

from service.clinics import Clinic
from service.enrolment.joining_by_text import HELP, JoiningByText
from service.errors import InvalidInput
from service.inbox.arrived import Arrived
from service.store.reply_records import Heard, Reply

log = structlog.get_logger(__name__)

JOIN: Final = "join"
"""What is heard of a clinic's word, beside the intents."""


class Newcomers:
    """Hands texts that join to the use case of joining."""

    def __init__(self, joining: JoiningByText) -> None:
        self._joining = joining

    def heard(self, text: str, clinic: Clinic | None, found: Heard) -> Heard:
        """The same, or that the text is the word by which one joins."""
        if found.words == ("other",) and self._joining.keyword_of(text, clinic):
            return replace(found, words=(JOIN,), rules=("join.keyword",))
        return found

    def follow(self, arrived: Arrived, clinic: Clinic | None) -> str | None:
        """Follow a text that joins; the name of the message that answers, None where it does not.

        Args:
            arrived: the text.
            clinic: that was texted, None where that is not certain.

        Raises:
            StoreUnavailable: do it again, it is idempotent.
        """
        reply = arrived.reply
        if reply.channel != "sms":
            return None
        if reply.heard.says("opt_out"):
            if arrived.awaited:
                self._joining.forget(reply.address)
            return None
        if not _may_join(reply) or (reply.heard.says("affirm") and not arrived.awaited):
            return None
        content = arrived.content()
        phone, evidence = content["from"], content.get("id") or reply.id
        if reply.heard.says("affirm"):
            waits = self._joining.waits_for(reply.address, evidence)
            return self._confirm(phone, clinic, evidence) if waits else None
        word = self._joining.keyword_of(content["body"], clinic)
        if word is None:
            return None  # the clinics file has changed since
        return self._joining.begin_by_text(phone, word.clinic, word, evidence)

    def _confirm(self, phone: str, clinic: Clinic | None, evidence: str) -> str | None:
        try:
            return self._joining.confirm_by_text(phone, clinic, evidence) or None
        except InvalidInput as error:
            log.error("join_not_carried_out", fault=error.code)
            return HELP

    def language(self, arrived: Arrived) -> str | None:
        """The language that somebody who is joining has chosen, None for everybody else."""
        reply = arrived.reply
        if reply.channel != "sms" or not (arrived.awaited or _may_join(reply)):
            return None
        return self._joining.language_of(reply.address)


def _may_join(reply: Reply) -> bool:
    return reply.heard.says("affirm") or reply.heard.says(JOIN)
