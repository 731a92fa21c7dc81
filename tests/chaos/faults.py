"""The kinds of fault, each a function that does it once and leaves word of it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import httpx
import psutil

from service.errors import StoreUnavailable
from tests.chaos.installation import LEASE_S, Installation, now_ms
from tests.chaos.roster import Enrolled
from tests.support.servers import Server

DAY_S: Final = 86_400
MOST_BEATS: Final = 3
START_S: Final = 3.0
"""How long a part may take to start."""


@dataclass
class Chaos:
    """Does faults to an installation.

    Attributes:
        draw: all that is drawn comes from here.
        people: who may still say that they want no more.
        timers: ends of faults that last.
    """

    installation: Installation
    draw: random.Random
    people: list[Enrolled]
    timers: list[threading.Thread] = field(default_factory=list)

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something after a while, beside everything else."""

        def run() -> None:
            time.sleep(seconds)
            do()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.timers.append(thread)

    def calm(self) -> None:
        """Wait for the faults that last, and take back what waits to happen."""
        for thread in self.timers:
            thread.join()
        installation = self.installation
        installation.proxy.clear()
        installation.provider.settings(list_down=False, hidden=0)
        installation.provider.clear()
        installation.mail.clear()

    def somebody(self, channel: str) -> Enrolled | None:
        """A person with an address of a channel who has not left yet."""
        fitting = [one for one in self.people if (one.phone if channel == "sms" else one.email)]
        if not fitting:
            return None
        chosen = self.draw.choice(fitting)
        self.people.remove(chosen)
        return chosen


Fault = Callable[[Chaos], bool]
"""Does a fault; False where there was nothing that it could be done to just now."""


def _note(chaos: Chaos, kind: str, seconds: float = 0.0, **detail: Any) -> None:  # noqa: ANN401
    start = now_ms()
    chaos.installation.journal.fault(kind, start, start + int(seconds * 1000), **detail)


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def kill_child(chaos: Chaos) -> bool:
    """SIGKILL one of the processes that send; its worker replaces it."""
    children = chaos.installation.children()
    if not children:
        return False
    child = chaos.draw.choice(children)
    _note(chaos, "kill_child", pid=child.pid)
    with suppress(psutil.Error):
        child.kill()
    return True


def _replaced(
    chaos: Chaos, command: str, processes: list[subprocess.Popen[bytes]], number: int
) -> bool:
    """Signal a part, with all its processes, once another one has had time to start."""
    installation = chaos.installation
    old = processes.pop(chaos.draw.randrange(len(processes)))
    processes.append(installation.start(command))
    installation.leaving.append(old)
    kind = f"{'term' if number == signal.SIGTERM else 'kill'}_{command}"

    def strike() -> None:
        _note(chaos, kind, pid=old.pid)
        with suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(old.pid, number)
            else:
                os.kill(old.pid, number)

    chaos.later(START_S, strike)
    return True


def kill_worker(chaos: Chaos) -> bool:
    """SIGKILL a worker with all its processes."""
    return _replaced(chaos, "worker", chaos.installation.workers, signal.SIGKILL)


def term_worker(chaos: Chaos) -> bool:
    """SIGTERM a worker: it is to end what it has begun."""
    return _replaced(chaos, "worker", chaos.installation.workers, signal.SIGTERM)


def kill_beat(chaos: Chaos) -> bool:
    """SIGKILL a beat."""
    return _replaced(chaos, "beat", chaos.installation.beats, signal.SIGKILL)


def _freeze(chaos: Chaos, kind: str, pids: list[int], seconds: float) -> bool:
    _note(chaos, kind, seconds, pids=pids)
    _signal(pids, signal.SIGSTOP)
    chaos.later(seconds, partial(_signal, pids, signal.SIGCONT))
    return True


def freeze_child(chaos: Chaos) -> bool:
    """SIGSTOP one of the processes that send until its lease is over."""
    children = chaos.installation.children()
    if not children:
        return False
    seconds = LEASE_S + chaos.draw.uniform(0.2, 1.0)
    return _freeze(chaos, "freeze_child", [chaos.draw.choice(children).pid], seconds)


def freeze_worker(chaos: Chaos) -> bool:
    """SIGSTOP a whole worker until its leases are over."""
    worker = chaos.draw.choice(chaos.installation.workers)
    pids = [worker.pid]
    with suppress(psutil.Error):
        pids += [child.pid for child in psutil.Process(worker.pid).children()]
    return _freeze(chaos, "freeze_worker", pids, LEASE_S + chaos.draw.uniform(0.2, 1.0))


def second_beat(chaos: Chaos) -> bool:
    """Start another beat beside those that run; the oldest is asked to end where there are many."""
    beats = chaos.installation.beats
    beats.append(chaos.installation.start("beat"))
    _note(chaos, "second_beat", beats=len(beats))
    if len(beats) > MOST_BEATS:
        oldest = beats.pop(0)
        _signal([oldest.pid], signal.SIGTERM)
        chaos.installation.leaving.append(oldest)
    return True


def kill_web(chaos: Chaos) -> bool:
    """SIGKILL the web part; another one is started."""
    web = chaos.installation.web
    assert web is not None
    _note(chaos, "kill_web", 1.0)
    web.kill()
    web.wait()
    chaos.installation.web = chaos.installation.start("web")
    return True


