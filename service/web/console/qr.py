"""A QR code as part of a page: the policy of the pages takes no picture from an address of data."""

from __future__ import annotations

import segno


def qr_of(text: str) -> str:
    """An SVG without style, safe in a page since it holds shapes alone and none of the text.

    Dark on light in dark mode too, as cameras want it.
    """
    code = segno.make(text, micro=False, error="m")
    return code.svg_inline(
        border=4, light="#fff", dark="#000", svgclass=None, lineclass=None, omitsize=True
    )
