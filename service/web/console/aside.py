"""What a request of the console must not wait for, or must not do on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

import structlog

from service.errors import AftervisitError

log = structlog.get_logger(__name__)

_HASHING: Final = ThreadPoolExecutor(2, thread_name_prefix="passwords")
"""Each check takes 64 MiB and a tenth of a second: so many at once, however many knock, and never
in the threads that webhooks are served by."""
_AFTERWARDS: Final = ThreadPoolExecutor(1, thread_name_prefix="staff-mail")

_P = ParamSpec("_P")
_R = TypeVar("_R")


async def hashing(call: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Call what checks or makes a password's hash, while the event loop goes on."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_HASHING, partial(call, *args, **kwargs))


def afterwards(call: Callable[_P, object], *args: _P.args, **kwargs: _P.kwargs) -> None:
    """Call it beside the request: how long it takes tells whoever asked nothing."""
    _AFTERWARDS.submit(_quietly, partial(call, *args, **kwargs))


def _quietly(call: Callable[[], object]) -> None:
    try:
        call()
    except AftervisitError as fault:
        log.error("staff_mail_not_sent", fault=str(fault))
    except Exception as fault:  # noqa: BLE001 - its text may hold what a member typed
        log.error("staff_mail_not_sent", fault=type(fault).__name__)
