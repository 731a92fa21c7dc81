"""A laid-out page as SVG and as PDF; the same page gives the same bytes."""

from __future__ import annotations

import io
from html import escape
from itertools import groupby

from service.poster.shapes import BOLD, INK, Box, Code, Page, Text


def svg(page: Page) -> str:
    """The page as SVG. Its words are text; where the fonts are missing, others take their room."""
    size = f'width="{_pt(page.width)}pt" height="{_pt(page.height)}pt"'
    fonts = "Helvetica, Arial, 'Liberation Sans', sans-serif"
    frame = f'viewBox="0 0 {_pt(page.width)} {_pt(page.height)}" lang="{page.language}"'
    names = f'role="img" aria-labelledby="title description" font-family="{fonts}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {frame} {names}>',
        f'<title id="title">{escape(page.title)}</title>',
        f'<desc id="description">{escape(page.description)}</desc>',
        f'<rect width="{_pt(page.width)}" height="{_pt(page.height)}" fill="#ffffff"/>',
    ]
    for shape in page.shapes:
        match shape:
            case Box():
                parts.append(
                    f'<rect x="{_pt(shape.x)}" y="{_pt(shape.y)}" width="{_pt(shape.width)}" '
                    f'height="{_pt(shape.height)}" rx="{_pt(shape.radius)}" fill="{shape.colour}"/>'
                )
            case Text():
                weight = ' font-weight="700"' if shape.font == BOLD else ""
                parts.append(
                    f'<text x="{_pt(shape.x)}" y="{_pt(shape.y)}" font-size="{_pt(shape.size)}"'
                    f'{weight} fill="{shape.colour}" textLength="{_pt(shape.width)}" '
                    f'lengthAdjust="spacingAndGlyphs">{escape(shape.words)}</text>'
                )
            case Code():
                path = "".join(
                    f"M{_pt(x)} {_pt(y)}h{_pt(width)}v{_pt(height)}h-{_pt(width)}z"
                    for x, y, width, height in _runs(shape)
                )
                parts.append(f'<path shape-rendering="crispEdges" fill="{INK}" d="{path}"/>')
    return "\n".join([*parts, "</svg>", ""])


def pdf(page: Page) -> bytes:
    """The page as PDF, with fonts that every reader and printer has."""
    from reportlab.lib.colors import HexColor  # noqa: PLC0415 - slow to load
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415

    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(page.width, page.height), invariant=1, lang=page.language)
    canvas.setTitle(page.title)
    canvas.setSubject(page.description)
    canvas.setAuthor("Aftervisit")
    for shape in page.shapes:
        match shape:
            case Box():
                canvas.setFillColor(HexColor(shape.colour))
                low = page.height - shape.y - shape.height
                canvas.roundRect(
                    shape.x, low, shape.width, shape.height, shape.radius, stroke=0, fill=1
                )
            case Text():
                canvas.setFillColor(HexColor(shape.colour))
                canvas.setFont(shape.font, shape.size)
                canvas.drawString(shape.x, page.height - shape.y, shape.words)
            case Code():
                canvas.setFillColor(HexColor(INK))
                for x, y, width, height in _runs(shape):
                    canvas.rect(x, page.height - y - height, width, height, stroke=0, fill=1)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _runs(code: Code) -> list[tuple[float, float, float, float]]:
    """Its dark modules, those beside each other in one, as x, y, width and height."""
    module = code.size / len(code.rows)
    found = []
    for number, row in enumerate(code.rows):
        at = 0
        for dark, modules in groupby(row):
            count = len(list(modules))
            if dark:
                found.append(
                    (code.x + at * module, code.y + number * module, count * module, module)
                )
            at += count
    return found


def _pt(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
