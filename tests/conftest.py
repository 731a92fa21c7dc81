"""For all tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says more of the machine's other work than of ours.
settings.register_profile("aftervisit", deadline=None)
settings.load_profile("aftervisit")

pytest_plugins = ["tests.support.leaks"]
