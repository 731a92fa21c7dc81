"""A QR code as part of a page: the policy of the pages takes no picture from an address of data."""

from __future__ import annotations

import segno
from markupsafe import Markup


def qr_of(text: str) -> Markup:
    """An SVG without style; dark on light in dark mode too, as cameras want it."""
    code = segno.make(text, micro=False, error="m")
    svg = code.svg_inline(
        border=4, light="#fff", dark="#000", svgclass=None, lineclass=None, omitsize=True
    )
    return Markup(svg)  # noqa: S704 - shapes alone, none of the text
