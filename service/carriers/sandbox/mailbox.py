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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiosmtpd.smtp import Envelope, Session

MAILDIR = "mail"


class _Handler:
    """Keeps what comes."""

    def __init__(self, letters: Letters) -> None:
        self._letters = letters

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
        self._letters.keep(raw, envelope.mail_from, envelope.rcpt_tos)
        return "250 2.0.0 kept"


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


async def serve(data_dir: Path, host: str, port: int, *, follow_stdin: bool = False) -> None:
    """Take mail until told to end; the port that was bound is printed as one line of JSON."""
    loop = asyncio.get_running_loop()
    handler = _Handler(Letters(data_dir / MAILDIR))

    def conversation() -> SMTP:
        return SMTP(handler, hostname="sandbox", loop=loop, enable_SMTPUTF8=True)

    server = await loop.create_server(conversation, host, port)
    sys.stdout.write(json.dumps({"port": server.sockets[0].getsockname()[1]}) + "\n")
    sys.stdout.flush()
    await until_told_to_end(follow_stdin=follow_stdin)
    server.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the mail server."""
    parser = argparse.ArgumentParser(description="The sandbox's mailbox (SMTP).")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument(
        "--follow-stdin", action="store_true", help="end when standard input closes"
    )
    options = parser.parse_args(arguments)
    options.data_dir.mkdir(parents=True, exist_ok=True)
    asyncio.run(
        serve(options.data_dir, options.host, options.port, follow_stdin=options.follow_stdin)
    )


if __name__ == "__main__":
    main()
