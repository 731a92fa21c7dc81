"""A cluster changes in the middle of the work: nodes are lost, and slots move."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.crc import key_slot

from service.errors import StoreUnavailable
from service.store.cluster import ClusterClient
from service.store.connection import connect, store_errors
from service.store.keys import PartitionKeys
from service.store.records import Status
from tests.contract.store.installation import Installed
from tests.integration.sets.stage import patiently, staged
from tests.support.polling import until
from tests.support.servers import Server, valkey_server
from tests.support.sets import Cluster, raw, valkey_cluster
from tests.support.system import phone


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with valkey_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def identifier(server: Server) -> str:
    with server.client() as client:
        return str(raw(client, "CLUSTER MYID").decode())


def move(cluster: Cluster, slot: int, to: Server) -> None:
    """Move a slot and all its keys at once (Valkey 9)."""
    source = cluster.holder(slot)
    with source.client() as client:
        span = ("SLOTSRANGE", str(slot), str(slot), "NODE", identifier(to))
        client.execute_command("CLUSTER MIGRATESLOTS", *span)
    until(lambda: cluster.holds(to, slot), f"slot {slot} has moved", limit_s=20)


def test_calls_follow_a_slot_that_has_moved_and_are_done_once(cluster: Cluster) -> None:
    with Installed.fresh(cluster) as store:
        for partition in range(4):
            store.enrol(partition=partition)
        slot = key_slot(PartitionKeys(1).tag.encode())
        there = next(s for s in cluster.primaries if s is not cluster.holder(slot))
        move(cluster, slot, there)
        tokens = [store.claim_one(partition).token for partition in range(4)]
        assert tokens == [1, 1, 1, 1], "the call that was redirected was done once"


def test_a_slot_on_its_way_is_waited_for_or_given_up_with_nothing_done(cluster: Cluster) -> None:
    """Key by key, as older servers move slots: some keys are here, and some are there."""
    with Installed.fresh(cluster) as store:
        first, _ = store.enrol(partition=1)
        store.claim_one()  # so that all keys of the next claim are there
        second, _ = store.enrol(partition=1)
        keys, slot = PartitionKeys(1), key_slot(PartitionKeys(1).tag.encode())
        source = cluster.holder(slot)
        target = next(server for server in cluster.primaries if server is not source)
        with source.client() as here, target.client() as there:
            there.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", identifier(source))
            here.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", identifier(target))
            place = ("127.0.0.1", target.port)
            here.migrate(*place, keys.patient(second), 0, 5000)
            with pytest.raises((StoreUnavailable, redis.ResponseError)):
                store.claim()
            assert here.zscore(keys.due, f"{second}.1") is not None, "nothing was taken out"
            assert store.fields(second).exists, "what has moved is asked for where it is"
            for key in here.execute_command("CLUSTER GETKEYSINSLOT", slot, 100):
                here.migrate(*place, key, 0, 5000)
            with pytest.raises(StoreUnavailable, match="changing"):
                store.scripts.run("peek", (keys.due, "{p1}:none"), ())
            for client in (there, here):
                client.execute_command("CLUSTER SETSLOT", slot, "NODE", identifier(target))
        assert [claim.fields.id for claim in store.claim()] == [second]
        assert store.status(first) is Status.ACTIVE


def test_a_node_that_hangs_costs_no_more_than_the_limit(cluster: Cluster) -> None:
    with connect(cluster.url, timeout_s=0.5) as client:
        assert isinstance(client, ClusterClient)
        client.set("{p1}:x", 1)
        server = cluster.node_of("{p1}:x")
        server.freeze()
        try:
            begun = time.monotonic()
            pipeline = client.pipeline(transaction=False)
            for partition in range(4):
                pipeline.incr(f"{{p{partition}}}:x")
            with pytest.raises(StoreUnavailable), store_errors(client):
                pipeline.execute()
            assert time.monotonic() - begun < 10
        finally:
            server.thaw()
        patiently(client.ping)
        until(lambda: client.get("{p1}:x") == b"2", "it was done once", limit_s=20)


def test_a_lost_primary_is_replaced_and_everything_goes_on(tmp_path: Path) -> None:
    """Workers, beat and web on a cluster, one of whose primaries is killed; opt-outs survive."""
    with (
        valkey_server(tmp_path / "broker", tcp=True) as broker,
        valkey_cluster(tmp_path / "cluster", replicas=3) as cluster,
        staged(tmp_path, cluster, broker.url) as stage,
    ):
        stage.enrol(24)
        stage.await_under_way()
        gone = [number for number in (phone(22), phone(23), phone(24)) if stage.stop(number)]
        assert gone, "the store takes opt-outs"
        cluster.primaries[1].kill()
        until(lambda: stage.stop(phone(21)), "opt-outs are taken again", limit_s=60)
        stage.await_end()
        assert all(stage.stopped(number) for number in [*gone, phone(21)])
        stage.enrol(5)
        stage.await_end()
        stage.check(may_be_unknown=True)


def test_slots_that_move_under_way_hold_nothing_up(cluster: Cluster, tmp_path: Path) -> None:
    cluster.flush()
    with (
        valkey_server(tmp_path / "broker", tcp=True) as broker,
        staged(tmp_path, cluster, broker.url) as stage,
    ):
        stage.enrol(24)
        stage.await_under_way()
        for partition in range(4):
            slot = key_slot(PartitionKeys(partition).tag.encode())
            others = [s for s in cluster.primaries if s is not cluster.holder(slot)]
            move(cluster, slot, others[0])
        stage.await_end()
        stage.check()
