"""The baselines: bare loops that send one ready message again and again, and do nothing else.

``python -m tests.bench.loops KIND PORT COUNT IN_FLIGHT`` prints a line once it is warm, waits
for a line, sends ``COUNT`` messages, and prints a line again.
"""

# ruff: noqa: T201

from __future__ import annotations

import asyncio
import json
import smtplib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from messages.catalog import Catalog
from messages.email import Envelope, compose
from messages.render import Renderer
from messages.sample import sample_context
from service.carriers.http import TwilioHttp
from tests.bench.report import Run
from tests.fakes.launch import launched
from tests.fakes.provider import ACCOUNT, SENDER, TOKEN

PROCESSES = 2
IN_FLIGHT = 32
"""As many in a process as ours, where neither is told otherwise."""
WARM_UP = 64
PHONE = "+15032000000"
Loop = Callable[[int], None]


@contextmanager
def sdk_loop(port: int, _in_flight: int) -> Iterator[Loop]:
    """``client.messages.create`` with the client that the SDK comes with."""

    class Redirected(TwilioHttpClient):  # type: ignore[misc]
        def request(self, method: str, uri: str, *rest: object, **options: object) -> object:
            return super().request(
                method, uri.replace("https://api.twilio.com", base, 1), *rest, **options
            )

    base, body = f"http://127.0.0.1:{port}", _text()
    messages = Client(ACCOUNT, TOKEN, http_client=Redirected()).messages

    def send(count: int) -> None:
        for _ in range(count):
            messages.create(to=PHONE, from_=SENDER, body=body)

    yield send


@contextmanager
def own_client_loop(port: int, in_flight: int) -> Iterator[Loop]:
    """The same call with our own way to the network, so many at once."""
    runner, body = asyncio.Runner(), _text()
    http = TwilioHttp(f"http://127.0.0.1:{port}")
    messages = Client(ACCOUNT, TOKEN, http_client=http).messages

    async def one_of_many(turns: Iterator[int]) -> None:
        for _ in turns:
            await messages.create_async(to=PHONE, from_=SENDER, body=body)

    async def all_of_them(count: int) -> None:
        turns = iter(range(count))
        await asyncio.gather(*(one_of_many(turns) for _ in range(in_flight)))

    with runner:
        yield lambda count: runner.run(all_of_them(count))
        runner.run(http.aclose())


@contextmanager
def smtp_loop(port: int, _in_flight: int) -> Iterator[Loop]:
    """``smtplib.sendmail`` of ready bytes on one kept connection."""
    connection, content = smtplib.SMTP("127.0.0.1", port), _letter()

    def send(count: int) -> None:
        for _ in range(count):
            connection.sendmail("tips@clinic.example", ["patient@example.org"], content)

    with connection:
        yield send


LOOPS: dict[str, Callable[[int, int], AbstractContextManager[Loop]]] = {
    "sdk": sdk_loop,
    "own-client": own_client_loop,
    "smtp": smtp_loop,
}


def measure_loop(
    kind: str, port: int, count: int, *, processes: int = PROCESSES, in_flight: int = IN_FLIGHT
) -> Run:
    """Run a loop on some processes, timed from the start to the last one's end.

    Args:
        kind: a name of `LOOPS`.
        port: of the sink.
        count: messages in all.
        processes: among which they are divided.
        in_flight: at once in each process, where the loop can do that.
    """
    each = count // processes
    words = [kind, str(port), str(each), str(in_flight)]
    command = [sys.executable, "-m", "tests.bench.loops", *words]
    with ExitStack() as stack:
        running = [stack.enter_context(launched(command))[0] for _ in range(processes)]
        began = time.monotonic()
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        lines = [process.stdout.readline() for process in running if process.stdout is not None]
        took = time.monotonic() - began
        if not all(lines):
            raise RuntimeError(f"the loop {kind} ended before it was done")
        used = sum(float(json.loads(line)["cpu_s"]) for line in lines)
        return Run(each * processes / took, {"loops": used / (each * processes) * 1e6})


def _text() -> str:
    return Renderer(Catalog.load()).sms("welcome", "en", sample_context("en")).text


def _letter() -> bytes:
    context = sample_context("en")
    content = Renderer(Catalog.load()).skeleton("welcome", "en", context).letter(context)
    envelope = Envelope(
        sender="tips@clinic.example",
        sender_name="Riverside Clinic",
        recipient="patient@example.org",
        message_id="<bench@clinic.example>",
        date=datetime.now(UTC),
        list_id="tips.riverside.clinic.example",
        unsubscribe_url="https://drip.example.org/u/" + "t" * 80,
        unsubscribe_mailto=None,
    )
    return compose(content, envelope)


def _main() -> None:
    kind, (port, count, in_flight) = sys.argv[1], map(int, sys.argv[2:5])
    with LOOPS[kind](port, in_flight) as send:
        send(WARM_UP)
        print("{}", flush=True)
        sys.stdin.readline()
        used = time.process_time()
        send(count)
        print(json.dumps({"cpu_s": time.process_time() - used}), flush=True)


if __name__ == "__main__":
    _main()
