"""E-mail against mail servers in processes of their own: every stage, every way to fail."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import socket
import ssl
import subprocess
import time
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import uvloop

from service.carriers.base import AddressEffect, OutgoingEmail, Result
from service.carriers.smtp_email import SmtpEmail
from service.carriers.smtp_url import parse_smtp_url
from tests.fakes.mail_server import PASSWORD, USER
from tests.support.polling import until

if TYPE_CHECKING:
    from pathlib import Path

    from service.carriers.base import Outcome
    from tests.contract.carriers.conftest import MailServers
    from tests.fakes.mail_server import RunningMailServer

TOTAL_S = 0.6
CONTENT = b"Subject: A short walk\r\n\r\nHello\r\n.a dot first\r\n..\r\nend\r\n"
_boxes = itertools.count()


@pytest.fixture
def box() -> str:
    """A mailbox that no other test of this module writes to."""
    return f"ana{next(_boxes)}@example.org"


@pytest.fixture(params=["", "--pipelining"], ids=["one by one", "pipelined"])
def server(request: pytest.FixtureRequest, mail_servers: MailServers) -> RunningMailServer:
    return mail_servers(*filter(None, [request.param]))


def outgoing(to: str, content: bytes = CONTENT, age_s: float = 0.0, **more: str) -> OutgoingEmail:
    sender = more.get("sender", "care@clinic.example")
    return OutgoingEmail("a", to, sender, content, "<1@c.example>", time.monotonic() - age_s)


def sent(url: str, *emails: OutgoingEmail, **settings: Any) -> list[Outcome]:  # noqa: ANN401
    async def run() -> list[Outcome]:
        carrier = SmtpEmail(parse_smtp_url(url), **{"total_s": TOTAL_S, **settings})
        try:
            return [await carrier.send(email) for email in emails]
        finally:
            await carrier.aclose()

    return uvloop.run(run())


def url_of(server: RunningMailServer) -> str:
    return f"smtp://127.0.0.1:{server.port}?ehlo=clinic.example"


def kept(server: RunningMailServer, box: str) -> list[dict[str, Any]]:
    return [mail for mail in server.accepted() if mail["to"] == [box]]


def test_the_bytes_arrive_as_they_are_over_one_connection(
    server: RunningMailServer, box: str
) -> None:
    before = server.counts()["connections"]
    outcomes = sent(url_of(server), *(outgoing(box) for _ in range(5)))
    assert {outcome.result for outcome in outcomes} == {Result.ACCEPTED}
    assert server.counts()["connections"] == before + 1
    mails = kept(server, box)
    assert [mail["content"].encode("latin-1") for mail in mails] == [CONTENT] * 5
    assert {mail["sender"] for mail in mails} == {"care@clinic.example"}
    assert {mail["ehlo"] for mail in mails} == {"clinic.example"}


@pytest.mark.parametrize("at", ["connect", "MAIL", "RCPT", "DATA", "message"])
def test_a_4xx_at_any_stage_may_be_tried_again(
    server: RunningMailServer, box: str, at: str
) -> None:
    server.script({"at": at, "reply": "451 4.7.1 greylisted"})
    first, second = sent(url_of(server), outgoing(box), outgoing(box))
    assert (first.result, first.code, first.effect) == (Result.TRANSIENT, "451 4.7.1", None)
    assert second.result is Result.ACCEPTED
    assert len(kept(server, box)) == 1


@pytest.mark.parametrize(
    ("at", "reply", "result", "effect", "alert"),
    [
        ("connect", "554 no service", Result.STOPPED, None, True),
        ("MAIL", "550 5.7.1 not you", Result.STOPPED, None, True),
        ("MAIL", "530 5.7.0 log in first", Result.STOPPED, None, True),
        ("MAIL", "552 5.3.4 too big", Result.PERMANENT, None, True),
        ("RCPT", "550 5.1.1 nobody", Result.PERMANENT, AddressEffect.INVALID, False),
        ("RCPT", "550 5.1.10 null MX", Result.PERMANENT, AddressEffect.INVALID, False),
        ("RCPT", "553 5.1.8 your domain", Result.STOPPED, None, True),
        ("RCPT", "552 5.2.2 full", Result.PERMANENT, None, False),
        ("RCPT", "550 no", Result.PERMANENT, None, False),
        ("RCPT", "554 5.7.1 relay denied", Result.PERMANENT, None, True),
        ("DATA", "554 no valid recipients", Result.PERMANENT, None, False),
        ("message", "550 5.1.1 nobody after all", Result.PERMANENT, AddressEffect.INVALID, False),
        ("message", "554 5.7.26 unauthenticated", Result.PERMANENT, None, True),
    ],
)
def test_a_5xx_is_for_good_and_says_whose_fault_it_is(
    server: RunningMailServer,
    box: str,
    at: str,
    reply: str,
    result: Result,
    effect: AddressEffect | None,
    alert: bool,  # noqa: FBT001
) -> None:
    server.script({"at": at, "reply": reply})
    (outcome,) = sent(url_of(server), outgoing(box))
    assert (outcome.result, outcome.effect, outcome.alert) == (result, effect, alert)
    assert outcome.code is not None
    assert reply.startswith(outcome.code)
    assert kept(server, box) == []


@pytest.mark.parametrize("how", ["close", "hang"])
@pytest.mark.parametrize("at", ["connect", "EHLO", "MAIL", "RCPT", "DATA"])
def test_a_connection_lost_before_the_final_dot_proves_it_was_not_taken(
    server: RunningMailServer, box: str, at: str, how: str
) -> None:
    server.script({"at": at, "do": how})
    started = time.monotonic()
    (outcome,) = sent(url_of(server), outgoing(box))
    assert outcome.result is Result.TRANSIENT
    assert time.monotonic() - started < TOTAL_S + 5
    assert kept(server, box) == []


@pytest.mark.parametrize("how", ["close", "hang"])
@pytest.mark.parametrize("accepted", [True, False])
def test_a_connection_lost_after_the_final_dot_leaves_it_unknown(
    server: RunningMailServer,
    box: str,
    how: str,
    accepted: bool,  # noqa: FBT001
) -> None:
    server.script({"at": "message", "do": how, "accept": accepted})
    (outcome,) = sent(url_of(server), outgoing(box))
    assert outcome.result is Result.UNKNOWN
    assert len(kept(server, box)) == accepted


@pytest.mark.parametrize("reply", ["250", "354 go on", "nonsense"])
def test_only_a_2xx_after_the_final_dot_is_an_acceptance(
    server: RunningMailServer, box: str, reply: str
) -> None:
    server.script({"at": "message", "reply": reply, "accept": True})
    (outcome,) = sent(url_of(server), outgoing(box))
    expected = Result.ACCEPTED if reply == "250" else Result.UNKNOWN
    assert outcome.result is expected


@pytest.mark.parametrize("at", ["MAIL", "RCPT", "DATA"])
def test_a_kept_connection_that_breaks_before_the_body_is_replaced_within_the_same_attempt(
    server: RunningMailServer, box: str, at: str
) -> None:
    async def run() -> list[Outcome]:
        carrier = SmtpEmail(parse_smtp_url(url_of(server)), total_s=5)
        outcomes = [await carrier.send(outgoing(box))]
        for how in ({"do": "close"}, {"reply": "421 4.3.2 shutting down"}):
            server.script({"at": at, **how})
            outcomes.append(await carrier.send(outgoing(box)))
        await carrier.aclose()
        return outcomes

    assert [outcome.result for outcome in uvloop.run(run())] == [Result.ACCEPTED] * 3
    assert len(kept(server, box)) == 3


def test_a_kept_connection_that_the_server_closed_meanwhile_is_not_used(
    server: RunningMailServer, box: str
) -> None:
    async def run() -> list[Outcome]:
        carrier = SmtpEmail(parse_smtp_url(url_of(server)), total_s=5)
        outcomes = [await carrier.send(outgoing(box))]
        server.hang_up()
        outcomes.append(await carrier.send(outgoing(box)))
        await carrier.aclose()
        return outcomes

    assert [outcome.result for outcome in uvloop.run(run())] == [Result.ACCEPTED] * 2


def test_an_idle_connection_is_asked_before_it_is_used_and_an_old_one_is_left(
    server: RunningMailServer, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
        carrier = SmtpEmail(parse_smtp_url(url_of(server)), total_s=5)
        await carrier.send(outgoing(box))
        first = server.counts()
        monkeypatch.setattr("service.carriers.smtp_email.ASK_S", 0.0)
        await carrier.send(outgoing(box))
        second = server.counts()
        monkeypatch.setattr("service.carriers.smtp_email.IDLE_S", 0.0)
        await carrier.send(outgoing(box))
        third = server.counts()
        await carrier.aclose()
        return first, second, third

    first, second, third = uvloop.run(run())
    assert second["NOOP"] == first["NOOP"] + 1
    assert second["connections"] == first["connections"]
    assert third["connections"] == second["connections"] + 1


def test_a_refused_connection_is_proven_not_taken(box: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (outcome,) = sent(f"smtp://127.0.0.1:{port}", outgoing(box))
    assert outcome.result is Result.TRANSIENT


def test_an_attempt_begun_too_long_ago_is_not_sent(server: RunningMailServer, box: str) -> None:
    before = server.counts()["MAIL"]
    (outcome,) = sent(url_of(server), outgoing(box, age_s=2.1))
    assert outcome.result is Result.TOO_LATE
    assert server.counts()["MAIL"] == before


def test_a_slow_greeting_counts_towards_the_age_and_the_connection_is_kept_for_the_next(
    server: RunningMailServer, box: str
) -> None:
    server.script({"at": "connect", "wait": 0.4})
    before = server.counts()["connections"]
    late, prompt = sent(url_of(server), outgoing(box, age_s=1.8), outgoing(box), total_s=5.0)
    assert (late.result, prompt.result) == (Result.TOO_LATE, Result.ACCEPTED)
    assert server.counts()["connections"] == before + 1


def test_waiting_for_a_thread_past_the_deadline_is_not_sent(
    server: RunningMailServer, box: str
) -> None:
    async def run() -> list[Outcome]:
        carrier = SmtpEmail(parse_smtp_url(url_of(server)), connections=1, total_s=TOTAL_S)
        outcomes = await asyncio.gather(*(carrier.send(outgoing(box)) for _ in range(2)))
        await carrier.aclose()
        return list(outcomes)

    server.script({"at": "message", "do": "hang"})
    results = [outcome.result for outcome in uvloop.run(run())]
    assert results[0] is Result.UNKNOWN
    assert results[1] in {Result.TOO_LATE, Result.TRANSIENT}
    assert kept(server, box) == []


def test_a_cancelled_send_goes_no_further(server: RunningMailServer, box: str) -> None:
    async def run() -> None:
        carrier = SmtpEmail(parse_smtp_url(url_of(server)), total_s=20)
        task = asyncio.create_task(carrier.send(outgoing(box)))
        while server.counts().get("RCPT", 0) == before:  # noqa: ASYNC110 - the server is a process
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await carrier.aclose()

    before = server.counts().get("RCPT", 0)
    server.script({"at": "RCPT", "do": "hang"})
    uvloop.run(run())
    assert kept(server, box) == []


@pytest.mark.parametrize(
    "address",
    ["ana", "@example.org", "a b@example.org", "a@example.org>\r\nRCPT TO:<b@c.d>", "<a@b>"],
)
def test_an_address_that_cannot_stand_on_an_envelope_is_refused_here(
    server: RunningMailServer, address: str
) -> None:
    before = server.counts()["MAIL"]
    (outcome,) = sent(url_of(server), outgoing(address))
    assert (outcome.result, outcome.effect) == (Result.PERMANENT, AddressEffect.INVALID)
    assert server.counts()["MAIL"] == before


def test_a_domain_beyond_ascii_goes_in_its_ascii_form(mail_servers: MailServers, box: str) -> None:
    server = mail_servers("--hide", "SMTPUTF8")
    (outcome,) = sent(url_of(server), outgoing(box.replace("example", "bücher")))
    assert outcome.result is Result.ACCEPTED
    assert kept(server, box.replace("example", "xn--bcher-kva"))


def test_a_mailbox_beyond_ascii_needs_a_server_that_takes_it(
    mail_servers: MailServers, box: str
) -> None:
    plain, modern = mail_servers("--hide", "SMTPUTF8"), mail_servers()
    (refused,) = sent(url_of(plain), outgoing("ñ" + box))
    (taken,) = sent(url_of(modern), outgoing("ñ" + box))
    assert (refused.result, refused.effect) == (Result.PERMANENT, None)
    assert taken.result is Result.ACCEPTED
    assert kept(modern, "ñ" + box)


def test_eight_bit_content_is_announced_or_made_seven_bit(
    mail_servers: MailServers, box: str
) -> None:
    content = (
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\nMañana, 10 €\r\n"
    ).encode()
    eight, seven = mail_servers(), mail_servers("--hide", "8BITMIME")
    for server in (eight, seven):
        (outcome,) = sent(url_of(server), outgoing(box, content))
        assert outcome.result is Result.ACCEPTED
    (as_is,) = kept(eight, box)
    assert as_is["content"].encode("latin-1") == content
    assert "BODY=8BITMIME" in as_is["options"]
    (converted,) = kept(seven, box)
    assert converted["content"].isascii()
    message = message_from_bytes(converted["content"].encode(), policy=policy.default)
    assert message.get_content().strip() == "Mañana, 10 €"


def test_a_message_larger_than_the_server_takes_is_refused_here(
    mail_servers: MailServers, box: str
) -> None:
    server = mail_servers("--limit", "1000")
    (outcome,) = sent(url_of(server), outgoing(box, CONTENT + b"x" * 1000))
    assert (outcome.result, outcome.alert) == (Result.PERMANENT, True)


def test_lone_line_ends_are_made_whole_so_that_nothing_is_smuggled(
    server: RunningMailServer, box: str
) -> None:
    smuggled = b"Subject: x\r\n\r\none\n.\r\nMAIL FROM:<evil@example.org>\r\n.\rtwo"
    (outcome,) = sent(url_of(server), outgoing(box, smuggled))
    assert outcome.result is Result.ACCEPTED
    (mail,) = kept(server, box)
    assert mail["content"] == (
        "Subject: x\r\n\r\none\r\n.\r\nMAIL FROM:<evil@example.org>\r\n.\r\ntwo\r\n"
    )


LOGIN = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@"


@pytest.mark.parametrize("scheme", ["smtps", "starttls"])
def test_mail_goes_encrypted_and_logged_in(
    mail_servers: MailServers, certificate: Path, box: str, scheme: str
) -> None:
    options = ("--certificate", str(certificate), "--login")
    if scheme == "smtps":
        server = mail_servers(*options, "--smtps")
        url = f"smtps://{LOGIN}localhost:{server.port}?cafile={certificate}"
    else:
        server = mail_servers(*options)
        url = f"smtp://{LOGIN}localhost:{server.port}?starttls=required&cafile={certificate}"
    outcomes = sent(url, outgoing(box), outgoing(box), total_s=10)
    assert {outcome.result for outcome in outcomes} == {Result.ACCEPTED}
    assert [(mail["tls"], mail["user"]) for mail in kept(server, box)] == [(True, USER)] * 2


@pytest.mark.parametrize("scheme", ["smtps", "starttls"])
def test_a_certificate_that_is_not_trusted_gets_no_mail_unless_told_so(
    mail_servers: MailServers, certificate: Path, box: str, scheme: str
) -> None:
    options = ("--certificate", str(certificate))
    if scheme == "smtps":
        server = mail_servers(*options, "--smtps")
        url = f"smtps://localhost:{server.port}?"
    else:
        server = mail_servers(*options)
        url = f"smtp://localhost:{server.port}?starttls=required&"
    (refused,) = sent(url, outgoing(box), total_s=10)
    assert (refused.result, refused.alert) == (Result.TRANSIENT, True)
    assert "certificate" in refused.reason
    (taken,) = sent(url + "verify=no", outgoing(box), total_s=10)
    assert taken.result is Result.ACCEPTED
    assert len(kept(server, box)) == 1


def test_a_server_without_starttls_stops_the_sender_that_requires_it(
    mail_servers: MailServers, box: str
) -> None:
    server = mail_servers()
    (outcome,) = sent(f"smtp://127.0.0.1:{server.port}?starttls=required", outgoing(box))
    assert (outcome.result, outcome.alert) == (Result.STOPPED, True)
    assert kept(server, box) == []


def test_a_wrong_password_stops_the_sender(
    mail_servers: MailServers, certificate: Path, box: str
) -> None:
    server = mail_servers("--certificate", str(certificate), "--login")
    url = f"smtp://clinic:wrong@localhost:{server.port}?starttls=required&cafile={certificate}"
    (outcome,) = sent(url, outgoing(box), total_s=10)
    assert (outcome.result, outcome.alert) == (Result.STOPPED, True)
    assert outcome.code is not None
    assert outcome.code.startswith("535")


def test_a_password_that_no_login_can_carry_stops_the_sender(
    mail_servers: MailServers, certificate: Path, box: str
) -> None:
    server = mail_servers("--certificate", str(certificate), "--login")
    url = f"smtp://clinic:se%C3%B1a@localhost:{server.port}?cafile={certificate}"
    (outcome,) = sent(url, outgoing(box), total_s=10)
    assert outcome.result is Result.STOPPED


def _sink(*options: str) -> subprocess.Popen[bytes]:
    program = shutil.which("smtp-sink", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        reason = "this test needs Postfix's smtp-sink (apt-get install postfix)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    return subprocess.Popen([program, *user, *options])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), Result.ACCEPTED),
        (("-r", "RCPT"), Result.TRANSIENT),
        (("-f", "RCPT", "-B", "550 5.1.1 unknown"), Result.PERMANENT),
        (("-q", "DATA"), Result.TRANSIENT),
        (("-q", "."), Result.UNKNOWN),
        (("-w", "30"), Result.TRANSIENT),  # it is the answer to DATA that waits
    ],
    ids=str,
)
def test_postfixs_own_sink_is_understood_too(
    box: str, options: tuple[str, ...], expected: Result
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def listens() -> bool:
        with socket.socket() as caller:
            return caller.connect_ex(("127.0.0.1", port)) == 0

    with _sink(*options, f"127.0.0.1:{port}", "16") as sink:
        try:
            until(listens, "smtp-sink listens")
            (outcome,) = sent(f"smtp://127.0.0.1:{port}?ehlo=clinic.example", outgoing(box))
        finally:
            sink.kill()
    assert outcome.result is expected
    if expected is Result.PERMANENT:
        assert outcome.effect is AddressEffect.INVALID


def test_the_context_for_tls_verifies_by_default() -> None:
    context = parse_smtp_url("smtps://mail.example.org").trust()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
