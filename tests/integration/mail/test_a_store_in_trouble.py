"""A listener whose store goes away: it says "later", and what then comes again counts once."""

from __future__ import annotations

import smtplib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from schedules.delivery import State
from tests.support.letters import letter
from tests.support.listener import DOMAIN, Post, hand_over, post

DEAD = "bounce--bounce-5.1.1--postfix"
FULL = "bounce--bounce-5.2.2--postfix-full"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Post]:
    """A listener whose store a test may kill."""
    with post(tmp_path, "lmtp") as running:
        yield running


def test_while_the_store_is_down_mail_is_to_come_again_and_then_counts(own: Post) -> None:
    patient = own.patient("ana@example.com")
    attempt = own.sent(patient)
    to, leave = own.paths.bounce(attempt), own.paths.leave(own.mailbox(patient))
    own.server.kill()
    assert own.hand_over(DEAD, to, message_id="a@x") == 451
    assert own.hand_over("leave--leave--apple-mail", leave, message_id="b@x") == 451
    assert own.hand_over("complaint--complaint--yahoo-arf", f"complaints@{DOMAIN}", path=to) == 451
    answer = own.hand_over("reply--reply--gmail", own.paths.reply(attempt, patient), sender="a@x.y")
    assert answer == 451
    assert own.hand_over(DEAD, f"bounces+{'0' * 38}@{DOMAIN}") == 550

    own.server.start()
    assert own.hand_over("leave--leave--apple-mail", leave, message_id="b@x") == 250
    assert own.why(patient) == "one_click"
    assert own.hand_over(DEAD, to, message_id="a@x") == 250
    assert own.reached(attempt) == State.UNDELIVERED.code


def test_what_was_taken_outlives_the_store_being_killed(own: Post) -> None:
    patient = own.patient("ana@example.com")
    assert own.hand_over("leave--leave--gmail-button", own.paths.leave(own.mailbox(patient))) == 250
    own.server.kill()
    own.server.start()
    assert own.silent(patient)


def test_a_store_that_dies_again_and_again_under_a_bounce_has_it_once(own: Post) -> None:
    patient = own.patient("ana@example.com")
    attempt = own.sent(patient)
    to = own.paths.bounce(attempt)
    content = letter(FULL, path=to, message_id="full@x")
    stop, answers = threading.Event(), set[int]()

    def keep_handing_over() -> None:
        while not stop.is_set():
            try:
                with own.client() as client:
                    answers.add(hand_over(client, "", to, content))
            except smtplib.SMTPException as error:
                raise AssertionError from error

    thread = threading.Thread(target=keep_handing_over)
    thread.start()
    for _ in range(3):
        own.server.kill()
        own.server.start()
    stop.set()
    thread.join()

    assert answers <= {250, 451}
    changes = own.site.changes()
    assert own.hand_over(FULL, to, message_id="full@x") == 250
    assert own.site.changes() - changes <= 1
    assert own.reached(attempt) == State.UNDELIVERED.code
    assert (
        own.core.client.zcard(
            own.core.suppressions.keys(own.mailbox(patient)).bounces(own.mailbox(patient))
        )
        == 1
    )
    assert not own.silent(patient)


def test_a_mail_cut_off_between_its_effects_and_its_record_is_finished_by_its_copy(
    own: Post,
) -> None:
    """The effects are there and the record is not: as if the power went out in between."""
    patient = own.patient("ana@example.com")
    to = own.paths.bounce(own.sent(patient))
    assert own.hand_over(DEAD, to, message_id="a@x") == 250
    keys = own.core.suppressions.keys(own.mailbox(patient))
    (record,) = own.core.client.scan_iter(match=keys.mail("*"))
    own.core.client.delete(record)
    changes = own.site.changes()
    assert own.hand_over(DEAD, to, message_id="a@x") == 250
    assert own.site.changes() == changes + 1  # the record's own
    assert own.core.client.exists(record)
