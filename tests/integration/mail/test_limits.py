"""Whoever asks too much of the listener is sent away, and the others are served."""

from __future__ import annotations

import smtplib
import socket
from contextlib import ExitStack

import pytest

from service.mail.listener import MOST_BYTES, MOST_CONNECTIONS
from tests.support.listener import Post, client_of
from tests.support.polling import until


def refused(mail: Post) -> bool:
    try:
        client_of(mail.at).close()
    except smtplib.SMTPConnectError as error:
        return error.smtp_code == 421
    except smtplib.SMTPServerDisconnected:
        return True
    return False


def test_one_connection_too_many_is_sent_away_until_another_ends(mail: Post) -> None:
    with ExitStack() as stack:
        many = [stack.enter_context(mail.client()) for _ in range(MOST_CONNECTIONS)]
        assert refused(mail)
        assert many[0].noop()[0] == 250
    until(lambda: not refused(mail), "there is room again")


def test_a_line_without_an_end_is_cut_off(mail: Post, email: str) -> None:
    to = mail.paths.bounce(mail.sent(mail.patient(email)))
    with mail.client() as client:
        client.mail("")
        assert client.rcpt(to)[0] == 250
        assert client.docmd("DATA")[0] == 354
        assert client.sock is not None
        with pytest.raises(OSError):  # noqa: PT011 - a reset, or a broken pipe
            client.sock.sendall(b"x" * (4 * MOST_BYTES))
        client.close()
    with mail.client() as client:
        assert client.noop()[0] == 250


def test_commands_of_no_sense_end_in_a_goodbye(mail: Post) -> None:
    with socket.create_connection((mail.at.host, mail.at.port), 30) as raw:
        raw.sendall(b"\x00\xff GET / HTTP/1.1\r\n" * 10 + b"x" * 200_000 + b"\r\n")
        raw.sendall(b"NONSENSE ana@example.org\r\n" * 100)
        told = b""
        while piece := raw.recv(65536):
            told += piece
    assert b"ana@example.org" not in told
    assert told.count(b"\r\n") < 100


def test_nobody_logs_in_or_is_told_which_addresses_there_are(mail: Post) -> None:
    with mail.client() as client:
        assert "auth" not in client.esmtp_features
        assert client.docmd("VRFY", "ana@example.org")[0] == 252
        assert client.docmd("EXPN", "staff")[0] == 502
        assert client.docmd("AUTH", "PLAIN AGEAYg==")[0] >= 500
