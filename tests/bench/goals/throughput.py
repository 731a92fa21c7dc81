"""P1, P2 and P3: messages a second, the whole way, beside bare loops against the same far end."""

from __future__ import annotations

from pathlib import Path

from tests.bench.installation import (
    WORKER_PROCESSES,
    mail_settings,
    running_installation,
    text_settings,
)
from tests.bench.loops import IN_FLIGHT, measure_loop
from tests.bench.report import Part, Run, rates, tell
from tests.bench.sinks import running_sink, running_smtp_sink
from tests.bench.sizes import Sizes

SLOW_MS = 100


def texts(part: Part, directory: Path, sizes: Sizes) -> None:
    """P1: texts into a sink without latency, two worker processes."""
    ours: list[Run] = []
    bare: dict[str, list[Run]] = {"sdk": [], "own-client": []}
    with (
        running_sink("twilio") as sink,
        running_installation(directory, sink, **text_settings(sink)) as installation,
    ):
        installation.warm_up("sms")
        for _ in range(sizes.repeats):
            before = sink.created()
            ours.append(tell("P1 ours", installation.run(sizes.texts, "sms")))
            assert sink.created() - before == sizes.texts, "each text once"
            for kind, runs in bare.items():
                run = measure_loop(kind, sink.port, sizes.texts)
                runs.append(tell(f"P1 bare {kind}", run))
    way = "SMS, no latency, two processes, whole way; beside a bare loop"
    part.rows += [
        rates("P1", f"{way} with the SDK as it comes", ours, bare["sdk"], 2.0),
        rates("P1 aim", f"{way} with our client, 32 in flight", ours, bare["own-client"], 0.6),
    ]


def slow_texts(part: Part, directory: Path, sizes: Sizes) -> None:
    """P2: the same with a provider that takes its time; as many in flight on both sides."""
    ours: list[Run] = []
    bare: list[Run] = []
    with (
        running_sink("twilio", SLOW_MS) as sink,
        running_installation(
            directory, sink, IN_FLIGHT=str(IN_FLIGHT), **text_settings(sink)
        ) as installation,
    ):
        installation.warm_up("sms")
        for _ in range(sizes.repeats):
            ours.append(tell("P2 ours", installation.run(sizes.slow, "sms")))
            run = measure_loop("own-client", sink.port, sizes.slow)
            bare.append(tell("P2 bare loop", run))
    flying = WORKER_PROCESSES * IN_FLIGHT
    what = f"SMS, answers take {SLOW_MS} ms, {flying} in flight; beside a bare loop with as many"
    part.rows.append(rates("P2", what, ours, bare, 0.9))


def mails(part: Part, directory: Path, sizes: Sizes) -> None:
    """P3: e-mail into Postfix's sink, two worker processes."""
    ours: list[Run] = []
    bare: list[Run] = []
    with (
        running_smtp_sink() as sink,
        running_installation(directory, sink, **mail_settings(sink)) as installation,
    ):
        installation.warm_up("email")
        for _ in range(sizes.repeats):
            ours.append(tell("P3 ours", installation.run(sizes.mails, "email")))
            bare.append(tell("P3 bare smtplib", measure_loop("smtp", sink.port, sizes.mails)))
    what = f"e-mail into {sink.name}, two processes; beside smtplib.sendmail of ready bytes"
    part.rows.append(rates("P3", what, ours, bare, 0.8))
