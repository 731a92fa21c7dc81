"""P8: inbound texts on one web process: at a steady rate, and as many as it takes.

Each text is another one, from a patient's own phone, signed as Twilio signs it; its effects are
durable before the answer, as always. The driver shares the machine with the service and its store.
"""

# ruff: noqa: T201

from __future__ import annotations

import asyncio
import gc
import signal
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
from twilio.request_validator import RequestValidator

from tests.bench.filling import a_form
from tests.bench.installation import Installation, running_installation, text_settings
from tests.bench.report import Part, Row, limit
from tests.bench.sinks import running_sink
from tests.bench.sizes import Sizes
from tests.fakes.provider import ACCOUNT, SENDER, TOKEN
from tests.support.polling import until

PATH = "/webhooks/twilio/inbound"
PER_S = 500
"""What one web process is to take."""
P99_MS = 50.0
AT_ONCE = 16
"""Texts under way at once, where as many are sent as are taken."""
BODIES = ("7", "Please stop texting me", "What about magnesium?", "start", "help please")
"""Ratings, opt-outs, something for staff, and two keywords, by turns."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Post:
    """A signed form, ready to be posted."""

    body: bytes
    signature: str


def webhooks(part: Part, directory: Path, sizes: Sizes) -> None:
    """Post texts at a steady rate, then as fast as they are taken."""
    with (
        running_sink("twilio") as sink,
        running_installation(directory, sink, WEB_PORT="0", **text_settings(sink)) as installation,
    ):
        installation.enrol(sizes.webhooks, "sms")
        url, web = web_process(installation)
        try:
            posts = signed_posts(installation, sizes.webhooks * 2)
            asyncio.run(burst(url, posts[: AT_ONCE * 8]))  # it has loaded everything
            _let_nothing_collect()
            steady = asyncio.run(_steady(url, posts[: sizes.webhooks]))
            rate = asyncio.run(burst(url, posts[sizes.webhooks :]))
        finally:
            gc.enable()
            web.send_signal(signal.SIGTERM)
            web.wait()
    p50 = statistics.median(steady)
    p99 = sorted(steady)[int(len(steady) * 0.99)]
    print(f"P8: p50 {p50:.1f} ms, p99 {p99:.1f} ms at {PER_S}/s; {rate:,.0f}/s at most")
    what = "inbound texts on one web process"
    part.rows += [
        limit("P8", f"{what}, {PER_S} a second: 99 of 100 answered within", p99, P99_MS, "ms"),
        Row(
            "P8",
            f"{what}, {AT_ONCE} at once",
            round(rate),
            PER_S,
            "texts/s",
            round(rate / PER_S, 2),
            1.0,
        ),
    ]


def _let_nothing_collect() -> None:
    """Keep the driver's own collector still: it held all posts up for half a second at a time."""
    gc.collect()
    gc.disable()


def web_process(installation: Installation) -> tuple[str, subprocess.Popen[bytes]]:
    """Start the web process on a free port; where it listens is in its log."""
    process = installation.start("web")
    log = installation.directory / "web.log"

    def listening() -> str | None:
        for line in log.read_text().splitlines():
            if '"web_listening"' in line:
                port = line.partition('"port": ')[2].partition(",")[0].rstrip("}")
                return f"http://127.0.0.1:{int(port)}"
        return None

    until(lambda: listening() is not None, "the web process listens", limit_s=30)
    return listening() or "", process


def signed_posts(installation: Installation, count: int) -> list[Post]:
    """So many texts, each from another patient while there are as many."""
    validator = RequestValidator(TOKEN)
    public = f"{installation.core.settings.public_base}{PATH}"
    found = []
    for number in range(count):
        phone = a_form(number % installation.enrolled, "UTC", text=True, mail=False).phone
        fields = {
            "MessageSid": f"SM{number:032x}",
            "AccountSid": ACCOUNT,
            "From": phone,
            "To": SENDER,
            "Body": BODIES[number % len(BODIES)],
            "NumMedia": "0",
        }
        signature = validator.compute_signature(public, fields)
        found.append(Post(urlencode(fields).encode(), signature))
    return found


async def _post(session: aiohttp.ClientSession, url: str, post: Post) -> float:
    """Post a text; how long the answer took, ms."""
    began = time.perf_counter()
    headers = {**FORM, "X-Twilio-Signature": post.signature}
    async with session.post(url + PATH, data=post.body, headers=headers) as answer:
        await answer.read()
        assert answer.status == 200, answer.status
    return (time.perf_counter() - began) * 1000


async def _steady(url: str, posts: Sequence[Post]) -> list[float]:
    """Post so many a second, whether or not those before have been answered."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        began, tasks = time.perf_counter(), list[asyncio.Task[float]]()
        for number, post in enumerate(posts):
            await asyncio.sleep(max(0.0, began + number / PER_S - time.perf_counter()))
            tasks.append(asyncio.create_task(_post(session, url, post)))
        return list(await asyncio.gather(*tasks))


async def burst(url: str, posts: Sequence[Post]) -> float:
    """Post with so many under way at once; texts a second."""
    waiting = iter(posts)

    async def one(session: aiohttp.ClientSession) -> None:
        for post in waiting:
            await _post(session, url, post)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        began = time.perf_counter()
        await asyncio.gather(*(one(session) for _ in range(AT_ONCE)))
        return len(posts) / (time.perf_counter() - began)
