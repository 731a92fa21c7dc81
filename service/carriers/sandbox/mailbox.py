"""The sandbox's mail server: takes every mail and keeps it in a Maildir. Run with ``-m``."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aiosmtpd.smtp import SMTP

from service.carriers.sandbox.letters import Letters
from service.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiosmtpd.smtp import Envelope, Session

MAILDIR = "mail"


class _Handler:
    """Keeps what comes."""

    def __init__(self, letters: Letters, arrival_ms: Callable[[], int | None]) -> None:
        self._letters = letters
        self._arrival_ms = arrival_ms

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        session: Session,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Offer pipelining, which reading line by line gives us for nothing."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep one mail."""
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        self._letters.keep(raw, envelope.mail_from, envelope.rcpt_tos, self._arrival_ms())
        return "250 2.0.0 kept"


def business_clock(path: Path | None) -> Callable[[], int]:
    """Business time, ms UTC: the number in a file that beat keeps, or the machine's where none."""
    machine = SystemClock().now_ms
    if path is None:
        return machine

    def now_ms() -> int:
        try:
            return int(path.read_text(encoding="ascii"))
        except (OSError, ValueError):  # not there yet
            return machine()

    return now_ms


async def until_told_to_end(*, follow_stdin: bool) -> None:
    """Wait for SIGTERM or SIGINT, or with ``follow_stdin`` for the end of standard input."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if follow_stdin:

        def watch() -> None:
            if not os.read(sys.stdin.fileno(), 4096):
                ended.set()

        loop.add_reader(sys.stdin.fileno(), watch)
    await ended.wait()


async def serve(options: argparse.Namespace) -> None:
    """Take mail until told to end; the port that was bound is printed as one line of JSON."""
    loop = asyncio.get_running_loop()
    clock = options.clock_file
    arrival_ms = business_clock(clock) if clock else lambda: None
    handler = _Handler(Letters(options.data_dir / MAILDIR), arrival_ms)

    def conversation() -> SMTP:
        return SMTP(handler, hostname="sandbox", loop=loop, enable_SMTPUTF8=True)

    server = await loop.create_server(conversation, options.host, options.port)
    sys.stdout.write(json.dumps({"port": server.sockets[0].getsockname()[1]}) + "\n")
    sys.stdout.flush()
    await until_told_to_end(follow_stdin=options.follow_stdin)
    server.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the mail server."""
    parser = argparse.ArgumentParser(description="The sandbox's mailbox (SMTP).")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--clock-file", type=Path, help="file with business time, ms UTC")
    parser.add_argument(
        "--follow-stdin", action="store_true", help="end when standard input closes"
    )
    options = parser.parse_args(arguments)
    options.data_dir.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(options))


if __name__ == "__main__":
    main()
