from __future__ import annotations

import pytest

from service.web.same_origin import is_own

OURS = frozenset({"tips.example.org", "127.0.0.1:8000"})


@pytest.mark.parametrize(
    ("site", "origin", "own"),
    [
        ("same-origin", "null", True),
        ("none", None, True),
        ("cross-site", "https://tips.example.org", False),
        ("same-site", "null", False),
        (None, "https://tips.example.org", True),
        (None, "http://127.0.0.1:8000", True),
        (None, "https://evil.example", False),
        (None, "https://tips.example.org.evil.example", False),
        (None, "null", True),
        (None, None, True),
    ],
)
def test_a_form_is_taken_from_our_own_pages_only(
    site: str | None, origin: str | None, *, own: bool
) -> None:
    assert is_own(site, origin, OURS) is own
