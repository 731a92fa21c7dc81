"""P5 and half of P9: what it costs to hold many subscriptions of which few or none are due."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import redis

from service.store.keys import LAST_TICK, LEADER, PartitionKeys
from service.store.scripts import as_text
from tests.bench.installation import Installation, running_installation, text_settings
from tests.bench.report import Curve, Line, Part, Row, Run, limit, tell
from tests.bench.sinks import running_sink
from tests.bench.sizes import Sizes
from tests.bench.stock import LAST_DUE_MS, stock
from tests.support.polling import until

CLAIMED = 100
CLAIMS = 30
TICK_OF_CPU_S = 0.01
"""Less cannot be measured."""
LEAST_SHARE = 0.9
"""Of the rate with few stored, that is kept with a hundred times as many."""


def stored(part: Part, directory: Path, sizes: Sizes) -> None:
    """Send the same number with ever more stored; then watch the idle service and time claims."""
    runs: dict[int, list[Run]] = {}
    with (
        running_sink("twilio") as sink,
        running_installation(directory, sink, **text_settings(sink)) as installation,
    ):
        installation.warm_up("sms")
        held = 0
        for wanted in sizes.stored:
            began = time.monotonic()
            stock(installation.core, held, wanted)
            held = wanted
            print(f"{wanted:,} stored after {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201
            runs[wanted] = [
                tell(f"P9 {wanted:,} stored", installation.run(sizes.texts // 2, "sms"))
                for _ in range(sizes.repeats)
            ]
        idle = _idle_share(installation, sizes.idle_s)
        claim_ms = _claim_ms(installation)
    few, many = sizes.stored[0], sizes.stored[-1]
    rate = {count: statistics.median(run.rate for run in runs[count]) for count in runs}
    cost = {
        count: statistics.median(sum(run.cpu_us.values()) for run in runs[count]) for count in runs
    }
    what = f"tick of beat, with store and idle workers, {many:,} stored, nothing due"
    part.rows += [
        limit("P5", what, idle * 100, 1.0, "% of a core"),
        limit("P5", f"{CLAIMED} due of {many:,} claimed, at the server", claim_ms, 1.0, "ms"),
        Row(
            "P9",
            f"SMS with {many:,} stored, beside the same with {few:,}",
            round(rate[many]),
            round(rate[few]),
            "messages/s",
            round(rate[many] / rate[few], 2),
            LEAST_SHARE,
        ),
    ]
    part.curves += _curves(rate, cost)


def _curves(rate: dict[int, float], cost: dict[int, float]) -> list[Curve]:
    return [
        Curve(
            "stored",
            "Messages a second by the number of subscriptions stored",
            "subscriptions stored",
            "messages/s",
            [Line("whole way, two worker processes", list(rate.items()))],
            logarithmic=True,
        ),
        Curve(
            "cost",
            "Processor time of a message by the number of subscriptions stored",
            "subscriptions stored",
            "µs of CPU a message",
            [Line("workers, store and far end", list(cost.items()))],
            logarithmic=True,
        ),
    ]


def _idle_share(installation: Installation, watched_s: float) -> float:
    """The share of a core that beat, store and workers use while nothing is due."""
    installation.start_beat()
    beats: redis.Redis = installation.core.client
    assert installation.beat is not None
    name = f":{installation.beat.pid}"
    until(lambda: _read(beats, LEADER).endswith(name), "the beat leads", limit_s=30)
    used, began = installation.used_s(), time.monotonic()
    ticks = int(watched_s)
    seen: set[str] = set()

    def ticked() -> bool:
        seen.add(_read(beats, LAST_TICK))
        time.sleep(0.2)
        return len(seen) > ticks

    until(ticked, "the beat ticks", limit_s=watched_s * 3 + 10)
    spent = max(installation.used_s() - used, TICK_OF_CPU_S)
    share = spent / (time.monotonic() - began)
    installation.end_beat()
    return share


def _read(client: redis.Redis, key: str) -> str:
    return as_text(client.get(key) or "")


def _claim_ms(installation: Installation) -> float:
    """The server's own time for a claim of many from a partition, the median of some."""
    core, took = installation.core, []
    for turn in range(CLAIMS):
        partition = turn % core.partitions
        keys = PartitionKeys(partition)
        now_ms = core.business.now_ms()
        members = core.scripts.read_before([keys.due], now_ms + LAST_DUE_MS, CLAIMED)
        core.client.zadd(keys.due, dict.fromkeys(members, now_ms))
        core.client.config_resetstat()
        claimed = core.dispatch_store.claim(partition, now_ms, CLAIMED, core.machine.now_ms())
        assert len(claimed) == len(members)
        took.append(_script_us(core.client.info("commandstats")) / 1000)
    return statistics.median(took)


def _script_us(statistics_of_commands: dict[str, dict[str, float]]) -> float:
    commands = ("cmdstat_evalsha", "cmdstat_hgetall")
    return sum(float(statistics_of_commands[name]["usec"]) for name in commands)
