"""Every route of the console, asked for by every role, from every side; none is left out."""

from __future__ import annotations

import pytest

from service.accounts.roles import RIGHTS, Role
from service.web.console.access import FORM_TOKEN
from service.web.console.open_routes import OPEN
from tests.support.console import Desk, signed_in
from tests.support.routes import Route, routes_of
from tests.support.web import Site

SEE_OTHER, REFUSED = 303, 403


def test_every_route_asks_for_one_right_or_is_the_way_in(web: Site) -> None:
    routes = routes_of(web.core)
    closed = [route for route in routes if (route.method, route.path) not in OPEN]
    assert closed
    assert [(r.method, r.path) for r in closed if len(r.needs) != 1] == []
    assert {(r.method, r.path) for r in routes if not r.needs} <= OPEN


def test_nobody_gets_anywhere_without_signing_in(web: Site) -> None:
    for route in routes_of(web.core):
        if not route.needs:
            continue
        answer = web.client.request(route.method, route.address)
        assert answer.status_code == SEE_OTHER, (route, answer.status_code)
        assert "console/sign-in" in answer.headers["location"], route
        assert answer.content == b""


def test_a_session_that_never_was_is_none(web: Site) -> None:
    for token in ("", "x", "0" * 64, "../../", "é"):
        cookie = f"aftervisit={token}; __Host-aftervisit={token}".encode()
        answer = web.client.get("/console/", headers={b"cookie": cookie})
        assert answer.status_code == SEE_OTHER


@pytest.mark.parametrize("role", list(Role))
def test_a_role_gets_what_it_may_and_no_more(web: Site, role: Role) -> None:
    desk = signed_in(web, role)
    wrong = []
    for route in routes_of(web.core):
        if not route.needs or route.path == "/console/sign-out":
            continue
        answer = _ask(desk, route, desk.form_token)
        may = route.right is None or route.right in RIGHTS[role]
        if (answer == REFUSED) == may or answer >= 500:
            wrong.append((route.method, route.path, answer))
        desk = desk if desk.is_signed_in() else signed_in(web, role)
    assert wrong == []


def test_no_form_is_taken_without_the_sessions_own_token(web: Site) -> None:
    desk, other = signed_in(web, Role.ADMIN), signed_in(web, Role.ADMIN)
    for route in routes_of(web.core):
        if not route.needs or route.method in {"GET", "HEAD"}:
            continue
        for token in ("", "x", other.form_token):
            assert _ask(desk, route, token) == REFUSED, route
    assert desk.is_signed_in()


def test_no_form_of_another_site_is_taken(web: Site) -> None:
    desk = signed_in(web, Role.ADMIN)
    for route in routes_of(web.core):
        if not route.needs or route.method in {"GET", "HEAD"}:
            continue
        for told in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
            assert _ask(desk, route, desk.form_token, told) == REFUSED, route
        answer = _ask(desk, route, desk.form_token, {"Origin": "https://evil.example"})
        assert answer == REFUSED, route
    assert desk.is_signed_in()


def _ask(desk: Desk, route: Route, token: str, told: dict[str, str] | None = None) -> int:
    form = None if route.method in {"GET", "HEAD"} else {FORM_TOKEN: token}
    return desk.request(route.method, route.address, form, told).status_code


def test_a_page_says_no_word_of_what_was_asked_for(web: Site) -> None:
    desk = signed_in(web, Role.VIEWER)
    answer = desk.get("<script>alert(1)</script>")
    assert answer.status_code == 404
    assert "alert" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"


def test_who_may_not_see_patients_begins_elsewhere(web: Site) -> None:
    answer = signed_in(web, Role.AUTHOR).get("")
    assert answer.headers["location"].endswith("console/library")
