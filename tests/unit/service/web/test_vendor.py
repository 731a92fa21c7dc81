"""What others wrote and we serve is what they published, and nothing else lies beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import service.web

VENDOR = Path(service.web.__file__).parent / "static" / "vendor"
PUBLISHED = {
    "htmx-2.0.10.min.js": "71ea67185bfa8c98c39d31717c6fce5d852370fcdfd129db4543774d3145c0de",
}


def test_every_file_of_others_is_the_published_one() -> None:
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.glob("*.js")
    }
    assert found == PUBLISHED


def test_the_frame_loads_nothing_but_these() -> None:
    frame = VENDOR.parent.parent / "console" / "templates" / "console.html.jinja"
    text = frame.read_text("utf-8")
    assert all(f"static/vendor/{name}" in text for name in PUBLISHED)
    assert text.count("<script") == len(PUBLISHED)
