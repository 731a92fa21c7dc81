"""What mails are, told on a corpus in the shapes of the usual mail servers and programs.

The name of a file tells what it came to, and what it is: ``<purpose>--<kind>[-<status>]--<shape>``.
Beside a patient's answer stands a file with what is left of it.
"""

from __future__ import annotations

import time
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.dispatch.return_paths import Purpose
from service.inbox.mail.quoting import own_words
from service.inbox.mail.reading import MOST_BODY, Kind, read
from service.inbox.mail.statuses import Severity, severity, status_in
from tests.support.letters import CORPUS, letter

MAILS = sorted(CORPUS.glob("*.eml"))
ANSWERS = sorted(CORPUS.glob("*.txt"))
DAEMONS = {"bounce", "delayed", "delivered"}


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_each_mail_of_the_corpus_is_read_as_what_it_is(path: Path) -> None:
    purpose, told, _ = path.stem.split("--")
    kind, _, status = told.partition("-")
    content = letter(path.stem)
    reading = read(content, Purpose(purpose), null_sender=b"Return-Path: <>" in content[:200])
    assert (reading.kind, reading.status) == (Kind(kind), status)
    assert reading.message_id


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_line_ends_change_nothing(path: Path) -> None:
    purpose = Purpose(path.stem.partition("--")[0])
    content = letter(path.stem)
    bare = content.replace(b"\r\n", b"\n")
    one, other = (read(each, purpose, null_sender=False) for each in (content, bare))
    assert (one.kind, one.status, one.body) == (other.kind, other.status, other.body)


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_of_an_answer_the_patients_own_words_are_left(path: Path) -> None:
    reading = read(letter(path.stem), Purpose.BOUNCE, null_sender=False)
    assert reading.body == path.read_text("utf-8").removesuffix("\n")
    assert reading.sender == "ana@example.org"


@pytest.mark.parametrize(
    "name",
    [
        path.stem
        for path in MAILS
        if path.stem.split("--")[1].partition("-")[0] in DAEMONS and "appliance" not in path.stem
    ],
)
def test_a_report_says_the_same_whoever_its_envelope_names(name: str) -> None:
    purpose = Purpose(name.partition("--")[0])
    one, other = (read(letter(name), purpose, null_sender=null) for null in (False, True))
    assert (one.kind, one.status) == (other.kind, other.status)


def test_a_mail_without_an_id_is_known_by_all_of_its_bytes() -> None:
    one, other = b"From: a@b.example\r\n\r\nYes", b"From: a@b.example\r\n\r\nNo"
    ids = {read(each, Purpose.REPLY, null_sender=False).message_id for each in (one, one, other)}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("status", "weight"),
    [
        *((f"5.1.{detail}", Severity.DEAD) for detail in (0, 1, 2, 3, 4, 6, 10)),
        *((status, Severity.OURS) for status in ("5.1.7", "5.1.8", "5.7.1", "5.7.26", "5.6.0")),
        *((status, Severity.OURS) for status in ("4.7.1", "5.3.4", "5.2.3")),
        *((status, Severity.COUNTED) for status in ("5.2.2", "5.2.1", "5.0.0", "5.4.1", "")),
        *((status, Severity.COUNTED) for status in ("4.1.1", "4.2.2", "4.4.7", "4.0.0")),
    ],
)
def test_only_a_mailbox_that_does_not_exist_is_dead_at_once(status: str, weight: Severity) -> None:
    assert severity(status) is weight


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("550 5.1.1 <a@b>: unknown", "5.1.1"),
        ("550-5.1.1 The account", "5.1.1"),
        ("(#5.2.2)", "5.2.2"),
        ("status is 5.1.1.", "5.1.1"),
        ("Exim 4.97.1 at 5.1.1.9 said 550 No such user", "5.0.0"),
        ("host [5.1.1.25] said: 451 try later", "4.0.0"),
        ("version 5.1.2 said: 554 5.7.1 spam", "5.7.1"),
        ("250 2.0.0 Ok", ""),
        ("call (503) 555-0142 at 5.30", ""),
        ("", ""),
    ],
)
def test_a_status_is_found_among_versions_and_addresses(text: str, status: str) -> None:
    assert status_in(text) == status


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I walked for an hour and it helped a lot.",
        "From the knee down it hurts.\nTo be honest: a lot.",
        "El lunes me dolía mucho.",
        "I sent a mail from my phone to the clinic yesterday",
        "Date of birth: 1 May\nFrom: Portland",
        "- my leg hurts\n- my back too",
    ],
)
def test_what_only_looks_like_a_quote_is_kept(text: str) -> None:
    assert own_words(text) == text


