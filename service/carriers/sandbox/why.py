"""Why the service did what it did with a patient's message: its own record, in plain words.

Nothing here is worked out anew. Whoever runs the service beside the sandbox writes its record down
in a file (``service.demo.journal``), which the page follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from service.carriers.sandbox.tail import Tail

if TYPE_CHECKING:
    from pathlib import Path

JOURNAL: Final = "followed.jsonl"
_WORDS: Final = {
    "opt_out": "wants no more messages",
    "opt_in": "wants messages again",
    "help": "asks for help",
    "affirm": "yes",
    "decline": "no",
    "check_in": "a rating",
    "urgent": "a sign that cannot wait",
    "other": "nothing that a rule knows",
    "join": "wants to join",
    "everything": "of any kind",
    "wrong_number": "the number of somebody else",
    "died": "the patient has died",
}
_NOBODY_ALERTED: Final = "Put before the staff, to read"
_TASKS: Final = {
    "urgent": "Escalation opened: staff are alerted until somebody takes it",
    "worse": "Put before the staff, who are alerted: the rating is much worse",
    "died": "Put before the staff, who are alerted: the patient has died",
    "wrong_number": "Put before the staff: the number belongs to somebody else",
}
_CHANNELS: Final = {"sms": "texts to this phone", "email": "e-mail to this mailbox"}
_OTHER: Final = {"sms": "texts either", "email": "e-mail either"}


@dataclass(frozen=True, slots=True)
class Followed:
    """What the service has on record of a message.

    Attributes:
        id: the message's, as the sandbox knows it.
        channel: that it came by.
        words: what was understood, as ``reply_records.Heard`` has it.
        check_in: the rating; None where it holds none that is clear.
        rules: that fired.
        answers: names of the answers in the library.
        effects: what changed, each as its kind and what it is of: ``suppressed`` and ``lifted``
            with the channel, ``task`` with the kind, ``rated`` with the topic, ``enrolled``.
    """

    id: str
    channel: str
    words: tuple[str, ...]
    check_in: int | None
    rules: tuple[str, ...]
    answers: tuple[str, ...]
    effects: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> Followed:
        """From a line of the journal."""
        return cls(
            id=line["id"],
            channel=line["channel"],
            words=tuple(line["words"]),
            check_in=line["check_in"],
            rules=tuple(line["rules"]),
            answers=tuple(line["answers"]),
            effects=tuple((what, of) for what, of in line["effects"]),
        )


@dataclass(frozen=True, slots=True)
class Why:
    """The same for people.

    Attributes:
        understood: a phrase.
        rules: names of the rules that said so.
        did: a phrase for each thing that was done; never empty.
    """

    understood: str
    rules: tuple[str, ...]
    did: tuple[str, ...]

    @classmethod
    def of(cls, followed: Followed) -> Why:
        """In plain words."""
        words = [_word(word, followed.check_in) for word in followed.words]
        did = [
            *(_effect(what, of, followed) for what, of in followed.effects),
            *(f"Answered with “{name}”" for name in followed.answers),
        ]
        return cls(", ".join(words), followed.rules, tuple(did) or ("Nothing had to be done",))


class Journal:
    """The record of all messages, as far as it is written.

    Args:
        path: the file; it may not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._tail = Tail(path)
        self._followed: dict[str, Why] = {}

    def why(self) -> Mapping[str, Why]:
        """By the messages' ids."""
        for line in self._tail.new():
            followed = Followed.read(line)
            self._followed[followed.id] = Why.of(followed)
        return self._followed


def _word(word: str, check_in: int | None) -> str:
    if word == "check_in":
        return "a rating that is not clear" if check_in is None else f"a rating of {check_in}"
    return _WORDS.get(word, word)


def _effect(what: str, of: str, followed: Followed) -> str:
    match what:
        case "suppressed":
            where = _CHANNELS[of] if of == followed.channel else _OTHER[of]
            return f"Opted out: no more {where}"
        case "lifted":
            return f"Opt-out lifted: {_CHANNELS[of]} may go out again"
        case "enrolled":
            return "Enrolled: a series begins"
        case "rated":
            return f"Rating {followed.check_in} kept, for {of}"
        case "task":
            return _TASKS.get(of, _NOBODY_ALERTED)
        case _:
            return what
