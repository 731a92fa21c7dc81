"""A message that is being followed, and what is known of where it came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from service.clinics import Clinic
from service.inbox.people import Person
from service.store.reply_records import Reply


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message on record, before anything is done about it.

    Attributes:
        clinic: that answers.
        people: on its address, as they stood before it is followed; the latest enrolled first.
        awaited: whether somebody is joining who has yet to say YES from that phone.
        content: what was written, and its numbers. Read from the record where only that has it,
            and then empty where it was erased; raises as ``Replies.content`` does.
    """

    reply: Reply
    clinic: Clinic
    people: Sequence[Person]
    awaited: bool
    content: Callable[[], Mapping[str, str]]
