"""The store's contract, held against everything it is to work with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.contract.store.counting import counted, recount
from tests.contract.store.installation import Installed
from tests.support.sets import Store, started_store

KINDS = ("valkey", "redis", "cluster", "sentinel")
"""The bundled Valkey; the oldest Redis; a cluster of three; a primary, its replica, Sentinels."""


@pytest.fixture(scope="session")
def store_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Store]]:
    """A running store of a kind, started once for all modules."""
    with ExitStack() as stack:
        running: dict[str, Store] = {}

        def get(kind: str) -> Store:
            if kind not in running:
                start = started_store(kind, tmp_path_factory.mktemp(kind))
                running[kind] = stack.enter_context(start)
            return running[kind]

        yield get


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, store_of: Callable[[str], Store]) -> Store:
    """A store of each kind."""
    return store_of(request.param)


@pytest.fixture
def store(server: Store) -> Iterator[Installed]:
    """An empty installation of four partitions."""
    with Installed.fresh(server) as installed:
        yield installed


@pytest.fixture
def recounted(store: Installed) -> Iterator[None]:
    """Whatever a test does, what was counted is what a recount finds, as long as all are there."""
    yield
    found = [store.patients.find(each) for each in set(store.patients.identifiers())]
    everybody = [fields.id for fields in found if fields is not None]
    if everybody and len(everybody) == len(found):
        assert counted(store, "du") == recount(store, everybody)
