"""Forms are sent by our own pages: a request that a browser makes for another site is refused."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request

from service.bootstrap import Core

_OWN: Final = frozenset({"same-origin", "none"})


def is_own(site: str | None, origin: str | None, ours: frozenset[str]) -> bool:
    """Whether a form may have been sent by a page of ours.

    Our pages send no referrer, and so browsers give ``null`` as their origin; what tells is
    ``Sec-Fetch-Site``, which no script can set. Where a browser is too old to send it, an origin
    that is told must be ours. A program that sends neither has no reader to deceive.

    Args:
        site: the header ``Sec-Fetch-Site``, None where there is none.
        origin: the header ``Origin``, None where there is none.
        ours: hosts, with their ports, that we are reached at.
    """
    if site is not None:
        return site in _OWN
    return origin in {None, "null"} or urlsplit(origin or "").netloc in ours


def from_own_page(request: Request) -> bool:
    """Whether a page of ours may have sent a request (see ``is_own``)."""
    core: Core = request.app.state.core
    hosts = {urlsplit(core.settings.public_base).netloc, request.headers.get("host", "")}
    told = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    return is_own(*told, frozenset(hosts))


async def _own_form(request: Request) -> None:
    if not from_own_page(request):
        raise HTTPException(403, "This form was sent by another site.")


OwnForm = Annotated[None, Depends(_own_form)]
"""Refuses a form of another site's with 403, as a parameter of a route."""
