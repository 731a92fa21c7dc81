"""The use cases of what patients write, wired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.bootstrap.texts import text_carrier
from service.inbox.answers import Answers
from service.inbox.care import Care, CareParts
from service.inbox.correcting import Correcting, CorrectingParts
from service.inbox.desk import Desk
from service.inbox.leaving import Leaving
from service.inbox.newcomers import Newcomers
from service.inbox.rating import Ratings
from service.inbox.receive import Inbox
from service.inbox.received import LIMIT_S, ReceivedTimes
from service.inbox.scope import Scope
from service.inbox.threads import ThreadParts, Threads
from service.inbox.writing import Writing, WritingParts
from service.store.scope import ScopeQuestions

if TYPE_CHECKING:
    from service.bootstrap.core import Core


@dataclass(frozen=True, slots=True)
class InboxCases:
    """What is done with a message.

    Attributes:
        inbox: follows and answers it.
        correcting: puts right what was understood of it.
        threads: shows staff what was said.
        writing: sends what staff write back.
    """

    inbox: Inbox
    correcting: Correcting
    threads: Threads
    writing: Writing


def inbox_cases(core: Core) -> InboxCases:
    """All of them, on an open core."""
    answers = Answers(core.renderer, core.composer, core.clinics, core.patients, core.responses)
    parts = CareParts(core.patients, core.tasks, core.check_ins)
    times = ReceivedTimes(lambda: text_carrier(core.settings, total_s=LIMIT_S))
    leaving = Leaving(core.replies, core.suppressions, answers, times.of)
    care = Care(parts, core.catalog, core.business)
    inbox = Inbox(
        core.replies,
        core.suppressions,
        answers,
        leaving,
        care,
        Newcomers(core.joining.by_text),
        Scope(ScopeQuestions(core.client, core.suppressions.keys), core.staff),
        core.senders,
        core.machine,
    )
    correcting = Correcting(
        CorrectingParts(
            core.replies,
            core.corrections,
            core.conversations,
            core.suppressions,
            answers,
            leaving,
            care,
            Desk(core.tasks, care),
            Ratings(core.patients, core.check_ins),
        )
    )
    return InboxCases(inbox, correcting, _threads(core, answers), _writing(core))


def _threads(core: Core, answers: Answers) -> Threads:
    return Threads(
        ThreadParts(
            core.worklist,
            core.tasks,
            core.conversations,
            core.corrections,
            core.suppressions,
            answers,
            core.patients,
            core.keyring,
            core.machine,
        )
    )


def _writing(core: Core) -> Writing:
    return Writing(
        WritingParts(
            core.responses,
            core.replies,
            core.suppressions,
            core.renderer,
            core.composer,
            core.machine,
            core.business,
            core.settings.clock_setting.factor or 1.0,
        )
    )
