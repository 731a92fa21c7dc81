"""Far ends and a store that a module's tests share, and workers on an empty store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.mail_server import RunningMailServer, running_mail_server
from tests.fakes.provider import RunningProvider, running_provider
from tests.integration.dispatch.installation import Worker
from tests.support.servers import Server, valkey_server

Workers = Callable[..., Worker]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProvider]:
    with running_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMailServer]:
    with running_mail_server(tmp_path_factory.mktemp("mail")) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with valkey_server(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture
def workers(
    server: Server, provider: RunningProvider, mail: RunningMailServer, tmp_path: Path
) -> Iterator[Workers]:
    """Starts workers on one store, which is empty when the test begins."""
    with server.client() as client:
        client.flushdb()
    provider.settings(hidden=0, list_down=False, ahead_ms=0)
    with ExitStack() as stack:

        def start(**settings: Any) -> Worker:  # noqa: ANN401 - whatever a setting takes
            worker = Worker.start(server, provider, mail, tmp_path, **settings)
            stack.callback(worker.close)
            return worker

        yield start


@pytest.fixture
def worker(workers: Workers) -> Worker:
    return workers()
