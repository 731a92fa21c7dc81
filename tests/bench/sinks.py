"""Far ends that cost next to nothing, each a process of its own: what is measured is the sender.

``python -m tests.bench.sinks twilio [MS]`` answers every request with a created message, after so
many milliseconds; ``... smtp`` takes every message. Both print their port as one JSON line and end
with their stdin.
"""

# ruff: noqa: T201

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tests.fakes.launch import launched
from tests.support.polling import until
from tests.support.servers import free_port

SMTP_SINK = Path("/usr/sbin/smtp-sink")
"""Postfix's own; on PATH only for root in most distributions."""
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ANSWER = b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
_NO_MESSAGES = b'{"messages": [], "next_page_uri": null, "page": 0, "page_size": 50}'
_DOT = b"\r\n.\r\n"
SLOT_S = 0.01


@dataclass(frozen=True, slots=True)
class Sink:
    """A running far end.

    Attributes:
        name: what it is, for the report.
        pid: of its process, whose CPU time is reported beside each figure.
    """

    name: str
    port: int
    pid: int

    def created(self) -> int:
        """How many messages our Twilio sink has created."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/") as answer:
            return int(json.load(answer)["created"])

    def arrivals(self) -> dict[float, int]:
        """How many messages our Twilio sink has created in which slot (s UTC, `SLOT_S` wide)."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/") as answer:
            slots = json.load(answer)["slots"]
        return {int(slot) * SLOT_S: count for slot, count in slots.items()}


class TwilioSink(asyncio.Protocol):
    """Answers 201 with a message of the sort that Twilio answers, its id counted up.

    Attributes:
        delay_s: how long it takes for that.
    """

    created = 0
    delay_s = 0.0
    slots: ClassVar[Counter[int]] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with nothing read."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._unread = b""

    def data_received(self, data: bytes) -> None:
        """Answer every whole request read so far: ``GET /`` tells how many messages were created.

        Any other ``GET`` asks for a list of messages, and there are none: nobody has texted us.
        """
        self._unread += data
        while True:
            end = self._unread.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _LENGTH.search(self._unread, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._unread) < whole:
                return
            if self._unread.startswith(b"GET / "):
                told = {"created": TwilioSink.created, "slots": TwilioSink.slots}
                self._answer(200, b"OK", json.dumps(told).encode())
            elif self._unread.startswith(b"GET"):
                self._answer(200, b"OK", _NO_MESSAGES)
            else:
                self._create()
            self._unread = self._unread[whole:]

    def _create(self) -> None:
        TwilioSink.created += 1
        TwilioSink.slots[int(time.time() / SLOT_S)] += 1
        body = b'{"sid":"SM%032x","status":"queued"}' % TwilioSink.created
        if not TwilioSink.delay_s:
            self._answer(201, b"CREATED", body)
            return
        loop = asyncio.get_running_loop()
        loop.call_later(TwilioSink.delay_s, self._answer, 201, b"CREATED", body)

    def _answer(self, status: int, word: bytes, body: bytes) -> None:
        self._transport.write(_ANSWER % (status, word, len(body), body))


class SmtpSink(asyncio.Protocol):
    """Takes every message, with pipelining; only where Postfix's ``smtp-sink`` is not installed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._unread = b""
        self._in_message = False
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer every whole command, and every whole message."""
        self._unread += data
        while True:
            ends = _DOT if self._in_message else b"\r\n"
            line, found, rest = self._unread.partition(ends)
            if not found:
                return
            self._unread = rest
            if self._in_message:
                self._in_message = False
                self._transport.write(b"250 2.0.0 Ok\r\n")
            else:
                self._obey(line[:4].upper())

    def _obey(self, verb: bytes) -> None:
        if verb == b"EHLO":
            self._transport.write(b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
        elif verb == b"DATA":
            self._in_message = True
            self._transport.write(b"354 End data with <CR><LF>.<CR><LF>\r\n")
        elif verb == b"QUIT":
            self._transport.write(b"221 Bye\r\n")
            self._transport.close()
        else:
            self._transport.write(b"250 2.0.0 Ok\r\n")


@contextmanager
def running_sink(kind: str, delay_ms: int = 0) -> Iterator[Sink]:
    """Our own sink for ``twilio`` or ``smtp``; the former may take its time."""
    command = [sys.executable, "-m", "tests.bench.sinks", kind, str(delay_ms)]
    with launched(command) as (process, told):
        yield Sink(f"own {kind} sink", int(told["port"]), process.pid)


@contextmanager
def running_smtp_sink() -> Iterator[Sink]:
    """Postfix's ``smtp-sink``, or our own where it is not installed, which is said on stdout."""
    found = shutil.which("smtp-sink") or (str(SMTP_SINK) if SMTP_SINK.exists() else None)
    if found is None:
        print("No smtp-sink here (apt-get install postfix): mail goes to a sink of our own.")
        with running_sink("smtp") as sink:
            yield sink
        return
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([found, *user, f"127.0.0.1:{port}", "1000"])
    try:
        until(lambda: _listens(process.pid), "smtp-sink listens")
        yield Sink("Postfix smtp-sink", port, process.pid)
    finally:
        process.terminate()
        process.wait()


def _listens(pid: int) -> bool:
    import psutil  # noqa: PLC0415 - the sink's own process must not pay for it

    return any(c.status == psutil.CONN_LISTEN for c in psutil.Process(pid).net_connections())


async def _serve(protocol: Callable[[], asyncio.Protocol]) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, backlog=1000)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    TwilioSink.delay_s = int(sys.argv[2]) / 1000
    asyncio.run(_serve({"twilio": TwilioSink, "smtp": SmtpSink}[sys.argv[1]]))
