"""Stops, starts and what staff say they meant, in any order: a stop that stands is never undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.inbox.meanings import Meaning
from service.inbox.receive import InboundText
from service.store.reply_records import Reply
from tests.support.web import SENDER, Site, new_sid, site

TEXTS = {"opt_out": "please stop texting me", "opt_in": "START", "other": "what about magnesium"}
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("text"), st.sampled_from(list(TEXTS)), st.just(0)),
        st.tuples(st.just("correct"), st.sampled_from(list(TEXTS)), st.integers(0, 3)),
    ),
    min_size=2,
    max_size=9,
)
_numbers = count(1)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("web")) as running:
        yield running


@dataclass
class Model:
    """What a reader of the rules would expect of one phone.

    Attributes:
        means: of each message, now.
        first: what it was taken for at first.
        stops: of each stop, in its order: the message, whether it stands, and at which step.
        stood: of each message that was taken for a START: stops before it.
    """

    means: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    stops: list[tuple[int, bool, int]] = field(default_factory=list)
    stood: dict[int, int] = field(default_factory=dict)
    sent: list[int] = field(default_factory=list)
    restored: set[int] = field(default_factory=set)
    step: int = 0

    @property
    def silent(self) -> bool:
        return any(stands for _, stands, _ in self.stops)

    def text(self, means: str) -> None:
        self.step += 1
        self.means.append(means)
        self.first.append(means)
        self.sent.append(self.step)
        message = len(self.means) - 1
        if means == "opt_out":
            self.stops.append((message, True, self.step))
        elif means == "opt_in":
            self.stood[message] = len(self.stops)
            self._end(lambda _: True)

    def correct(self, message: int, means: str) -> None:
        self.step += 1
        was = self.means[message]
        if was == means:
            return
        later = any(means == "opt_in" and other > message for other, means in enumerate(self.means))
        self.means[message] = means
        if means == "opt_out":
            if not later:
                self.stops.append((message, True, self.step))
            self.restored.discard(message)
            return
        took_back = self.first[message] == "opt_in" or was == "opt_in"
        if means == "other" and took_back and self.stood.get(message) and not later:
            if was != "opt_out":
                self.stops.append((message, True, self.step))
            self.restored.add(message)
            return
        self.restored.discard(message)
        self._end(lambda each: each == message)
        if means == "opt_in":
            self.stood[message] = len(self.stops)
            if all(at < self.sent[message] for _, _, at in self.stops):
                self._end(lambda _: True)

    def _end(self, ends: Callable[[int], bool]) -> None:
        self.stops = [
            (message, stands and not ends(message), at) for message, stands, at in self.stops
        ]


def replies(web: Site, address: str) -> list[Reply]:
    said = web.core.conversations.of(address)
    return [each.what for each in said if isinstance(each.what, Reply)]


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(steps=STEPS)
def test_a_phone_is_silent_while_a_stop_stands_and_no_longer(
    web: Site, steps: list[tuple[str, str, int]]
) -> None:
    phone = f"+1503555{next(_numbers):04d}"
    patient = web.enrol(phone=phone)
    address = web.core.suppressions.digest("sms", phone)
    model, ids = Model(), list[str]()
    for what, means, which in steps:
        web.wait(11)
        if what == "text":
            sid = new_sid()
            web.core.inbox.receive(InboundText(sid, phone, SENDER, TEXTS[means]))
            found = web.core.replies.find(address, sid)
            assert found is not None
            ids.append(found.id)
            model.text(means)
        elif ids:
            message = which % len(ids)
            reply = web.core.replies.read(address, ids[message])
            assert reply is not None
            web.core.inbox_cases.correcting.correct(
                address,
                reply.id,
                Meaning.read([means]),
                number=reply.correction.number if reply.correction else 0,
                by="staff:0123456789ab",
                why="She told me so.",
            )
            model.correct(message, means)
        assert web.silent(patient) == model.silent, (what, means, which)
