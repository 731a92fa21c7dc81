"""Pages for patients: plain HTML from templates, without scripts; readable on any phone."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from service.web.language import words

_TEMPLATES: Final = Path(__file__).parent / "templates"


@cache
def templates(directory: Path) -> Environment:
    """The templates of a directory, which escape every value and know no undefined one."""
    return Environment(
        loader=FileSystemLoader(directory),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def root_of(request: Request) -> str:
    """The way from a request's address up to the site's root, for links that keep its prefix."""
    return "../" * (request.url.path.count("/") - 1)


def page(name: str, language: str, status: int = 200, **values: object) -> HTMLResponse:
    """The page of a template; every value is escaped, and nothing is kept by browsers or proxies.

    Args:
        name: of the template, without its ending.
        language: one of ``language.LANGUAGES``; the template gets its words as ``words``.
        status: HTTP status.
        values: all else that the template uses; ``root``, the way up to the site's root, where
            the page is not one step below it.
    """
    template = templates(_TEMPLATES).get_template(f"{name}.html.jinja")
    html = template.render(values, language=language, words=words(language))
    headers = {"Cache-Control": "no-store", "Content-Language": language}
    return HTMLResponse(html, status, headers)
