"""Faulty TCP proxies between the service and its servers, as a process of its own.

An order names a target and a fault; the next bytes that a client sends to that target meet it:

================  =========================================================================
``reset_before``  the connection is reset, the bytes go nowhere
``reset_after``   the bytes go on, then the connection is reset before the answer comes back
``black_hole``    the bytes go nowhere, nothing comes back for ``seconds``, then a reset
``dribble``       the answer comes back a few bytes at a time for ``seconds``
``delay``         the bytes go on ``seconds`` late
================  =========================================================================

One JSON line on standard input is one order; one line on standard output says that it was taken.
The log tells when a fault met which connection, and which attempts the bytes were about.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fakes.launch import launched

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping

Order = dict[str, Any]
CHUNK = 65_536
GATHER_S = 0.02
"""A request may come in two pieces; a fault is to meet both."""
ANSWER_S = 0.1
"""How long a server has to read what it is sent before its connection is reset."""
DRIBBLE_BYTES, DRIBBLE_S = 8, 0.02
_ATTEMPT = re.compile(rb"status%3Fa%3D([0-9a-z]{26})")
_TO = re.compile(rb"(?:^|[&?])To=%2B(\d+)")


class Pipe:
    """One client's connection through the proxy."""

    def __init__(
        self, proxy: Proxy, target: str, client: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    ) -> None:
        self.proxy = proxy
        self.target = target
        self.from_client, self.to_client = client
        self.slow_until = 0.0
        self.mute = False

    async def run(self, host: str, port: int) -> None:
        try:
            self.from_server, self.to_server = await asyncio.open_connection(host, port)
        except OSError:
            self.reset()
            return
        down = asyncio.create_task(self.down())
        try:
            await self.up()
        finally:
            self.to_server.close()
            down.cancel()
            self.to_client.close()

    async def up(self) -> None:
        while True:
            try:
                piece = await self.from_client.read(CHUNK)
                if not piece:
                    return
                order = self.proxy.take(self.target, piece)
                if order is not None and not await self.meet(order, piece):
                    return
                if order is None:
                    self.to_server.write(piece)
                    await self.to_server.drain()
            except OSError:
                return

    async def meet(self, order: Order, piece: bytes) -> bool:
        """Do a fault to a piece; whether the connection lives on."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GATHER_S):
                while more := await self.from_client.read(CHUNK):
                    piece += more
        seconds = order.get("seconds", 0.0)
        self.proxy.note(order, seconds, piece)
        match order["fault"]:
            case "reset_before":
                self.reset()
                return False
            case "reset_after":
                self.mute = True
                await self.forward(piece)
                await asyncio.sleep(ANSWER_S)
                self.reset()
                return False
            case "black_hole":
                self.mute = True
                await asyncio.sleep(seconds)
                self.reset()
                return False
            case "dribble":
                self.slow_until = time.monotonic() + seconds
            case "delay":
                await asyncio.sleep(seconds)
        await self.forward(piece)
        return True

    async def forward(self, piece: bytes) -> None:
        self.to_server.write(piece)
        await self.to_server.drain()

    async def down(self) -> None:
        with contextlib.suppress(OSError):
            while piece := await self.from_server.read(CHUNK):
                while piece and time.monotonic() < self.slow_until:
                    self.to_client.write(piece[:DRIBBLE_BYTES])
                    piece = piece[DRIBBLE_BYTES:]
                    await asyncio.sleep(DRIBBLE_S)
                if self.mute:
                    continue
                self.to_client.write(piece)
                await self.to_client.drain()
        if not self.mute:
            self.to_client.close()

    def reset(self) -> None:
        """End the client's connection by RST."""
        raw = self.to_client.get_extra_info("socket")
        if raw is not None:
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.to_client.transport.abort()


class Proxy:
    """All listeners, and the orders that wait for bytes to meet."""

    def __init__(self, log: Path) -> None:
        self.waiting: list[Order] = []
        self._log = log.open("a", encoding="utf-8", buffering=1)

    def take(self, target: str, piece: bytes) -> Order | None:
        for order in self.waiting:
            if order["target"] == target and order.get("holding", "").encode() in piece:
                self.waiting.remove(order)
                return order
        return None

    def note(self, order: Order, seconds: float, piece: bytes) -> None:
        at = time.time_ns() // 1_000_000
        event = {
            "kind": order.get("kind") or f"{order['target']}_{order['fault']}",
            "start": at,
            "end": at + int(seconds * 1000),
            "attempts": [found.decode() for found in _ATTEMPT.findall(piece)],
            "to": ["+" + found.decode() for found in _TO.findall(piece)],
        }
        self._log.write(json.dumps(event) + "\n")

    async def listen(self, target: str, host: str, port: int) -> int:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await Pipe(self, target, (reader, writer)).run(host, port)

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        found: int = server.sockets[0].getsockname()[1]
        return found


class RunningProxy:
    """A harness's hold on the proxies' process.

    Attributes:
        ports: target -> the port that stands for it.
    """

    def __init__(self, ports: Mapping[str, int], process: subprocess.Popen[str]) -> None:
        self.ports = ports
        self._process = process
        self._turn = threading.Lock()

    def order(
        self, target: str, fault: str, seconds: float = 0.0, *, holding: str = "", kind: str = ""
    ) -> None:
        """Have the next bytes to a target (those that hold a text) meet a fault.

        ``kind`` is the name it gets in the log, where that is not target and fault.
        """
        order = {"target": target, "fault": fault, "seconds": seconds}
        self._say(order | {"holding": holding, "kind": kind})

    def clear(self) -> None:
        """Forget the orders that nothing has met yet."""
        self._say({"clear": True})

    def _say(self, order: Order) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            self._process.stdout.readline()


@contextlib.contextmanager
def running_proxy(log: Path, targets: Mapping[str, tuple[str, int]]) -> Iterator[RunningProxy]:
    """Run proxies for targets (name -> host and port) in a process of their own."""
    command = [sys.executable, "-m", "tests.chaos.proxy", "--log", str(log)]
    command += [f"{name}={host}:{port}" for name, (host, port) in targets.items()]
    with launched(command) as (process, ready):
        yield RunningProxy(ready, process)


async def _serve(options: argparse.Namespace) -> None:
    proxy = Proxy(options.log)
    ports = {}
    for text in options.targets:
        target, _, address = text.partition("=")
        host, _, port = address.rpartition(":")
        ports[target] = await proxy.listen(target, host, int(port))
    print(json.dumps(ports), flush=True)  # noqa: T201 - the answer
    ended, loop = asyncio.Event(), asyncio.get_running_loop()

    def obey() -> None:
        for line in sys.stdin:
            order = json.loads(line)
            if order.get("clear"):
                loop.call_soon_threadsafe(proxy.waiting.clear)
            else:
                loop.call_soon_threadsafe(proxy.waiting.append, order)
            print("{}", flush=True)  # noqa: T201 - the answer
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=obey, daemon=True).start()
    await ended.wait()


def main() -> None:
    """Run until standard input closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("targets", nargs="+", help="name=host:port")
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
