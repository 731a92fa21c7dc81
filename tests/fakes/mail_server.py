# ruff: noqa: N802 - aiosmtpd finds its hooks by such names
"""A mail server that misbehaves on order, as a process of its own (aiosmtpd).

Scripts queue up; each step of a conversation takes the first that names it:

``at``      ``connect``, ``EHLO``, ``MAIL``, ``RCPT``, ``DATA``, or ``message``: the final dot
``reply``   what to answer instead (``"450 4.2.0 later"``); or
``do``      ``close`` the connection, or ``hang`` until the test ends; or
``wait``    seconds to wait before going on as usual
``accept``  at ``message``: keep the message first
``times``   how often (1)
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import ssl
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.fakes.launch import launched

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

USER, PASSWORD = "clinic", "p@ss/word:1"


class MailServer:
    """What all conversations share; also aiosmtpd's handler."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.log: Path = options.log
        self.scripts: list[dict[str, Any]] = []
        self.counts = {"connections": 0, "NOOP": 0, "MAIL": 0}
        self.writers: list[asyncio.Transport] = []
        self.ended = asyncio.Event()

    def next_script(self, at: str) -> dict[str, Any] | None:
        for script in self.scripts:
            if script["at"] == at:
                script["times"] = script.get("times", 1) - 1
                if script["times"] <= 0:
                    self.scripts.remove(script)
                return script
        return None

    async def handle_EHLO(
        self,
        _server: SMTP,
        session: Session,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        hidden = self.options.hide or []
        kept = [line for line in responses if not any(word in line for word in hidden)]
        if self.options.pipelining:
            kept.insert(-1, "250-PIPELINING")
        return kept

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        script = self.next_script("message")
        if script is None or script.get("accept"):
            self._keep(session, envelope)
        if script is not None:
            self.note_fault(script, envelope.rcpt_tos)
            return await obey(script, self, server) or "250 OK"
        return "250 2.0.0 OK"

    def note_fault(self, script: dict[str, Any], to: list[str]) -> None:
        """Leave word of what a script was done to, beside the log."""
        event = {**script, "to": to, "written": now_ms()}
        with self.log.with_suffix(".faults.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(event) + "\n")

    def _keep(self, session: Session, envelope: Envelope) -> None:
        assert isinstance(envelope.content, bytes)
        kept = {
            "sender": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode("latin-1"),
            "options": envelope.mail_options,
            "ehlo": session.host_name,
            "tls": session.ssl is not None or self.options.smtps,
            "user": session.auth_data.login.decode() if session.auth_data else None,
            "at": now_ms(),
        }
        with self.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(kept) + "\n")

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: object
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        right = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False, auth_data=given if right else None)


def now_ms() -> int:
    """The machine's time, ms UTC."""
    return time.time_ns() // 1_000_000


async def obey(script: dict[str, Any], shared: MailServer, server: SMTP) -> str | None:
    """Do what a script says; the reply to give, or None to go on as usual."""
    if script.get("do") == "close":
        assert server.transport is not None
        server.transport.close()
        raise asyncio.CancelledError
    seconds = 3600 if script.get("do") == "hang" else script.get("wait", 0)
    if seconds:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(shared.ended.wait(), seconds)
    reply: str | None = script.get("reply")
    return reply


