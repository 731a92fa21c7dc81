"""The queues, and which tasks go where."""

from __future__ import annotations

from typing import Final

DRAIN: Final = "drain"
"""Drains of partitions: the only thing that sends."""

MIGRATIONS: Final = "migrations"
"""Patients to be moved to another version of their series; no drain has to wait behind them."""

IMPORTS: Final = "imports"
"""Files of patients, to be checked or imported; behind them no drain has to wait."""

QUEUES: Final = (DRAIN, MIGRATIONS, IMPORTS)
"""Every queue; the worker command consumes all of them."""
