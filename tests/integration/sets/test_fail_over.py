"""A set watched by Sentinels fails over in the middle of sending."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from service.errors import StoreUnavailable
from service.store import keys
from service.store.connection import Durability, connect
from service.store.lines import Command, ask, lines_to
from service.store.scripts import Scripts
from tests.contract.store.installation import Installed
from tests.integration.sets.stage import patiently, staged
from tests.support.polling import until
from tests.support.servers import Server
from tests.support.sets import sentinel_set
from tests.support.system import phone

JUNK = b"x" * 2**20
"""With some dozens of these the sockets between primary and replica are full."""


def test_a_killed_primary_loses_no_delivery_and_no_acknowledged_opt_out(tmp_path: Path) -> None:
    """Store and broker are on the set, and so both fail over, under real workers and a beat."""
    with (
        sentinel_set(tmp_path / "set") as watched,
        staged(tmp_path, watched, watched.url.replace("/0", "/1")) as stage,
    ):
        stage.enrol(24)
        stage.await_under_way()
        gone = [number for number in (phone(22), phone(23), phone(24)) if stage.stop(number)]
        assert gone, "the store takes opt-outs"
        primary = watched.primary
        primary.kill()
        watched.await_another(primary)
        assert not stage.stop(phone(21)), "acknowledged, though the lost server may come back"
        primary.start()  # as whatever looks after it would
        until(lambda: stage.stop(phone(21)), "opt-outs are taken again", limit_s=60)
        stage.await_end()
        assert all(stage.stopped(number) for number in [*gone, phone(21)])
        before = len(stage.arrived())
        stage.enrol(5)
        stage.await_end()
        assert len(stage.arrived()) == before + 5
        stage.check(may_be_unknown=True)


def test_what_is_promoted_knows_every_opt_out_that_was_acknowledged(tmp_path: Path) -> None:
    """A replica that lags has nothing acknowledged behind its back, even while it is down.

    An opt-out that waits for the primary alone is the control: it is lost, and so would the others
    be, were they acknowledged.
    """
    known, refused, control = "+15035550101", "+15035550102", "+15035550103"
    with sentinel_set(tmp_path / "set") as watched, Installed.fresh(watched) as store:
        for number in (known, refused, control):
            store.enrol(phone=number, channels=("sms",))
        store.suppress("sms", known)
        primary, (replica,) = watched.primary, watched.replicas
        replica.freeze()
        _fill_the_line(primary)
        until(lambda: _seen_down(watched.sentinels), "all Sentinels see it down", limit_s=30)
        with pytest.raises(StoreUnavailable, match="replicas: 0 of 1"):
            store.suppress("sms", refused)
        careless = replace(store.scripts._durability, replicas=0, census=None)
        with mock.patch.object(store.scripts, "_durability", careless):
            store.suppress("sms", control)
        assert _suppressed(store, control)
        primary.kill()
        replica.thaw()
        assert watched.await_another(primary) is replica
        assert _suppressed(store, known)
        assert not _suppressed(store, refused), "it is lost with the primary; nobody was told else"
        assert not _suppressed(store, control), "the fault must show, or this test tests nothing"


def _suppressed(store: Installed, number: str) -> bool:
    key = store.suppressions.keys(store.digest("sms", number)).address(store.digest("sms", number))
    return patiently(lambda: store.scripts.read_hash(key)).get("x") == b"1"


def _fill_the_line(primary: Server) -> None:
    """Write more than the sockets to a frozen replica hold: what follows stays here."""
    with primary.client() as client:
        for _ in range(32):
            client.set("junk", JUNK)


def _seen_down(sentinels: list[Server]) -> bool:
    seen = []
    for sentinel in sentinels:
        with sentinel.client() as client:
            seen += [replica["is_sdown"] for replica in client.sentinel_slaves("drip")]
    return all(seen)


def test_only_the_connection_that_wrote_tells_that_a_replica_lags(tmp_path: Path) -> None:
    with sentinel_set(tmp_path / "set") as watched, connect(watched.url) as client:
        durability = Durability.of(client, limit_ms=500)
        scripts = Scripts(client, durability)
        scripts.run_durably("advance", [((keys.CLOCK,), (1,))])
        (replica,) = watched.replicas
        replica.freeze()
        with pytest.raises(StoreUnavailable, match="replicas: 0 of 1"):
            scripts.run_durably("advance", [((keys.CLOCK,), (2,))])
        with lines_to({"one": client}) as one, lines_to({"one": client}) as other:
            ask(one, {"one": [(("SET", keys.CLOCK, 3), {})]})
            confirmation: list[Command] = [(("WAITAOF", 1, 1, 500), {})]
            there = ask(other, {"one": confirmation})["one"]
            assert there == [[1, 1]], "vacuous: it has written nothing"
            assert ask(one, {"one": confirmation})["one"] == [[1, 0]]
        replica.thaw()


def test_replicas_of_priority_0_are_not_waited_for_and_forgotten_ones_neither(
    tmp_path: Path,
) -> None:
    with sentinel_set(tmp_path / "set", replicas=2, never=1) as watched:
        assert _replicas(watched.url) == 1
        for replica in watched.replicas:
            replica.kill()
        assert _replicas(watched.url) == 1, "it may come back and be promoted"
        for sentinel in watched.sentinels:
            with sentinel.client() as client:
                client.sentinel_reset("drip")
        assert _replicas(watched.url) == 0


def _replicas(url: str) -> int:
    with connect(url) as client:
        return Durability.of(client).promotable()