class Conversation(SMTP):
    """One conversation, with the scripts before each command."""

    def __init__(self, shared: MailServer, **settings: Any) -> None:  # noqa: ANN401 - aiosmtpd's
        super().__init__(shared, **settings)
        self._shared = shared

    async def _handle_client(self) -> None:
        self._shared.counts["connections"] += 1
        assert isinstance(self.transport, asyncio.Transport)
        self._shared.writers.append(self.transport)
        script = self._shared.next_script("connect")
        if script is not None:
            self._shared.note_fault(script, [])
            reply = await obey(script, self._shared, self)
            if reply:
                await self.push(reply)
                self.transport.close()
                return
        await super()._handle_client()

    async def _scripted(self, at: str, arg: str | None = None) -> bool:
        self._shared.counts[at] = self._shared.counts.get(at, 0) + 1
        script = self._shared.next_script(at)
        if script is None:
            return False
        self._shared.note_fault(script, _recipients(self, arg))
        reply = await obey(script, self._shared, self)
        if reply is None:
            return False
        await self.push(reply)
        if reply.startswith("421"):
            assert self.transport is not None
            self.transport.close()
        return True

    async def smtp_EHLO(self, hostname: str) -> None:
        if not await self._scripted("EHLO"):
            await super().smtp_EHLO(hostname)

    async def smtp_MAIL(self, arg: str | None) -> None:
        if not await self._scripted("MAIL"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        if not await self._scripted("RCPT", arg):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        if not await self._scripted("DATA"):
            await super().smtp_DATA(arg)

    async def smtp_NOOP(self, arg: str) -> None:
        await self._scripted("NOOP")
        await super().smtp_NOOP(arg)


def _recipients(conversation: SMTP, arg: str | None) -> list[str]:
    """Whom a conversation is about, as far as it has been said."""
    envelope = conversation.envelope
    named = list(envelope.rcpt_tos) if envelope else []
    return named + re.findall(r"<([^<>]+@[^<>]+)>", arg or "")


class RunningMailServer:
    """A test's hold on the mail server's process."""

    def __init__(self, port: int, log: Path, process: subprocess.Popen[str]) -> None:
        self.port = port
        self._log = log
        self._process = process

    def script(self, *scripts: dict[str, Any]) -> None:
        """Queue scripts; see the module."""
        self._order({"script": list(scripts)})

    def clear(self) -> None:
        """Forget the scripts that nothing has met yet."""
        self._order({"clear": True})

    def hang_up(self) -> None:
        """Close every connection that is open."""
        self._order({"hang_up": True})

    def counts(self) -> dict[str, int]:
        """How many connections and commands there were."""
        return self._order({})

    def accepted(self) -> list[dict[str, Any]]:
        """Every mail that was accepted, oldest first: sender, to, content, options, tls, user."""
        if not self._log.exists():
            return []
        with self._log.open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if line.endswith("\n")]

    def _order(self, order: dict[str, object]) -> dict[str, int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        counts: dict[str, int] = json.loads(self._process.stdout.readline())
        return counts


@contextlib.contextmanager
def running_mail_server(directory: Path, *arguments: str) -> Iterator[RunningMailServer]:
    """Run a mail server in a process of its own; ``arguments`` as `main` takes them."""
    log = directory / "mail.jsonl"
    command = [sys.executable, "-m", "tests.fakes.mail_server", "--log", str(log), *arguments]
    with launched(command) as (process, ready):
        yield RunningMailServer(ready["port"], log, process)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--certificate", type=Path, help="PEM with key: offers STARTTLS")
    parser.add_argument("--smtps", action="store_true", help="TLS from the first byte")
    parser.add_argument("--login", action="store_true", help="asks for a login")
    parser.add_argument("--pipelining", action="store_true")
    parser.add_argument("--hide", action="append", help="an extension not to offer")
    parser.add_argument("--limit", type=int, default=10_000_000)
    return parser.parse_args()


def _obey_orders(shared: MailServer, loop: asyncio.AbstractEventLoop) -> None:
    """Runs in a thread: one order a line, one answer a line, until standard input closes."""

    async def do(order: dict[str, Any]) -> None:
        if order.get("clear"):
            shared.scripts.clear()
        shared.scripts.extend(order.get("script", []))
        if order.get("hang_up"):
            for transport in shared.writers:
                transport.close()
            shared.writers.clear()
        print(json.dumps(shared.counts), flush=True)  # noqa: T201 - the answer

    for line in sys.stdin:
        asyncio.run_coroutine_threadsafe(do(json.loads(line)), loop).result()
    loop.call_soon_threadsafe(shared.ended.set)


async def _serve(options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    shared = MailServer(options)
    tls = None
    if options.certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(options.certificate)

    def conversation() -> Conversation:
        return Conversation(
            shared,
            hostname="fake",
            loop=loop,
            enable_SMTPUTF8="SMTPUTF8" not in (options.hide or []),
            data_size_limit=options.limit,
            tls_context=None if options.smtps else tls,
            authenticator=shared.authenticate if options.login else None,
            auth_required=options.login,
            auth_require_tls=False,
        )

    server = await loop.create_server(
        conversation, "127.0.0.1", options.port, ssl=tls if options.smtps else None
    )
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)  # noqa: T201
    threading.Thread(target=_obey_orders, args=(shared, loop), daemon=True).start()
    await shared.ended.wait()
    server.close()


def main() -> None:
    """Run until standard input closes."""
    asyncio.run(_serve(_options()))


if __name__ == "__main__":
    main()
