"""How the console's pages are made: one frame, strict about where anything comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from service.web.console.sections import sections_of
from service.web.frontier import POLICY, SCRIPTED_POLICY
from service.web.language import words
from service.web.pages import root_of, templates

if TYPE_CHECKING:
    from service.web.console.access import Visit

CONSOLE: Final = "console"
"""Where it is, below the site's root."""
HTMX_POLICY: Final = f"{SCRIPTED_POLICY}; connect-src 'self'"
"""Pages are renewed in part by htmx, from here only."""
REFUSED: Final = "stands_"
"""Begins what is told (``?done=``) where a form was not followed."""
_TEMPLATES: Final = Path(__file__).parent / "templates"


def console_router() -> APIRouter:
    """A router for pages of the console; its paths are below ``/console``."""
    return APIRouter(
        prefix=f"/{CONSOLE}", default_response_class=HTMLResponse, include_in_schema=False
    )


def console_page(
    request: Request,
    language: str,
    name: str,
    status: int = 200,
    *,
    visit: Visit | None = None,
    **values: object,
) -> HTMLResponse:
    """The page of a template in the console's frame.

    Args:
        request: for the way to the site's root, and the notice of what a form did (``?done=``).
        language: one of ``language.LANGUAGES``.
        name: of the template, without its ending; its words are ``words.console_<name>``.
        status: HTTP status.
        visit: who is signed in; None on the way in, where there is nothing to navigate.
        values: all else that the template uses.
    """
    say = words(language)
    done = request.query_params.get("done", "")
    own = say.get(f"console_{name}", {})
    html = (
        templates(_TEMPLATES)
        .get_template(f"{name}.html.jinja")
        .render(
            {
                "language": language,
                "words": say,
                "root": root_of(request),
                "here": request.url.path.rpartition(f"/{CONSOLE}")[2].strip("/"),
                "visit": visit,
                "sections": sections_of(visit.member) if visit else (),
                "notice": own.get(f"done_{done}", "") if done else "",
                "notice_tone": "care" if done.startswith(REFUSED) else "good",
                **values,
            }
        )
    )
    return HTMLResponse(html, status, {POLICY: HTMX_POLICY, "Content-Language": language})
