"""Settings of a test come from the test, never from the machine it runs on."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("AFTERVISIT_"):
            monkeypatch.delenv(name)
