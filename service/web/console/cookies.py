"""What a browser keeps for the console: its session, and that a member has signed in with it."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.responses import Response

from service.accounts.sign_in import Asker, Step
from service.bootstrap import Core
from service.web.console.access import cookie_name
from service.web.source import SourceOf

DEVICE_DAYS: Final = 180
_BROWSERS: Final = (
    *(("Edg/", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet")),
    *(("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome")),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("Mac OS X", "Mac"), ("X11; Cr", "ChromeOS"), ("Linux", "Linux")),
)


def token_of(request: Request, core: Core) -> str:
    """The token of a session, or of a sign-in that was begun; empty where there is none."""
    return request.cookies.get(cookie_name(core), "")


def keep(request: Request, response: Response, core: Core, step: Step) -> None:
    """Give a browser what a step of a sign-in came to, in place of what it had.

    The cookies go with no request that another site makes, but with a link that leads here
    (``SameSite=Lax``): one in an alert's e-mail is to find who has signed in.
    """
    before = token_of(request, core)
    if before and before != step.token:
        core.sessions.end(before)
    _set(response, cookie_name(core), step.token)
    if step.device:
        _set(response, _device_name(core), step.device, max_age=DEVICE_DAYS * 86_400)


def renew(response: Response, core: Core, token: str) -> None:
    """Give a browser the token of a new session in place of one that was ended."""
    _set(response, cookie_name(core), token)


def forget(response: Response, core: Core) -> None:
    """Take the session's token from a browser."""
    _set(response, cookie_name(core), "", max_age=0)


def _set(response: Response, name: str, value: str, *, max_age: int | None = None) -> None:
    https = name.startswith("__Host-")
    response.set_cookie(
        name, value, max_age=max_age, path="/", secure=https, httponly=True, samesite="lax"
    )


def _device_name(core: Core) -> str:
    return f"{cookie_name(core)}-known"


def browser_name(user_agent: str) -> str:
    """What a person calls a browser, such as ``Firefox, Windows``; empty where it is not known."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return ", ".join(filter(None, (browser, system)))


async def _asker(request: Request, source: SourceOf) -> Asker:
    core: Core = request.app.state.core
    return Asker(
        source,
        browser_name(request.headers.get("user-agent", "")),
        request.cookies.get(_device_name(core), ""),
    )


AskerOf = Annotated[Asker, Depends(_asker)]
"""Where a try to sign in comes from, as a parameter of a route."""
