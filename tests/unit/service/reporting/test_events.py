"""Everything that happens to a patient is told in a sentence, with when and by whom."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import service
from schedules.delivery import State
from service.inbox.mail.reading import Kind as MailKind
from service.inbox.understanding.intents import Intent
from service.preferences.choices import REASONS
from service.reporting.events import SUPPRESSED, Event, of_consent, of_entry, of_reply, of_sent
from service.reporting.lines import NOT_SENT, NOTHING, PLANNED, sentence_of
from service.store.audit import Entry
from service.store.conversations import Sent
from service.store.records import CHANNELS, Channel
from service.store.reply_records import Heard, Reply
from service.store.responses import WORDS
from service.store.suppressions import WEIGHTS

ZONE = ZoneInfo("America/Los_Angeles")
AT = datetime(2026, 3, 2, 18, 2, tzinfo=ZONE)
AT_MS = int(AT.timestamp() * 1000)


def told(
    what: str,
    reason: str = "",
    *,
    by: str = "staff:ida",
    where: Channel | None = None,
    said_by: Channel | None = None,
    until: datetime | None = None,
) -> Event:
    until_ms = None if until is None else int(until.timestamp() * 1000)
    entry = Entry(AT_MS, what, "ana" if where else "ana.1", by, reason, until_ms)
    found = of_entry(entry, ZONE, where, said_by)
    assert found is not None
    return found


def reply(*words: str, messages: tuple[str, ...] = (), done: bool = True, word: str = "") -> Reply:
    return Reply(
        id="r1",
        address="a1",
        channel="sms",
        heard=Heard(words, rules=("leave.stop",)),
        word=word,
        opt_out_type="",
        clinic="",
        via="webhook",
        at_ms=AT_MS,
        stops=1,
        new=False,
        asked=0,
        done=done,
        messages=messages,
        answer=None,
    )


def suppressed_for() -> Iterator[str]:
    """Every reason that the source gives for a suppression."""
    for path in Path(service.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "").endswith("suppress"):
                for word in node.keywords:
                    if word.arg == "reason":
                        yield from _constants(word.value)
                for given in node.args:
                    if isinstance(given, ast.Constant) and given.value not in CHANNELS:
                        yield str(given.value)


def _constants(value: ast.expr) -> Iterator[str]:
    for node in ast.walk(value):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (
            told("suppressed", "stop", by="reply:r1", where="sms", said_by="sms"),
            "Opted out by text on Monday 02 Mar 18:02.",
        ),
        (
            told("suppressed", "stop", by="reply:r1", where="email", said_by="sms"),
            "Opted out by text for e-mail on Monday 02 Mar 18:02.",
        ),
        (
            told("suppressed", "staff", where="sms"),
            "Stopped by staff (ida) for texts on Monday 02 Mar 18:02.",
        ),
        (
            told("suppression_lifted", "rejoined", by="one_click", where="email"),
            "Came back by the link in an e-mail for e-mail on Monday 02 Mar 18:02.",
        ),
        (told("status_p"), "Paused by staff (ida) on Monday 02 Mar 18:02."),
        (
            told("status_p", by="page", until=datetime(2026, 3, 20, tzinfo=ZONE)),
            "Paused until Friday 20 Mar on their page on Monday 02 Mar 18:02.",
        ),
        (told("status_a", by="cli"), "Resumed by staff on Monday 02 Mar 18:02."),
        (
            told("restarted"),
            "A stop of this series was undone by staff (ida) on Monday 02 Mar 18:02.",
        ),
        (
            told("status_o", "left", by="page"),
            "Left this series on their page on Monday 02 Mar 18:02.",
        ),
        (
            told("amended", "language,bedtime", by="page"),
            "Changed: language, bedtime, on their page on Monday 02 Mar 18:02.",
        ),
        (
            told("reply_corrected", "opt_out", by="staff:i"),
            "What they wrote was put right: it is an opt-out, by staff (i) on Monday 02 Mar 18:02.",
        ),
        (
            told("suppressed", "invalid", by="carrier:30005", where="sms"),
            "The address was found not to work for texts on Monday 02 Mar 18:02.",
        ),
        (
            told("suppressed", "complaint", by="mail:m1", where="email"),
            "Our mail was reported as unwanted on Monday 02 Mar 18:02.",
        ),
        (
            told("mail_bounce", by="mail:m1", where="email"),
            "An e-mail came back on Monday 02 Mar 18:02.",
        ),
    ],
)
def test_a_change_is_told_with_who_and_when(event: Event, sentence: str) -> None:
    assert event.sentence == sentence


def test_a_change_that_is_told_otherwise_is_no_event() -> None:
    for what in ("enrolled", "consented", "task_opened", "mail_reply", "from_the_future"):
        assert of_entry(Entry(AT_MS, what, "ana", "cli"), ZONE, None, None) is None


def test_every_change_that_a_script_writes_down_is_told_or_is_known_to_be_told_otherwise() -> None:
    scripts = Path(service.__path__[0]).joinpath("store", "scripts").glob("*.lua")
    written = {
        word
        for script in scripts
        for line in re.findall(r"'what', (.*)", script.read_text("utf-8"))
        for word in re.findall(r"'([a-z]{2,}_?[a-z]*)'", line.partition("'on'")[0])
    }
    otherwise = {
        *("enrolled", "consented", "erased", "task_opened", "task_taken", "task_returned"),
        *("task_closed", "task_reopened", "member_created", "answer_written", "seen"),
    }
    assert otherwise <= written
    assert written - otherwise == {
        *("suppressed", "suppression_lifted", "amended", "links_ended", "retried"),
        *("status_", "mail_", "reply_corrected", "moved", "moved_on", "sent_now", "restarted"),
    }


def test_the_source_is_searched_where_suppressions_are() -> None:
    assert {"complaint", "one_click", "invalid", "provider_opt_out"} <= set(suppressed_for())


@pytest.mark.parametrize(
    "reason", sorted({*suppressed_for(), *WEIGHTS, *REASONS.values(), "wrong_number", "died"})
)
def test_every_reason_of_a_suppression_has_its_words(reason: str) -> None:
    assert reason in SUPPRESSED
    assert told("suppressed", reason, where="sms").reason == reason


@pytest.mark.parametrize("kind", [kind for kind in MailKind if kind is not MailKind.REPLY])
def test_every_kind_of_mail_that_comes_back_is_told(kind: MailKind) -> None:
    assert told(f"mail_{kind}", by="mail:m1", where="email").kind == "mail"


@pytest.mark.parametrize("intent", [*Intent, "join"])
def test_a_reply_is_told_by_what_was_understood(intent: str) -> None:
    event = of_reply(reply(str(intent), messages=("help",)), AT, None)
    assert (event.reason, event.rules, event.text) == (intent, ("leave.stop",), None)
    assert "_" not in event.sentence
    assert event.sentence.endswith("It was answered: help.")


@pytest.mark.parametrize(
    ("given", "ending"),
    [
        (reply("other"), "It got no answer."),
        (reply("other", done=False), "It is not followed yet."),
        (reply("opt_out", word="STOP"), "We gave no answer: the provider answers that word."),
    ],
)
def test_a_reply_without_an_answer_says_why(given: Reply, ending: str) -> None:
    assert of_reply(given, AT, None).sentence.endswith(ending)


@pytest.mark.parametrize("state", WORDS.values())
def test_a_message_outside_of_a_series_is_told_with_what_became_of_it(state: str) -> None:
    event = of_sent(Sent("m1", "sms", "page-link", state, "30005"), AT)
    assert (event.outcome, event.reason, event.code) == (f"response_{state}", "page-link", "30005")
    assert event.sentence.endswith("(Provider's code 30005.)")


def test_no_event_has_an_outcome_that_a_delivery_may_have() -> None:
    deliveries = {state.value for state in State} | {PLANNED, NOT_SENT, NOTHING}
    found = {of_sent(Sent("m1", "sms", "help", state, ""), AT).outcome for state in WORDS.values()}
    found |= {of_reply(reply("other"), AT, None).outcome, told("suppressed", "stop").outcome}
    found |= {told(what).outcome for what in ("status_p", "status_a", "status_o", "amended")}
    found.add(told("restarted").outcome)
    assert not found & deliveries


def test_a_consent_is_told_on_the_patients_clock() -> None:
    at = AT.astimezone(UTC).isoformat()
    evidence = {"channel": "email", "method": "verbal", "wording": "2026-01", "at": at}
    event = of_consent(evidence, ZONE)
    assert (event.at, event.at.utcoffset()) == (AT, AT.utcoffset())
    assert event.sentence == "Agreed to messages by e-mail (verbal, wording 2026-01)."


def test_a_delivery_that_went_by_the_other_channel_says_so() -> None:
    told = sentence_of(State.SENT, "accepted", "", instead="email")
    assert told == "It was refused by text, and so it went by e-mail. The provider accepted it."
