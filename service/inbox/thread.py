"""A thread as staff read it, and what waits for them as a row of a list."""

from __future__ import annotations

from dataclasses import dataclass

from service.errors import NotFound
from service.inbox.people import Person
from service.store.conversations import Sent
from service.store.corrections import Told
from service.store.records import Channel
from service.store.reply_records import Reply
from service.store.suppressions import Stand
from service.store.tasks import Note, Task
from service.store.worklist import Page, Row


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was said.

    Attributes:
        at_ms: business ms UTC.
        text: of a reply, and of what staff wrote, its words; None where they were erased, or cannot
            be read.
        answer: of a reply, the text that answered it as it came in.
        told: of a reply, what staff have put right, oldest first.
        notes: of a task, oldest first.
    """

    at_ms: int
    what: Reply | Sent | Task
    text: str | None = ""
    answer: str = ""
    told: tuple[Told, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Thread:
    """What was said by and to an address.

    Attributes:
        address: its digest.
        people: patients who use it, as far as the reader sees their clinics, the latest first.
        shared: somebody else uses it as well, whom the reader does not see.
        entries: oldest first.
        earlier: there are older ones that are not among them.
        tasks: of the address that are not closed, the most pressing first.
        stand: how the ledger has the address.
        clinic: id of the clinic that answers.
    """

    address: str
    channel: Channel
    people: tuple[Person, ...]
    shared: bool
    entries: tuple[Entry, ...]
    earlier: bool
    tasks: tuple[Task, ...]
    stand: Stand
    clinic: str

    @property
    def replies(self) -> tuple[Reply, ...]:
        """What was written to us, oldest first."""
        return tuple(each.what for each in self.entries if isinstance(each.what, Reply))

    def reply(self, identifier: str) -> Reply:
        """One of the replies.

        Raises:
            NotFound: there is none of that id that the reader sees.
        """
        for reply in self.replies:
            if reply.id == identifier:
                return reply
        raise NotFound("There is no such message.")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A thread, or a task, in a list of what waits.

    Attributes:
        names: given names of the patients concerned, as far as they can be read.
        text: what the task is about: the words of a reply; empty where there are none.
        age_ms: machine ms since it was opened.
    """

    row: Row
    names: tuple[str, ...]
    text: str
    age_ms: int


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """A page of them; ``page`` has the counts and where the next one begins."""

    page: Page
    waiting: tuple[Waiting, ...]
