"""Whether the process lives, and whether the service can do its work."""

from __future__ import annotations

from typing import Final

import structlog
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse

from service.dispatch.pulse import LATE_MS, age_of
from service.errors import AftervisitError
from service.store.connection import store_errors
from service.store.keys import LAST_TICK
from service.web.core import CoreOf

log = structlog.get_logger(__name__)

router = APIRouter(tags=["health"])

PROBE: Final = "av:ready"
_PROBE_TTL_MS: Final = 60_000


class Health(BaseModel):
    """Whether the process answers."""

    status: str


class Readiness(BaseModel):
    """What the service needs to work, each ``ok`` or what is wrong with it in a word."""

    status: str
    store: str
    beat: str
    last_tick_age_s: float | None


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def healthz() -> Health:
    """Say that the process is alive; asks nothing of anybody else."""
    return Health(status="ok")


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
def readyz(core: CoreOf) -> JSONResponse:
    """Say whether the store takes writes: 503 where it does not, and nothing is acknowledged.

    A silent beat is told (``degraded``) and is no reason to turn webhooks and unsubscribes away.
    """
    store, beat, age_s = "ok", "unknown", None
    try:
        with store_errors(core.client):
            pipeline = core.client.pipeline(transaction=False)
            pipeline.set(PROBE, 1, px=_PROBE_TTL_MS)
            pipeline.get(LAST_TICK)
            age_ms = age_of(pipeline.execute()[1], core.machine)
        beat = "never"
        if age_ms is not None:
            beat, age_s = "ok" if age_ms < LATE_MS else "late", age_ms / 1000
    except AftervisitError as error:
        log.warning("not_ready", fault=str(error))
        store = "unavailable"
    status = "not_ready"
    if store == "ok":
        status = "ready" if beat == "ok" else "degraded"
    report = Readiness(status=status, store=store, beat=beat, last_tick_age_s=age_s)
    return JSONResponse(report.model_dump(), 200 if store == "ok" else 503)
