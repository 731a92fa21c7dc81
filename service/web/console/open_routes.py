"""What of the console may be asked for without a session: the way in, and nothing else."""

from __future__ import annotations

from typing import Final

OPEN: Final = frozenset(
    {
        ("GET", "/console/sign-in"),
        ("POST", "/console/sign-in"),
        ("GET", "/console/second-factor"),
        ("POST", "/console/second-factor"),
        ("GET", "/console/forgotten"),
        ("POST", "/console/forgotten"),
        ("GET", "/console/invitation/{token}"),
        ("POST", "/console/invitation/{token}"),
        ("GET", "/console/reset/{token}"),
        ("POST", "/console/reset/{token}"),
    }
)
"""Method and path, as the routes have them."""
