"""Requests that trickle, or that nobody reads, over a real connection."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from service.accounts.roles import Role
from service.web.app import STATIC
from service.web.bodies import Pace
from tests.support.console import signed_in
from tests.support.polling import until
from tests.support.web import Site, served, site

QUICK = Pace(head_s=0.3, taken_s=0.5, first_s=0.3, floor=1_000_000, linger_s=0.3)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory: Path = tmp_path_factory.mktemp("slow")
    with site(directory) as running:
        yield running


@pytest.fixture(scope="module")
def quick(web: Site) -> Iterator[str]:
    """The address of a server that waits for nobody for long."""
    with served(web.core, QUICK) as (_, url):
        yield url


def told(url: str, request: bytes, body: bytes = b"") -> str:
    """What a server answers until it closes the connection."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=20) as connection:
        connection.sendall(request)
        connection.sendall(body)
        pieces = []
        while piece := connection.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces).decode()


def head(path: str, length: int, *more: str) -> bytes:
    """A request for a form of so many bytes."""
    kind = "Content-Type: application/x-www-form-urlencoded"
    lines = [f"POST {path} HTTP/1.1", "Host: x", kind, f"Content-Length: {length}", *more, "", ""]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"\r\n\r\n",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost",
    ],
)
def test_a_connection_that_asks_for_nothing_is_closed(quick: str, begun: bytes) -> None:
    assert told(quick, begun).count("HTTP/1.1") == begun.count(b"/healthz")


def test_headers_without_end_are_refused(quick: str) -> None:
    more = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 1_000) for number in range(60))
    parts = urlsplit(quick)
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        with pytest.raises(OSError, match=r"reset|pipe"):  # noqa: PT012 - whichever comes first
            for _ in range(1_000):
                connection.sendall(more)


def large(*more: str) -> bytes:
    """A request for the largest file that anybody may have."""
    (file,) = STATIC.glob("vendor/htmx-*.js")
    lines = [f"GET /static/vendor/{file.name} HTTP/1.1", "Host: x", *more, "", ""]
    return "\r\n".join(lines).encode()


def test_a_client_that_reads_no_answer_is_left(quick: str) -> None:
    parts = urlsplit(quick)
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=20) as connection:
        connection.sendall(400 * large())
        until(lambda: is_reset(connection), "the connection is cut")


def is_reset(connection: socket.socket) -> bool:
    try:
        connection.send(b"\r\n")
    except OSError:
        return True
    return False


def test_answers_that_are_read_come_whole(quick: str) -> None:
    answers = told(quick, 99 * large() + large("Connection: close"))
    assert answers.count("HTTP/1.1 200 ") == 100
    assert len(answers) > 100 * 50_000


def test_a_head_of_usual_size_is_taken(quick: str) -> None:
    request = head("/console/sign-in", 0, f"Cookie: a={'x' * 8_000}", "Connection: close")
    assert told(quick, request).startswith("HTTP/1.1 422 ")


@pytest.mark.parametrize("path", ["/console/sign-in", "/webhooks/twilio/inbound", "/join/sample"])
@pytest.mark.parametrize("begun", [b"", b"Body=a"])
def test_a_form_that_does_not_come_is_ended_with_the_connection(
    quick: str, path: str, begun: bytes
) -> None:
    answer = told(quick, head(path, 1_000), begun)
    assert answer.startswith("HTTP/1.1 408 ")
    assert "connection: close" in answer


def test_an_upload_that_does_not_come_is_ended(web: Site, quick: str) -> None:
    desk = signed_in(web, Role.STAFF)
    own = (f"Cookie: {desk.cookie}", "Sec-Fetch-Site: same-origin")
    answer = told(quick, head("/console/imports", 100_000_000, *own), b"a=b")
    assert answer.startswith("HTTP/1.1 408 ")


def test_a_body_of_parts_that_does_not_end_is_ended(web: Site, quick: str) -> None:
    desk = signed_in(web, Role.STAFF)
    lines = [
        "POST /console/imports HTTP/1.1",
        "Host: x",
        "Content-Type: multipart/form-data; boundary=x",
        "Transfer-Encoding: chunked",
        f"Cookie: {desk.cookie}",
        "Sec-Fetch-Site: same-origin",
    ]
    request = "\r\n".join([*lines, "", ""]).encode()
    assert told(quick, request, b"5\r\n--x\r\n\r\n").startswith("HTTP/1.1 408 ")


def test_who_may_not_upload_is_told_so_and_keeps_no_connection(quick: str) -> None:
    answer = told(quick, head("/console/imports", 100_000_000), b"a=b")
    assert answer.startswith("HTTP/1.1 303 ")
    assert "connection: close" in answer


def test_who_may_not_upload_and_sends_it_all_first_still_reads_the_answer(web: Site) -> None:
    size = 5_000_000
    answer = told(web.url, head("/console/imports", size), b"x" * size)
    assert answer.startswith("HTTP/1.1 303 ")


def test_a_small_form_that_nobody_reads_costs_no_connection(web: Site) -> None:
    parts = urlsplit(web.url)
    request = head("/console/patients/search", 8) + b"name=Ana"
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=20) as connection:
        for _ in range(3):
            connection.sendall(request)
            answer = connection.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 303 ")
            assert b"connection: close" not in answer
