"""Whatever belongs to a clinic does not exist for those who do not see it: every route, asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.accounts.roles import Role
from service.store.reply_records import Reply
from service.store.tasks import Task
from service.web.console.access import FORM_TOKEN
from tests.support.clinics import two_clinics
from tests.support.console import Desk, signed_in
from tests.support.patient_files import row, text
from tests.support.routes import Route, routes_of
from tests.support.web import Site, site

PHONE = "+15035550111"

SHARED = frozenset({"message", "language", "name", "version", "table", "move", "token", "anything"})
"""Parameters that name what every clinic shares, or a link's secret."""
OWN = frozenset({"number", "kind"})
"""Parameters that say which of an object's parts is meant."""
MISSING = 404


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("two")
    with site(directory, clinics=two_clinics(directory, own_senders=True)) as running:
        yield running


@pytest.fixture(scope="module")
def objects(two: Site) -> dict[str, str]:
    """One object of the clinic Riverside for each parameter that names one."""
    patient = two.enrol("Ana", phone=PHONE, clinic="riverside")
    two.text(PHONE, "my left leg is swollen and hot")
    thread = two.core.suppressions.digest("sms", PHONE)
    said = [each.what for each in two.core.conversations.of(thread)]
    theirs = signed_in(two, Role.ADMIN, "riverside")
    sent = two.client.post(
        "/console/imports",
        data={
            FORM_TOKEN: theirs.form_token,
            "clinic": "riverside",
            "method": "written",
            "wording": "2026-11",
            "dates": "iso",
        },
        files={"file": ("a.csv", text(row()).encode())},
        headers={"cookie": theirs.cookie, "sec-fetch-site": "same-origin"},
    )
    assert sent.status_code == 303, sent.text
    return {
        "patient": patient,
        "number": "1",
        "kind": "phone",
        "thread": thread,
        "reply": next(each.id for each in said if isinstance(each, Reply)),
        "task": next(each.id for each in said if isinstance(each, Task)),
        "identifier": sent.headers["location"].rpartition("/")[2].partition("?")[0],
        "delivery": f"{patient}.1.0",
        "member": theirs.member.id,
    }


def named(route: Route) -> set[str]:
    """The parameters of a route that name an object of one clinic."""
    return set(route.parameters) - SHARED - OWN


def test_every_parameter_of_a_route_is_known_here(two: Site, objects: dict[str, str]) -> None:
    found = {name for route in routes_of(two.core) for name in route.parameters}
    assert found - SHARED - OWN == objects.keys() - OWN


@pytest.mark.parametrize("role", [Role.VIEWER, Role.STAFF, Role.ADMIN])
def test_what_is_of_another_clinic_is_answered_as_what_never_was(
    two: Site, objects: dict[str, str], role: Role
) -> None:
    desk = signed_in(two, role, "hillside")
    before = two.changes()
    for route in routes_of(two.core):
        right = route.right if route.needs else None
        if not named(route) or right is None or not desk.member.may(right):
            continue
        nothing = {name: objects[name] for name in OWN}
        assert ask(desk, route, objects) == (MISSING, ask(desk, route, nothing)[1]), route
    assert two.changes() == before
    assert desk.is_signed_in()


def test_those_of_the_clinic_itself_get_at_each_of_them(two: Site, objects: dict[str, str]) -> None:
    desk = signed_in(two, Role.ADMIN, "riverside")
    routes = [route for route in routes_of(two.core) if route.needs and named(route)]
    asked = [route for route in routes if route.method == "GET"]
    assert len(asked) > 5
    for route in asked:
        status, _ = ask(desk, route, objects)
        assert status != MISSING, route


def ask(desk: Desk, route: Route, objects: dict[str, str]) -> tuple[int, str]:
    """Status and page of a route for some objects."""
    form = None if route.method == "GET" else {FORM_TOKEN: desk.form_token}
    answer = desk.request(route.method, route.of(objects), form)
    return answer.status_code, answer.text
