"""The queues, and which tasks go where."""

from __future__ import annotations

from typing import Final

DRAIN: Final = "drain"
"""Drains of partitions: the only thing that sends."""

QUEUES: Final = (DRAIN,)
"""Every queue; the worker command consumes all of them."""
