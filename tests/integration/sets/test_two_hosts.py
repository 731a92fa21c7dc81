"""Workers and beats of two hosts on one store: each delivery leaves once."""

from __future__ import annotations

import subprocess
from pathlib import Path

from service.store.embedded import broker_url
from service.store.keyring import KeyRing
from tests.integration.sets.stage import IN_FLIGHT, Stage, staged
from tests.support.polling import until
from tests.support.servers import valkey_server
from tests.support.system import kill


def test_two_hosts_share_the_work_and_one_goes_on_where_the_other_is_lost(tmp_path: Path) -> None:
    """What makes them hosts: directories of their own, and nothing shared but keys and servers."""
    keys = {"SECRET_KEYS": KeyRing.generate().text()}
    with (
        valkey_server(tmp_path / "store", tcp=True) as store,
        staged(tmp_path, store, broker_url(store.url), processes=(), **keys) as stage,
    ):
        left = _host(stage, tmp_path / "left")
        stage.enrol(40)
        stage.await_under_way()
        _host(stage, tmp_path / "right")
        until(lambda: len(stage.arrived()) > 20, "both are at work", limit_s=40)
        assert len(stage.arrived()) < 40, "the loss comes in the middle"
        for process in left:
            kill(process)
            stage.system.processes.remove(process)
        stage.await_end()
        stage.check(cut_off=IN_FLIGHT)
        made = {path.name for host in ("left", "right") for path in (tmp_path / host).iterdir()}
        assert "secret_keys" not in made, "the keys are the environment's"


def _host(stage: Stage, directory: Path) -> list[subprocess.Popen[bytes]]:
    directory.mkdir()
    settings = {"DATA_DIR": str(directory), "WORKER_PROCESSES": "1"}
    return [stage.system.start(part, settings=settings) for part in ("worker", "beat")]
