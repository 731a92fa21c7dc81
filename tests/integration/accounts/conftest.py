from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.bootstrap import Core
from service.settings import load_settings
from tests.support.accounts import make_cheap
from tests.support.servers import Server, valkey_server


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One store for the tests of accounts, which each begin with an empty one."""
    with valkey_server(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture
def core(server: Server, tmp_path: Path) -> Iterator[Core]:
    server.flush()
    core = Core(load_settings(redis_url=server.url, data_dir=tmp_path), server.url)
    make_cheap(core)
    yield core
    core.close()
