"""A wire between a process and its server, which a test can hold, silence or cut at an exact point.

    with wire_to(store) as wire:
        moment = wire.hold(script("begin"), "answer")
        ...                      # start a worker on wire.url
        moment.await_reached()   # the store has done it, the worker does not know yet
        moment.release()

It needs no right that an ordinary user lacks: it is a proxy, in a thread of the test.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from service.store.keys import PartitionKeys, new_patient_id
from service.store.scripts import _sources
from tests.support.polling import until
from tests.support.servers import Server

Part = Literal["request", "answer"]
CHUNK = 65_536
OVERLAP = 64
"""What is looked for may be split over two reads; longer than any of it."""


def script(name: str) -> bytes:
    """What a call of a Lua script is known by on the wire."""
    return _sources()[name][1].encode()


def record(partition: int) -> bytes:
    """What reading a patient's whole record is known by: a claim's second half."""
    keys = PartitionKeys(partition)
    length = len(keys.patient(new_patient_id(partition, bytes)))
    return f"HGETALL\r\n${length}\r\n{keys.patient('')}".encode()


def load_scripts(server: Server) -> None:
    """Load all scripts, so that the first call of each is the one that does something."""
    with server.client() as client:
        for text, _ in _sources().values():
            client.script_load(text)


@dataclass(eq=False)
class Moment:
    """A point on the wire at which everything waits.

    Attributes:
        needle: the request that is meant.
        part: whether the request is kept from the server, or its answer from the client.
    """

    needle: bytes
    part: Part
    reached: threading.Event = field(default_factory=threading.Event)
    reached_at: float = 0.0
    released: threading.Event = field(default_factory=threading.Event)

    def await_reached(self, limit_s: float = 90) -> None:
        """Wait until the request has come (and for an answer: has been passed on)."""
        until(self.reached.is_set, f"the {self.part} is held", limit_s=limit_s)

    def age_s(self) -> float:
        """Seconds since it was reached."""
        return time.monotonic() - self.reached_at

    def reach(self) -> None:
        """The wire has come to it."""
        if not self.reached.is_set():
            self.reached_at = time.monotonic()
            self.reached.set()

    def release(self) -> None:
        """Let everything go on."""
        self.released.set()


@dataclass(eq=False)
class Connection:
    """One connection through the wire, and what holds its two directions."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    silent: bool = False
    answers_held: Moment | None = None


class Wire:
    """Passes bytes on until it is told otherwise."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._moments: list[Moment] = []
        self._seen: dict[bytes, int] = {}
        self._connections: set[Connection] = set()
        self._loop = asyncio.new_event_loop()
        self.port = 0
        self.silent = False

    @property
    def url(self) -> str:
        """Redis URL of database 0, through the wire."""
        return f"redis://127.0.0.1:{self.port}/0"

    def hold(self, needle: bytes, part: Part) -> Moment:
        """Hold the next request that contains ``needle``, or the answer to it."""
        moment = Moment(needle, part)
        self._moments.append(moment)
        return moment

    def watch(self, needle: bytes) -> None:
        """Count the requests that contain ``needle`` from now on."""
        self._seen[needle] = 0

    def seen(self, needle: bytes) -> int:
        """How many there were."""
        return self._seen[needle]

    def go_silent(self) -> int:
        """Pass nothing on any more, either way, on the connections there are; how many those are.

        They stay open: neither end is told. New ones work, as after a firewall lost its state.
        """
        connections = [each for each in self._connections if not each.silent]
        for connection in connections:
            connection.silent = True
        return len(connections)

    def cut(self) -> None:
        """Close every connection at once, without a farewell."""
        self._loop.call_soon_threadsafe(self._abort_all)

    def _abort_all(self) -> None:
        for connection in self._connections:
            for writer in (connection.client, connection.server):
                writer.transport.abort()

    async def _serve(self, ready: threading.Event, ended: asyncio.Event) -> None:
        listener = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = listener.sockets[0].getsockname()[1]
        ready.set()
        await ended.wait()
        listener.close()
        for moment in self._moments:
            moment.release()
        self._abort_all()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answers, requests = await asyncio.open_unix_connection(str(self._server.socket))
        except OSError:
            writer.transport.abort()
            return
        connection = Connection(writer, requests)
        self._connections.add(connection)
        ways = [
            asyncio.create_task(self._pass_requests(connection, reader)),
            asyncio.create_task(self._pass_answers(connection, answers)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._connections.discard(connection)
            for way in ways:
                way.cancel()
            for end in (writer, requests):
                end.transport.abort()

    async def _pass_requests(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        tail = b""
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK):
                text = tail + chunk
                tail = text[-OVERLAP:]
                for needle in self._seen:
                    self._seen[needle] += text.count(needle)
                moment = next((each for each in self._moments if each.needle in text), None)
                if moment is not None:
                    self._moments.remove(moment)
                    tail = b""
                    if moment.part == "request":
                        moment.reach()
                        await _released(moment)
                    else:
                        connection.answers_held = moment
                if not connection.silent:
                    connection.server.write(chunk)
                    await connection.server.drain()

    async def _pass_answers(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK):
                moment = connection.answers_held
                if moment is not None:
                    moment.reach()
                    await _released(moment)
                    connection.answers_held = None
                if not connection.silent:
                    connection.client.write(chunk)
                    await connection.client.drain()


async def _released(moment: Moment) -> None:
    # An event of threads, since the test releases it from its own.
    while not moment.released.is_set():  # noqa: ASYNC110
        await asyncio.sleep(0.005)


@contextmanager
def wire_to(server: Server) -> Iterator[Wire]:
    """Run a wire to a server until the block ends."""
    wire = Wire(server)
    ready, ended = threading.Event(), asyncio.Event()
    thread = threading.Thread(
        target=wire._loop.run_until_complete, args=(wire._serve(ready, ended),), daemon=True
    )
    thread.start()
    try:
        assert ready.wait(10)
        yield wire
    finally:
        wire._loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        wire._loop.run_until_complete(_end_all())
        wire._loop.close()


async def _end_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
