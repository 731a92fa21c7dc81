"""The web application: routes, what surrounds them, and the sweep of replies that were cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import structlog
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from service.bootstrap import Core
from service.errors import AftervisitError
from service.web import faults, health
from service.web.bodies import PACE, Pace
from service.web.console import routes as console
from service.web.frontier import Frontier
from service.web.patient import join, link, unsubscribe
from service.web.patient import page as own_page
from service.web.webhooks import twilio

log = structlog.get_logger(__name__)

STATIC: Final = Path(__file__).parent / "static"
SWEEP_S: Final = 30.0
THREADS: Final = 32
"""Texts that are followed at once; each spends most of its time waiting for the store."""


def create_app(core: Core, pace: Pace = PACE) -> FastAPI:
    """The application on an open core, which its caller closes after it.

    Args:
        core: the open core.
        pace: how slowly bodies of requests may come.
    """
    application = FastAPI(
        title="Aftervisit",
        summary="Patient education after a visit, by text message and e-mail.",
        version="0.1.0",
        docs_url=None,  # its scripts come from elsewhere
        redoc_url=None,
        lifespan=_sweeping,
        generate_unique_id_function=_operation_id,
    )
    application.state.core = core
    faults.install(application)
    for part in (health, twilio, unsubscribe, join, link, own_page):
        application.include_router(part.router)
    console.install(application)
    application.mount("/static", _Static(directory=STATIC), name="static")
    https = core.settings.public_base.startswith("https:")
    application.add_middleware(Frontier, https=https, pace=pace)
    return application


class _Static(StaticFiles):
    """Our own few files; unlike pages, browsers may keep them for a while."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 - Starlette's
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response


def _operation_id(route: APIRoute) -> str:
    return route.name


@asynccontextmanager
async def _sweeping(application: FastAPI) -> AsyncIterator[None]:
    """Make room for texts; look for those that a crash cut off at the start, and from then on."""
    core: Core = application.state.core
    # Built before the first request, and not by two threads at once.
    core.inbox  # noqa: B018
    core.twilio_signatures  # noqa: B018
    core.joining  # noqa: B018
    core.counts  # noqa: B018
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "text"))
    tasks = [asyncio.create_task(each(core)) for each in (_sweep, _list)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _sweep(core: Core) -> None:
    while True:
        try:
            now_ms = core.machine.now_ms()
            for name, finish in (
                ("opt_outs_finished", core.suppressions.finish_open),
                ("replies_finished", core.inbox.finish_open),
                ("corrections_finished", core.inbox_cases.correcting.finish_open),
            ):
                finished = await asyncio.to_thread(finish, now_ms)
                if finished:
                    log.warning(name, count=finished)
            await asyncio.to_thread(core.counts.add_up)
        except AftervisitError as error:
            log.warning("sweep_failed", fault=str(error))
        except Exception as error:  # noqa: BLE001 - the sweep goes on as long as the process
            log.error("sweep_failed", fault=type(error).__name__)
        await asyncio.sleep(SWEEP_S)


async def _list(core: Core) -> None:
    """See that whoever was enrolled before there was a directory stands in it, and is counted."""
    listed = False
    while not listed:
        try:
            listed = await asyncio.to_thread(core.listing.run_once)
            listed = listed and await asyncio.to_thread(core.recounting.run_once)
        except AftervisitError as error:
            log.warning("listing_failed", fault=str(error))
        if not listed:
            await asyncio.sleep(SWEEP_S)
