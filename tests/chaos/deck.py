"""Every kind of fault by its name, and a deck of them shuffled by a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from tests.chaos import faults
from tests.chaos.faults import Chaos, Fault
from tests.chaos.installation import LEASE_S, now_ms

BEGIN_LATE_S: Final = 1.5
"""Longer than a lease of a second, and short enough for the message to set out all the same."""


def _proxied(chaos: Chaos, target: str, fault: str) -> bool:
    seconds = {
        "black_hole": chaos.draw.uniform(0.5, 2.0),
        "dribble": chaos.draw.uniform(0.5, 2.0),
        "delay": chaos.draw.choice((0.1, 0.5, 0.9, LEASE_S + 0.5)),
    }.get(fault, 0.0)
    chaos.installation.proxy.order(target, fault, seconds)
    return True


def _begin_late(chaos: Chaos) -> bool:
    """The store hears of a begin late: nothing else that it is told holds a channel's name."""
    word = chaos.draw.choice(("sms", "email"))
    chaos.installation.proxy.order(
        "store",
        "delay",
        BEGIN_LATE_S,
        holding=f"${len(word)}\r\n{word}\r\n",
        kind="store_begin_late",
    )
    return True


def _provider(chaos: Chaos, fault: str, **script: Any) -> bool:  # noqa: ANN401
    chaos.installation.provider.script({"fault": fault, **script})
    return True


def _mail(chaos: Chaos, **script: Any) -> bool:  # noqa: ANN401
    chaos.installation.mail.script(dict(script))
    return True


def _list_lags(chaos: Chaos) -> bool:
    chaos.installation.provider.settings(hidden=10_000)
    seconds = chaos.draw.uniform(0.5, 2.0)
    start = now_ms()
    chaos.installation.journal.fault("list_lags", start, start + int(seconds * 1000))
    chaos.later(seconds, partial(chaos.installation.provider.settings, hidden=0))
    return True


def _list_down(chaos: Chaos) -> bool:
    chaos.installation.provider.settings(list_down=True)
    seconds = chaos.draw.uniform(0.5, 2.0)
    start = now_ms()
    chaos.installation.journal.fault("list_down", start, start + int(seconds * 1000))
    chaos.later(seconds, partial(chaos.installation.provider.settings, list_down=False))
    return True


PROCESSES: Final[Mapping[str, Fault]] = {
    "kill_child": faults.kill_child,
    "kill_worker": faults.kill_worker,
    "term_worker": faults.term_worker,
    "freeze_child": faults.freeze_child,
    "freeze_worker": faults.freeze_worker,
    "kill_beat": faults.kill_beat,
    "second_beat": faults.second_beat,
    "kill_web": faults.kill_web,
}
SERVERS: Final[Mapping[str, Fault]] = {
    "store_kill": faults.kill_store,
    "store_stall": faults.stall_store,
    "broker_kill": faults.kill_broker,
    "broker_flush": faults.flush_broker,
}
NETWORK: Final[Mapping[str, Fault]] = {
    f"{target}_{fault}": partial(_proxied, target=target, fault=fault)
    for target in ("provider", "store", "broker")
    for fault in ("reset_before", "reset_after", "black_hole", "dribble", "delay")
}
NETWORK_OF_BEGIN: Final[Mapping[str, Fault]] = {"store_begin_late": _begin_late}
PROVIDER: Final[Mapping[str, Fault]] = {
    "provider_create_busy": partial(_provider, fault="busy", retry_after=1),
    "provider_create_error_before": partial(_provider, fault="error_before", status=503),
    "provider_create_error_after": partial(_provider, fault="error_after"),
    "provider_create_hang_before": partial(_provider, fault="hang_before", seconds=3),
    "provider_create_hang_after": partial(_provider, fault="hang_after", seconds=3),
    "provider_create_close_before": partial(_provider, fault="close_before"),
    "provider_create_close_after": partial(_provider, fault="close_after"),
    "provider_create_cut_after": partial(_provider, fault="cut_after"),
    "provider_create_drip_after": partial(_provider, fault="drip_after", seconds=0.05),
    "provider_create_garbage_after": partial(_provider, fault="garbage_after"),
    "provider_create_late_after": partial(_provider, fault="late_after", seconds=0.7),
    "provider_create_delay": partial(_provider, fault="delay", seconds=1.5),
    "provider_create_receipt_first": partial(_provider, fault="receipt_first"),
    "provider_receipts_lost": partial(_provider, fault="lost", on="receipts", times=3),
    "provider_receipts_late": partial(_provider, fault="late", on="receipts", seconds=2),
    "provider_receipts_twice": partial(_provider, fault="twice", on="receipts"),
    "provider_receipts_backwards": partial(_provider, fault="backwards", on="receipts"),
    "provider_list_error_before": partial(_provider, fault="error_before", on="list"),
    "list_lags": _list_lags,
    "list_down": _list_down,
}
MAIL: Final[Mapping[str, Fault]] = {
    "mail_rcpt_450": partial(_mail, at="RCPT", reply="450 4.2.0 later"),
    "mail_rcpt_550": partial(_mail, at="RCPT", reply="550 5.1.1 nobody"),
    "mail_message_451": partial(_mail, at="message", reply="451 4.3.0 later"),
    "mail_message_close": partial(_mail, at="message", do="close"),
    "mail_message_close_taken": partial(_mail, at="message", do="close", accept=True),
    "mail_message_slow_taken": partial(_mail, at="message", wait=1.5, accept=True),
    "mail_mail_close": partial(_mail, at="MAIL", do="close"),
    "mail_connect_421": partial(_mail, at="connect", reply="421 4.3.2 busy"),
}
CLOCK: Final[Mapping[str, Fault]] = {
    "clock_forward": faults.clock_forward,
    "clock_back": faults.clock_back,
    "outage": faults.outage,
    "suspend": faults.suspend,
}
PATIENTS: Final[Mapping[str, Fault]] = {
    "stop_text": faults.stop_text,
    "staff_stop": faults.staff_stop,
    "one_click": faults.one_click,
    "provider_opt_out": faults.provider_opt_out,
}
EVERY: Final[Mapping[str, Fault]] = {
    **PROCESSES,
    **SERVERS,
    **NETWORK,
    **NETWORK_OF_BEGIN,
    **PROVIDER,
    **MAIL,
    **CLOCK,
    **PATIENTS,
}
HEAVY: Final = frozenset(
    {*PROCESSES, "outage", "store_kill", "broker_kill", "clock_forward", "clock_back"}
) - {"kill_child"}
"""Kinds that the installation takes a while to come back from. None of them is done to one that
stands still: it would be kept down, and no message would be there for the fault to meet."""
COOL_S: Final = dict.fromkeys(HEAVY, 1.0)
"""Seconds before the next fault of the same kind."""


def deck(draw: random.Random, counts: Mapping[str, int]) -> list[str]:
    """As many of each kind as asked for, in an order that the draw decides."""
    cards = [kind for kind in sorted(counts) for _ in range(counts[kind])]
    draw.shuffle(cards)
    return cards
