from __future__ import annotations

import pytest

from service.dispatch.pulse import LATE_MS
from service.store.keys import LAST_TICK
from tests.support.web import Site


def tick(web: Site, age_ms: int) -> None:
    web.core.client.set(LAST_TICK, web.core.machine.now_ms() - age_ms)


def test_the_process_says_that_it_lives(web: Site) -> None:
    assert web.client.get("/healthz").json() == {"status": "ok"}
    assert web.client.head("/healthz").status_code == 200


def test_ready_while_the_beat_ticks(web: Site) -> None:
    tick(web, 1_000)
    answer = web.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert web.client.head("/readyz").status_code == 200


@pytest.mark.parametrize("silent", [True, False])
def test_a_silent_beat_is_told_and_turns_no_webhook_away(web: Site, *, silent: bool) -> None:
    if silent:
        tick(web, LATE_MS + 1_000)
    else:
        web.core.client.delete(LAST_TICK)
    answer = web.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["beat"] == ("late" if silent else "never")
    assert answer.json()["store"] == "ok"


def test_not_ready_where_the_store_refuses_writes(web: Site) -> None:
    tick(web, 1_000)
    web.core.client.config_set("min-replicas-to-write", 1)
    try:
        answer = web.client.get("/readyz")
    finally:
        web.core.client.config_set("min-replicas-to-write", 0)
    assert answer.status_code == 503
    assert answer.json()["store"] == "unavailable"


def test_the_description_names_every_route(web: Site) -> None:
    paths = web.client.get("/openapi.json").json()["paths"]
    assert {"/healthz", "/readyz", "/u/{token}"} <= set(paths)
    assert {"/p", "/p/{token}", "/p/{token}/pause", "/u/{token}/undo"} <= set(paths)
    assert {"/webhooks/twilio/inbound", "/webhooks/twilio/status"} <= set(paths)


def test_an_unknown_page_tells_nothing(web: Site) -> None:
    answer = web.client.get("/.env")
    assert answer.status_code == 404
    assert "env" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_static_files_may_be_kept_and_nothing_beside_them_is_served(web: Site) -> None:
    assert "max-age" in web.client.get("/static/page.css").headers["cache-control"]
    assert web.client.get("/static/..%2fapp.py").status_code == 404
