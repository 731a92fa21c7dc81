"""The store's contract, held against every server it is to work with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.store.installation import Installed
from tests.support.servers import Server, redis_server, valkey_server


@pytest.fixture(scope="module", params=["valkey", "redis"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The bundled Valkey, and the oldest Redis; one of each for a module."""
    start = valkey_server if request.param == "valkey" else redis_server
    with start(tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture
def store(server: Server) -> Iterator[Installed]:
    """An empty installation of four partitions."""
    with Installed.fresh(server) as installed:
        yield installed
