"""A Twilio that misbehaves on order, as a process of its own.

    with running_provider(tmp_path) as provider:
        provider.script({"fault": "hang_after", "times": 1})
        ...
        assert [text["to"] for text in provider.accepted()] == [...]

It is the sandbox's API with faults around it, listed in `tests.fakes.faults`. Scripts queue up,
and each request to *create* a message takes the first that fits: ``to`` limits one to a number,
and ``on: "list"`` makes it one for requests that read. ``on: "receipts"`` changes the receipts of
one message: ``lost``, ``late`` (by ``seconds``), ``twice``, ``backwards`` (the last one first).
The log tells which message a script hit, and when.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from aiohttp import web

from service.carriers.sandbox.handset import Handset
from service.carriers.sandbox.texts import FROM_API
from tests.fakes.faults import FAULTS, Fault
from tests.fakes.launch import launched
from tests.fakes.twilio import LaggingApi, LoggedCallbacks, ShiftedClock, TimedLog, take

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Awaitable, Callable, Iterator

ACCOUNT = "AC" + "0" * 32
TOKEN = "fake-auth-token"
SENDER = "+15005550006"


class Provider:
    """The API with faults around it, and a way to control it."""

    def __init__(self, log: Path, *, receipts: bool, inbound_url: str | None) -> None:
        self.texts = TimedLog(log)
        self.callbacks = LoggedCallbacks(ACCOUNT, TOKEN)
        self.callbacks.log = self.texts
        self.clock = ShiftedClock()
        now = self.clock.now_ms
        self.api = LaggingApi(
            ACCOUNT, TOKEN, self.texts, self.callbacks, business_ms=now, receipts=receipts
        )
        self.handset = Handset(
            self.texts,
            self.callbacks,
            inbound_url=inbound_url,
            number=SENDER,
            keywords=True,
            business_ms=now,
        )
        self.scripts: list[dict[str, Any]] = []
        self.api.scripts, self.api._clock = self.scripts, self.clock
        self.handset._clock = self.clock
        self.requests = 0
        self.ended = asyncio.Event()

    def application(self) -> web.Application:
        application = web.Application(middlewares=[self._faults])
        application.add_routes(
            [
                *self.api.routes(),
                web.post("/control/script", self._script),
                web.post("/control/receipt", self._receipt),
                web.post("/control/text", self._text),
                web.post("/control/block", self._block),
                web.post("/control/clear", self._clear),
                web.post("/control/settings", self._settings),
                web.get("/control/state", self._state),
            ]
        )
        application.on_shutdown.append(self._close)
        return application

    async def _close(self, _application: web.Application) -> None:
        self.ended.set()
        await self.callbacks.aclose()
        self.texts.close()

    @web.middleware
    async def _faults(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.path.startswith("/control/"):
            return await handler(request)
        self.requests += 1
        script = await self._next(request)
        if script is None:
            return await handler(request)
        self.texts.note_fault(script, {**request.query, **await request.post()})
        return await FAULTS[script["fault"]](Fault(self.api, self.ended, request, handler, script))

    async def _next(self, request: web.Request) -> dict[str, Any] | None:
        on = "create" if request.method == "POST" else "list"
        to = (await request.post()).get("To") if on == "create" else request.query.get("To")
        return take(self.scripts, on, str(to) if to else None)

    async def _script(self, request: web.Request) -> web.Response:
        self.scripts.extend(await request.json())
        return web.json_response({})

    async def _settings(self, request: web.Request) -> web.Response:
        settings = await request.json()
        self.api.receipts = settings.get("receipts", self.api.receipts)
        self.api.hidden = settings.get("hidden", self.api.hidden)
        self.api.list_down = settings.get("list_down", self.api.list_down)
        self.clock.ahead_ms = settings.get("ahead_ms", self.clock.ahead_ms)
        self.handset.inbound_url = settings.get("inbound_url", self.handset.inbound_url)
        return web.json_response({})

    async def _receipt(self, request: web.Request) -> web.Response:
        order = await request.json()
        text = self.texts.get(order["sid"])
        assert text is not None
        met = await self.api.receipt(text, order["status"], order.get("code"))
        return web.json_response({"status": met})

    async def _text(self, request: web.Request) -> web.Response:
        order = await request.json()
        text = self.handset.text(order["phone"], order["body"])
        if order.get("wait", True):
            await self.callbacks.settled()
        return web.json_response({"sid": text.sid})

    async def _clear(self, _request: web.Request) -> web.Response:
        self.scripts.clear()
        return web.json_response({})

    async def _block(self, request: web.Request) -> web.Response:
        self.texts.opt((await request.json())["phone"], out=True)
        return web.json_response({})

    async def _state(self, _request: web.Request) -> web.Response:
        return web.json_response({"requests": self.requests, "scripts": len(self.scripts)})


class RunningProvider:
    """A test's hold on the provider's process.

    Attributes:
        url: for ``TWILIO_API_BASE_URL``.
    """

    def __init__(self, url: str, log: Path, process: subprocess.Popen[str]) -> None:
        self.url = url
        self.process = process
        self._log = log
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=30)

    def script(self, *scripts: dict[str, Any]) -> None:
        """Queue faults; see the module's table."""
        self._post("script", list(scripts))

    def settings(self, **settings: str | float | None) -> None:
        """Set what stays so until it is set anew.

        ``receipts`` (sent unasked?), ``hidden`` (newest not listed), ``list_down``,
        ``inbound_url``, ``ahead_ms`` (how far the provider's clock is ahead of the machine's).
        """
        self._post("settings", settings)

    def receipt(self, sid: str, status: str, code: int | None = None) -> int | None:
        """Post one receipt now; the HTTP status it met."""
        met: int | None = self._post("receipt", {"sid": sid, "status": status, "code": code})[
            "status"
        ]
        return met

    def text(self, phone: str, body: str, *, wait: bool = True) -> str:
        """Text as a patient; returns its id, where it waits after our webhook has answered."""
        sid: str = self._post("text", {"phone": phone, "body": body, "wait": wait})["sid"]
        return sid

    def clear(self) -> None:
        """Forget the scripts that nothing has met yet."""
        self._post("clear", {})

    def block(self, phone: str) -> None:
        """Opt a number out at the provider, which then answers 21610, without telling us."""
        self._post("block", {"phone": phone})

    def requests(self) -> int:
        """How many requests have come in, refused ones too."""
        count: int = self._client.get("/control/state").raise_for_status().json()["requests"]
        return count

    def scripts(self) -> int:
        """How many faults are still to be played."""
        count: int = self._client.get("/control/state").raise_for_status().json()["scripts"]
        return count

    def accepted(self) -> list[dict[str, Any]]:
        """Every message that was accepted, oldest first: sid, to, sender, written, fields."""
        with self._log.open(encoding="utf-8") as lines:
            events = [json.loads(line) for line in lines if line.endswith("\n")]
        texts = [event["text"] for event in events if event["event"] == "text"]
        return [text for text in texts if text["direction"] == FROM_API]

    def _post(self, what: str, order: object) -> dict[str, Any]:
        answer = self._client.post(f"/control/{what}", json=order).raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def close(self) -> None:
        self._client.close()


@contextlib.contextmanager
def running_provider(
    directory: Path, *, receipts: bool = False, inbound_url: str | None = None
) -> Iterator[RunningProvider]:
    """Run a provider in a process of its own, with its log in ``directory``."""
    log = directory / "provider.jsonl"
    command = [sys.executable, "-m", "tests.fakes.provider", "--log", str(log)]
    command += ["--receipts"] if receipts else []
    command += ["--inbound-url", inbound_url] if inbound_url else []
    with launched(command) as (process, ready):
        provider = RunningProvider(f"http://127.0.0.1:{ready['port']}", log, process)
        try:
            yield provider
        finally:
            provider.close()


async def _serve(provider: Provider, port: int) -> None:
    runner = web.AppRunner(provider.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)  # noqa: T201 - the answer
    await asyncio.to_thread(sys.stdin.read)  # until the test lets go
    await runner.cleanup()


def main() -> None:
    """Run until standard input closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--receipts", action="store_true")
    parser.add_argument("--inbound-url")
    options = parser.parse_args()

    async def run() -> None:
        provider = Provider(options.log, receipts=options.receipts, inbound_url=options.inbound_url)
        await _serve(provider, options.port)

    asyncio.run(run())


if __name__ == "__main__":
    main()