def test_words_are_never_all_thrown_away() -> None:
    assert own_words("Sent from my iPhone\n\nI need help") == "Sent from my iPhone\n\nI need help"
    assert own_words("> only\n> quoted") == ""


@given(st.text(max_size=500))
def test_taking_quotes_away_adds_nothing(text: str) -> None:
    assert set(own_words(text).split()) <= set(text.split())


@given(st.sampled_from(["on ", "From: ", "-- ", "_", "> ", "a <b@c> "]), st.integers(1, 50_000))
def test_no_line_takes_long_however_long_it_is(piece: str, times: int) -> None:
    own_words(piece * times)


@given(st.binary(max_size=2000), st.sampled_from(list(Purpose)), st.booleans())
def test_bytes_of_any_kind_are_read(content: bytes, purpose: Purpose, null: bool) -> None:  # noqa: FBT001
    read(content, purpose, null_sender=null)


@given(
    st.sampled_from([path.stem for path in MAILS]),
    st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=8)), max_size=20),
    st.sampled_from(list(Purpose)),
)
def test_mails_with_bytes_changed_at_random_are_read(
    name: str, changes: list[tuple[int, bytes]], purpose: Purpose
) -> None:
    content = bytearray(letter(name))
    for position, piece in changes:
        content[position : position + len(piece)] = piece
    read(bytes(content), purpose, null_sender=True)


HEADERS = ("Subject", "From", "Content-Type", "Auto-Submitted", "Content-Disposition")


@pytest.mark.parametrize("name", [*HEADERS, "Content-Transfer-Encoding", "Message-ID", "To"])
@pytest.mark.parametrize(
    "value",
    [
        *("=?utf-8?b?////?=", "=?x?q?=FF?=", '"' * 3000, "(" * 3000, "<" * 5000, "\\" * 999),
        *("text/plain; charset*=''%FF", "multipart/mixed", 'a/b; boundary=""', ";;;;=;=", "\0"),
        *("Ñandú <ñ@ñ.example>", "a@b, c@d, <", "group: a@b;", "@" * 500, "text/plain; x=" * 200),
    ],
)
def test_headers_of_no_sense_are_read(name: str, value: str) -> None:
    content = f"{name}: {value}\r\nX-A: b\r\n\r\n7 of 10".encode()
    assert read(content, Purpose.REPLY, null_sender=False).kind in set(Kind)


def test_parts_within_parts_without_end_are_read() -> None:
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(900)
    )
    wide = b'Content-Type: multipart/mixed; boundary="a"\r\n\r\n' + b"--a\r\n\r\nx\r\n" * 50_000
    many = b"A: b\r\n" * 500_000 + b"\r\nhello"
    for content in (deep, wide, many):
        assert read(content, Purpose.REPLY, null_sender=False).kind is Kind.REPLY


@pytest.mark.parametrize("piece", ["<!--", "<?", "<![CDATA[", "<", "&", "<div>", "</", '<a x="'])
def test_html_of_no_sense_takes_no_time(piece: str) -> None:
    content = b"Content-Type: text/html\r\n\r\n" + piece.encode() * 100_000
    began = time.process_time()
    read(content, Purpose.REPLY, null_sender=False)
    assert time.process_time() - began < 10  # a hundred times what it takes


def test_what_html_does_not_show_is_left_out() -> None:
    html = (
        "<!DOCTYPE html><head><title>no</title><style>p > a {}</style><body><!-- if > mso -->Yes"
        "<!-- no --> <?x y?>please <b>stop</b><br/>1 &lt; 2 < 3<blockquote><p>no<blockquote>no"
        "</blockquote>no</blockquote><script>if (a<b) no()</script> and<!-- it goes on"
    )
    content = b"Content-Type: text/html\r\n\r\n" + html.encode()
    body = read(content, Purpose.REPLY, null_sender=False).body
    assert body == "Yes please stop\n1 < 2 < 3\nand it goes on"


def test_a_very_long_answer_is_cut() -> None:
    message = EmailMessage()
    message["From"] = "ana@example.org"
    message.set_content("long words " * 50_000)
    assert len(read(message.as_bytes(), Purpose.REPLY, null_sender=False).body) == MOST_BODY
