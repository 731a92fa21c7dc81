from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from service.accounts.passwords import Passwords
from service.bootstrap import Core
from service.clinics import SAMPLE_CLINIC
from service.settings import load_settings
from tests.contract.store.installation import SetClock
from tests.support.servers import Server, valkey_server

OpenCore = Callable[..., Core]


class Counting(PasswordHasher):
    """Costs next to nothing, and counts how often it works.

    Attributes:
        meanwhile: what is done once while a password is checked, which takes a while elsewhere.
    """

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.count = 0
        self.meanwhile: Callable[[], object] | None = None

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.count += 1
        return super().hash(password, salt=salt)

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002 - its name
        self.count += 1
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return super().verify(hash, password)


def clinics_file() -> str:
    """The sample clinic as a file."""
    values = SAMPLE_CLINIC.model_dump(mode="json", exclude_none=True)
    # JSON's strings, numbers and lists read alike in TOML.
    return "\n".join(["[[clinic]]", *(f"{k} = {json.dumps(v)}" for k, v in values.items()), ""])


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One store for the tests of accounts, which each begin with an empty one."""
    with valkey_server(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture
def hasher() -> Counting:
    return Counting()


@pytest.fixture
def opened(server: Server, tmp_path: Path, hasher: Counting) -> Iterator[OpenCore]:
    """Opens an installation whose machine clock stands until the test sets it."""
    server.flush()
    cores = []

    def open_core(**settings: str) -> Core:
        core = Core(load_settings(redis_url=server.url, data_dir=tmp_path, **settings), server.url)
        core.machine = SetClock()
        core.__dict__["passwords"] = Passwords(hasher)
        cores.append(core)
        return core

    yield open_core
    for core in cores:
        core.close()


@pytest.fixture
def core(opened: OpenCore) -> Core:
    """An installation that sends e-mail, to this machine only."""
    return opened(smtp_url="smtp://127.0.0.1:9", mail_from="Clinic <tips@clinic.example>")
