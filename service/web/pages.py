"""Pages for patients: plain HTML from templates, without scripts; readable on any phone."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

_TEMPLATES: Final = Path(__file__).parent / "templates"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(name: str, status: int = 200, **values: object) -> HTMLResponse:
    """The page of a template; every value is escaped, and nothing is kept by browsers or proxies.

    Args:
        name: of the template, without its ending.
        status: HTTP status.
        values: all that the template uses.
    """
    html = _environment().get_template(f"{name}.html.jinja").render(values)
    return HTMLResponse(html, status, {"Cache-Control": "no-store"})
