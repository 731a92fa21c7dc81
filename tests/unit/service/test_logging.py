"""Logs: one JSON object a line, without numbers, mailboxes or link tokens."""

from __future__ import annotations

import io
import json
import logging
import uuid
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from service.logging import configure_logging, redact
from service.store.keys import new_attempt_id, new_patient_id


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level, config = root.handlers[:], root.level, structlog.get_config()
    monkeypatch.setattr("sys.stderr", stream)
    configure_logging("info")
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)  # noqa: FBT003 - the library's signature
    structlog.configure(**config)


def logged(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("to +15035550142 now", "to [number] now"),
        ("call (503) 555-0142", "call ([number]"),
        ("503.555.0142", "[number]"),
        ("5035550142", "[number]"),
        ("+44 20 7946 0958", "[number]"),
        ("mail ana.b+x@example.org bounced", "mail [mailbox] bounced"),
        ("<ana@example.org>", "<[mailbox]>"),
        ("RCPT TO:<ana@example.org>", "RCPT TO:<[mailbox]>"),
        ("GET /u/AbC-9_x~z.q HTTP", "GET /u/[token] HTTP"),
        ("https://x.example/p/token123?x=1", "https://x.example/p/[token]?x=1"),
        ("code 21610, HTTP 429", "code 21610, HTTP 429"),
        ("partition 17 in 30.5 s", "partition 17 in 30.5 s"),
        ("503-555-0142.", "[number]."),
        ("+1 (503) 555-0142x17", "[number]x17"),
        ("5035550142 ext. 9", "[number] ext. 9"),
        ("5035550142ext9", "[number]ext9"),
        ("to_15035550142_sms", "to_[number]_sms"),
        ("To=%2B15035550142&From=x", "To=%2B[number]&From=x"),
        ("a+15035550142b", "a[number]b"),
        ("tel:5035550142", "tel:[number]"),
        (r"'Ana\n5035550142'", r"'Ana\n[number]'"),
        ("2026-11-21 5035550142", "2026-11-21 [number]"),
        ("smtp://ana:secret@mail.example:587", "[mailbox]"),
        ("smtp://user:password@host.example.org", "[mailbox]"),
    ],
)
def test_numbers_mailboxes_and_tokens_are_blotted_out(text: str, left: str) -> None:
    assert redact(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "Task aftervisit.drain[99d2aca1-2345-4678-9012-345678901a2e] succeeded",
        "12345678-1234-4123-8123-123412341234",
        "99d2aca1234567890a2e",
        "1234567890abcdef1234567890abcdef",
        "at 2026-11-21T01:30:21.123456+00:00 and 2026-11-21 01:30:21,123",
        "from 2026-11-21 to 2026-11-22",
        "give smtp://user:password@host:587?starttls=required or smtps://user:password@host.",
    ],
)
def test_ids_times_and_forms_of_a_setting_stay_as_they_are(text: str) -> None:
    assert redact(text) == text


@given(st.uuids())
def test_no_uuid_is_taken_for_a_number(task: uuid.UUID) -> None:
    assert redact(f"task {task}") == f"task {task}"


@given(st.binary(min_size=40, max_size=40))
def test_ids_of_ours_stay_readable_mostly(draw: bytes) -> None:
    # An id may hold nine digits in a row by chance and is then blotted out; never the other way.
    for identifier in (
        new_patient_id(1, lambda count: draw[:count]),
        new_attempt_id(1, lambda count: draw[:count]),
    ):
        assert redact(identifier) == identifier or "[number]" in redact(identifier)


@given(st.integers(2_000_000_000, 9_999_999_999), st.sampled_from(["", "+1", "1-", "(", "tel:"]))
def test_no_us_number_gets_through(number: int, before: str) -> None:
    assert str(number)[-7:] not in redact(f"x {before}{number} y")


def test_our_events_are_json_lines_and_redacted(lines: io.StringIO) -> None:
    structlog.get_logger("test").warning("late_record", attempt="01abc", fault="to +15035550142")
    (event,) = logged(lines)
    assert event["event"] == "late_record"
    assert event["level"] == "warning"
    assert event["fault"] == "to [number]"
    assert "timestamp" in event


def test_libraries_logs_are_redacted_too(lines: io.StringIO) -> None:
    logging.getLogger("kombu").warning("to %s at %s", "+15035550142", "ana@example.org")
    (event,) = logged(lines)
    assert event["event"] == "to [number] at [mailbox]"


def test_a_warning_of_python_is_a_json_line(lines: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("do not run as root, ana@example.org", RuntimeWarning, stacklevel=1)
    (event,) = logged(lines)
    assert (event["logger"], event["level"]) == ("py.warnings", "warning")
    assert "do not run as root, [mailbox]" in event["event"]


def test_a_traceback_is_one_line_and_redacted(lines: io.StringIO) -> None:
    def fail() -> None:
        raise ValueError("ana@example.org is no number: +15035550142")

    try:
        fail()
    except ValueError:
        structlog.get_logger("test").exception("fault")
        logging.getLogger("celery").exception("fault")
    ours, theirs = logged(lines)
    for event in (ours, theirs):
        assert "ValueError: [mailbox] is no number: [number]" in event["exception"]
    assert "ana@example" not in lines.getvalue()


def test_a_line_break_in_a_value_makes_no_second_line(lines: io.StringIO) -> None:
    structlog.get_logger("test").warning("x", fault='a\n{"event": "forged"}')
    logging.getLogger("lib").warning("a\nb")
    assert len(logged(lines)) == 2


def test_libraries_speak_up_from_warning_on(lines: io.StringIO) -> None:
    logging.getLogger("lib").info("chatter")
    structlog.get_logger("test").debug("detail")
    structlog.get_logger("test").info("told")
    assert [event["event"] for event in logged(lines)] == ["told"]