def kill_store(chaos: Chaos) -> bool:
    """Kill -9 of the store, which comes back with what was on its disk."""
    return _restarted(chaos, "store_kill", chaos.installation.store)


def kill_broker(chaos: Chaos) -> bool:
    """Kill -9 of the broker, which comes back empty."""
    return _restarted(chaos, "broker_kill", chaos.installation.broker)


def _restarted(chaos: Chaos, kind: str, server: Server) -> bool:
    start = now_ms()
    server.kill()
    server.start()
    chaos.installation.journal.fault(kind, start, now_ms())
    return True


def stall_store(chaos: Chaos) -> bool:
    """The store hangs for a moment."""
    seconds = chaos.draw.uniform(0.3, 1.5)
    _note(chaos, "store_stall", seconds)
    chaos.installation.store.freeze()
    chaos.later(seconds, chaos.installation.store.thaw)
    return True


def flush_broker(chaos: Chaos) -> bool:
    """Everything in the broker is lost."""
    with chaos.installation.broker.client() as client:
        client.flushall()
    _note(chaos, "broker_flush")
    return True


def pass_time(installation: Installation, seconds: int) -> None:
    """Set the workers' clock ahead, and the provider's with it."""
    offset = installation.offset_s + seconds
    installation.shift_clock(offset)
    installation.provider.settings(ahead_ms=offset * 1000)


def clock_forward(chaos: Chaos) -> bool:
    """The workers' clock jumps three days ahead, and stays there."""
    pass_time(chaos.installation, 3 * DAY_S)
    _note(chaos, "clock_forward", 2.0)
    return True


def clock_back(chaos: Chaos) -> bool:
    """The workers' clock jumps back an hour, and is put right after a moment."""
    offset = chaos.installation.offset_s
    chaos.installation.shift_clock(offset - 3_600)
    _note(chaos, "clock_back", 3.5)
    time.sleep(1.5)
    chaos.installation.shift_clock(offset)
    return True


def outage(chaos: Chaos) -> bool:
    """Whatever sends is killed, and hours pass for patients before anything goes on."""
    return _sleep(chaos, "outage", kill_children=True)


def suspend(chaos: Chaos) -> bool:
    """The machine sleeps for hours, as a laptop does: whatever was under way goes on after it."""
    return _sleep(chaos, "suspend", kill_children=False)


def _sleep(chaos: Chaos, kind: str, *, kill_children: bool) -> bool:
    installation, hours = chaos.installation, chaos.draw.choice((1, 1, 2, 3, 6))
    children = [child.pid for child in installation.children()]
    others = [part.pid for part in (*installation.workers, *installation.beats)]
    start = now_ms()
    _signal([*others, *children], signal.SIGSTOP)
    if kill_children:
        _signal(children, signal.SIGKILL)
    after = int(installation.core.client.hincrby("av:clock", "now", hours * 3_600_000))
    _signal([*others, *children], signal.SIGCONT)
    business = (after - hours * 3_600_000, after)
    installation.journal.fault(kind, start, now_ms(), hours=hours, business=business)
    return True


def stop_text(chaos: Chaos) -> bool:
    """A patient texts that they want no more; the web part acknowledges it, or not."""
    person = chaos.somebody("sms")
    if person is None:
        return False
    words = chaos.draw.choice(("STOP", "Stop please", "please stop"))
    chaos.installation.provider.text(person.phone, words, wait=False)
    _note(chaos, "stop_text", to=[person.phone])
    return True


def staff_stop(chaos: Chaos) -> bool:
    """Staff stops everything for a patient."""
    person = chaos.somebody("sms" if chaos.draw.random() < 0.5 else "email")
    if person is None:
        return False
    addresses = [address for address in (person.phone, person.email) if address]
    core = chaos.installation.core
    _note(chaos, "staff_stop", to=addresses)
    chaos.installation.journal.write("acknowledged", addresses=addresses, at=None)
    with suppress(StoreUnavailable):  # asked for, and not acknowledged
        core.staff.stop(person.id, source="staff:chaos")
        chaos.installation.journal.write("acknowledged", addresses=addresses, at=now_ms())
    return True


def one_click(chaos: Chaos) -> bool:
    """A patient leaves by the link in an e-mail."""
    person = chaos.somebody("email")
    if person is None:
        return False
    url = chaos.installation.core.composer.unsubscribe_url(person.email)
    at = None
    with suppress(httpx.HTTPError):
        answer = httpx.post(
            url, data={"List-Unsubscribe": "One-Click"}, timeout=20, trust_env=False
        )
        at = now_ms() if answer.status_code == httpx.codes.OK else None
    _note(chaos, "one_click", to=[person.email])
    chaos.installation.journal.write("acknowledged", addresses=[person.email], at=at)
    return True


def provider_opt_out(chaos: Chaos) -> bool:
    """The provider blocks a number and does not tell us: 21610."""
    person = chaos.somebody("sms")
    if person is None:
        return False
    chaos.installation.provider.block(person.phone)
    _note(chaos, "provider_opt_out", to=[person.phone])
    return True
