from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from service.errors import ConfigurationError
from service.settings import Settings, load_settings
from service.store.keyfile import add_key, load_key_ring
from service.store.keyring import KEYS_FILE, KeyRing

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path / "var", secret_keys=None)


def test_the_first_start_makes_keys_that_only_their_owner_can_read(settings: Settings) -> None:
    ring = load_key_ring(settings)
    path = settings.data_dir / KEYS_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in settings.data_dir.iterdir()] == [KEYS_FILE]
    assert load_key_ring(settings).text() == ring.text()


def test_starts_at_once_agree_on_the_keys(settings: Settings) -> None:
    with ThreadPoolExecutor(16) as pool:
        texts = {ring.text() for ring in pool.map(lambda _: load_key_ring(settings), range(64))}
    assert len(texts) == 1
    assert [entry.name for entry in settings.data_dir.iterdir()] == [KEYS_FILE]


def test_the_setting_wins_over_the_file_and_makes_none(settings: Settings) -> None:
    given = KeyRing.generate()
    settings = settings.model_copy(update={"secret_keys": SecretStr(given.text())})
    assert load_key_ring(settings).text() == given.text()
    assert not settings.data_dir.exists()


def test_keys_are_not_made_where_they_are_only_looked_at(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="Restore that file"):
        load_key_ring(settings, create=False)
    assert not settings.data_dir.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o660])
def test_keys_that_others_can_read_are_refused_with_what_to_do(
    settings: Settings, mode: int
) -> None:
    load_key_ring(settings)
    path = settings.data_dir / KEYS_FILE
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"chmod 600 {path}"):
        load_key_ring(settings)


def test_an_empty_file_of_keys_is_not_replaced(settings: Settings) -> None:
    settings.data_dir.mkdir()
    path = settings.data_dir / KEYS_FILE
    path.touch(mode=0o600)
    with pytest.raises(ConfigurationError, match="empty"):
        load_key_ring(settings)
    assert path.read_bytes() == b""


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    with pytest.raises(ConfigurationError, match="AFTERVISIT_DATA_DIR"):
        load_key_ring(load_settings(data_dir=tmp_path / "var" / "below", secret_keys=None))


def test_a_new_key_comes_first_and_the_old_ones_stay(settings: Settings) -> None:
    before = load_key_ring(settings)
    after = add_key(settings.data_dir)
    assert after.ids[1:] == before.ids
    assert load_key_ring(settings).text() == after.text()
    assert stat.S_IMODE((settings.data_dir / KEYS_FILE).stat().st_mode) == 0o600


def test_keys_added_at_once_are_all_kept(settings: Settings) -> None:
    load_key_ring(settings)
    with ThreadPoolExecutor(8) as pool:
        added = {ring.current for ring in pool.map(lambda _: add_key(settings.data_dir), range(8))}
    assert added < set(load_key_ring(settings).ids)
    assert len(load_key_ring(settings).ids) == 9


def test_no_key_is_added_where_there_are_none(settings: Settings) -> None:
    with pytest.raises(ConfigurationError):
        add_key(settings.data_dir)
    assert not settings.data_dir.exists()
