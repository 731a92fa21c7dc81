"""Where the key ring comes from: the setting, or a file of its own under the data directory."""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING

from filelock import FileLock

from service.errors import ConfigurationError
from service.store.keyring import KEYS_FILE, KeyRing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from service.settings import Settings


def load_key_ring(settings: Settings, *, create: bool = True) -> KeyRing:
    """The ring of ``AFTERVISIT_SECRET_KEYS``, else that of ``DATA_DIR/secret_keys``.

    Args:
        settings: where to look.
        create: make the file with a new key where it does not exist yet.

    Raises:
        ConfigurationError: there is none, it cannot be read, or others could read it too.
    """
    if settings.secret_keys is not None:
        return KeyRing.parse(settings.secret_keys.get_secret_value())
    path = settings.data_dir / KEYS_FILE
    if create and not path.exists():
        _create(path, KeyRing.generate())
    return read_keys_file(path)


def read_keys_file(path: Path) -> KeyRing:
    """The ring in a file that only its owner can read.

    Raises:
        ConfigurationError: it cannot be read, or others could read it too.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise ConfigurationError(
                    f"The keys in {path} can be read by other users (mode {mode:o}). Run "
                    f"chmod 600 {path}, and aftervisit keys rotate if somebody may have read them."
                )
            return KeyRing.parse(file.read().decode("ascii", errors="replace"))
    except OSError as error:
        raise ConfigurationError(
            f"The keys in {path} cannot be read ({error.strerror}). Restore that file from the "
            f"backup that belongs to this store, or set AFTERVISIT_SECRET_KEYS."
        ) from None


def add_key(data_dir: Path) -> KeyRing:
    """Put a new key in front of ``DATA_DIR/secret_keys``; the file is at no time incomplete.

    It encrypts nothing until the store says so (see ``service.store.live_ring``), and processes
    that run read the file again when they meet a value under a key that they do not know.

    Raises:
        ConfigurationError: the file cannot be read or written.
    """
    return _rewrite(data_dir, KeyRing.with_new_key)


def remove_key(data_dir: Path, key_id: str) -> KeyRing:
    """Take a key out of that file, for good.

    Raises:
        ConfigurationError: the file cannot be read or written; it is the only key.
    """
    return _rewrite(data_dir, lambda ring: ring.without(key_id))


def _rewrite(data_dir: Path, change: Callable[[KeyRing], KeyRing]) -> KeyRing:
    path = data_dir / KEYS_FILE
    read_keys_file(path)  # before a lock file is left beside nothing
    with FileLock(path.with_name(f"{KEYS_FILE}.lock"), mode=0o600):
        ring = change(read_keys_file(path))
        _draft(path, ring).replace(path)
        _sync_directory(path.parent)
    return ring


def _create(path: Path, ring: KeyRing) -> None:
    """Write a first ring; where another process was quicker, its ring stands."""
    draft = _draft(path, ring)
    try:
        path.hardlink_to(draft)  # appears whole, and fails where there is one already
    except FileExistsError:
        return
    except OSError as error:
        raise ConfigurationError(
            f"The keys cannot be written to {path} ({error.strerror}). Set AFTERVISIT_DATA_DIR to "
            f"a directory on another file system, or AFTERVISIT_SECRET_KEYS."
        ) from None
    finally:
        draft.unlink()
    _sync_directory(path.parent)


def _draft(path: Path, ring: KeyRing) -> Path:
    """The ring, safely on disk, beside the file it is to become."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"The keys cannot be written to {path.parent} ({error.strerror}). Set "
            f"AFTERVISIT_DATA_DIR to a directory this user may write, or AFTERVISIT_SECRET_KEYS."
        ) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(ring.text() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_directory(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
