from __future__ import annotations

from itertools import permutations

import pytest

from schedules.delivery import State
from service.store.flights import Beginning
from tests.support.web import Site, new_sid

ERA_MS = 4_000_000_000_000  # everything is due by then


@pytest.fixture
def attempt(web: Site, phone: str) -> str:
    """A text that was begun; its attempt id."""
    patient = web.enrol(phone=phone)
    store = web.core.dispatch_store
    for partition in range(web.core.partitions):
        for claimed in store.claim(partition, ERA_MS, 1000, ERA_MS):
            identifier = web.core.patients.new_attempt(claimed.fields.id)
            begun = Beginning(claimed, identifier, "sms", ERA_MS, None, 0)
            assert store.begin([begun]) == ["ok"]
            if claimed.fields.id == patient:
                return identifier
    raise AssertionError("the patient has nothing due")


def post(web: Site, attempt: str, sid: str, status: str, code: str = "") -> int:
    fields = {"MessageSid": sid, "MessageStatus": status}
    fields |= {"ErrorCode": code} if code else {}
    return web.post(f"/webhooks/twilio/status?a={attempt}", fields).status_code


def test_receipts_in_any_order_end_in_the_furthest_state(web: Site, attempt: str) -> None:
    sid = new_sid()
    for order in permutations(["queued", "sent", "delivered"]):
        for status in order:
            assert post(web, attempt, sid, status) == 204
        record = web.core.dispatch_store.attempt(attempt)
        assert record is not None
        assert record.receipt == State.DELIVERED.code


def test_a_receipt_that_tells_of_an_opt_out_silences_the_number(
    web: Site, phone: str, attempt: str
) -> None:
    assert post(web, attempt, new_sid(), "failed", "21610") == 204
    digest = web.core.suppressions.digest("sms", phone)
    (patient,) = web.core.suppressions.patients(digest)
    assert web.silent(patient)


@pytest.mark.parametrize(
    "attempt_id", ["0" * 26, "", "a", "x" * 5000, "..", "%00", "00%0a" + "0" * 22, "u" * 26]
)
def test_a_receipt_of_an_attempt_that_nobody_knows_is_accepted(web: Site, attempt_id: str) -> None:
    assert post(web, attempt_id, new_sid(), "delivered") == 204


def test_a_receipt_without_a_known_status_is_refused(web: Site, attempt: str) -> None:
    assert post(web, attempt, new_sid(), "dancing") == 400
    fields = {"MessageStatus": "delivered"}
    assert web.post(f"/webhooks/twilio/status?a={attempt}", fields).status_code == 400


def test_a_forged_receipt_is_refused_and_changes_nothing(web: Site, attempt: str) -> None:
    path = f"/webhooks/twilio/status?a={attempt}"
    fields = {"MessageSid": new_sid(), "MessageStatus": "delivered"}
    assert web.post(path, fields, signature="forged").status_code == 403
    record = web.core.dispatch_store.attempt(attempt)
    assert record is not None
    assert record.receipt == ""
