"""Messages outside of a series: queued once, begun once, and only while they may be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from service.store.responses import Queued, Response
from tests.contract.store.installation import PHONE, Installed

LEASE_S = 30.0


def response(once: str = "one", **changes: Any) -> Response:  # noqa: ANN401 - any field
    plain = Response(
        channel="sms",
        to=PHONE,
        clinic="riverside",
        message="help",
        language="es",
        once=once,
        values={"link": "https://aftervisit.example/p/x"},
    )
    return replace(plain, **changes)


def waiting(store: Installed) -> list[Queued]:
    return [one for p in range(store.partitions) for one in store.responses.waiting(p, 10)]


def only(store: Installed) -> Queued:
    (queued,) = waiting(store)
    return queued


def begin(store: Installed, queued: Queued) -> str:
    return store.responses.begin(queued, lease_s=LEASE_S)


def state(store: Installed, once: str = "one") -> str | None:
    return store.responses.state("sms", PHONE, once)


def test_what_was_queued_is_handed_out_as_it_was(store: Installed) -> None:
    assert store.responses.queue(response())
    queued = only(store)
    assert queued.response.to == PHONE
    assert queued.response.message == "help"
    assert queued.response.language == "es"
    assert queued.response.values == {"link": "https://aftervisit.example/p/x"}
    assert not queued.response.answers
    assert not queued.response.alert


def test_the_same_name_is_the_same_message(store: Installed) -> None:
    assert store.responses.queue(response())
    assert not store.responses.queue(response(message="goodbye"))
    assert store.responses.queue(response("two"))
    assert len(waiting(store)) == 2
    assert begin(store, waiting(store)[0]) == "ok"


def test_fifty_that_queue_it_at_once_queue_it_once(store: Installed) -> None:
    with ThreadPoolExecutor(10) as pool:
        queued = list(pool.map(lambda _: store.responses.queue(response()), range(50)))
    assert queued.count(True) == 1


def test_it_is_begun_once_however_many_ask(store: Installed) -> None:
    store.responses.queue(response())
    queued = only(store)
    with ThreadPoolExecutor(10) as pool:
        begun = list(pool.map(lambda _: begin(store, queued), range(20)))
    assert sorted(begun) == ["lost"] * 19 + ["ok"]


def test_one_that_was_begun_and_never_recorded_is_unknown_and_not_sent_again(
    store: Installed,
) -> None:
    store.responses.queue(response())
    queued = only(store)
    assert begin(store, queued) == "ok"
    assert waiting(store) == []
    store.machine.ms += int(LEASE_S * 1000)
    assert begin(store, only(store)) == "unknown"
    assert waiting(store) == []
    assert state(store) == "unknown"


def test_a_late_record_of_one_that_was_given_up_still_counts(store: Installed) -> None:
    store.responses.queue(response())
    queued = only(store)
    begin(store, queued)
    store.machine.ms += int(LEASE_S * 1000)
    begin(store, queued)
    assert not store.responses.end(queued, "again", provider_id="", code="20429")
    assert state(store) == "unknown", "nobody may send it a second time"
    assert store.responses.end(queued, "sent", provider_id="SM1", code="")
    assert state(store) == "sent"


def test_a_suppressed_address_gets_none(store: Installed) -> None:
    store.responses.queue(response())
    queued = only(store)
    store.suppress()
    assert begin(store, queued) == "suppressed"
    assert waiting(store) == []
    assert state(store) == "suppressed"


@pytest.mark.parametrize(("answers", "alert"), [(True, False), (False, True)])
def test_an_answer_and_an_alert_go_suppression_notwithstanding(
    store: Installed, *, answers: bool, alert: bool
) -> None:
    store.suppress()
    store.responses.queue(response(answers=answers, alert=alert))
    queued = only(store)
    assert (queued.response.answers, queued.response.alert) == (answers, alert)
    assert begin(store, queued) == "ok"


def test_what_is_no_longer_wanted_is_dropped(store: Installed) -> None:
    store.responses.queue(response(expires_s=60.0))
    queued = only(store)
    store.machine.ms += 60_000
    assert begin(store, queued) == "expired"
    assert waiting(store) == []
    assert state(store) == "expired"


def test_what_was_proven_not_to_be_sent_comes_up_again_when_it_is_time(store: Installed) -> None:
    store.responses.queue(response())
    queued = only(store)
    begin(store, queued)
    assert store.responses.end(queued, "again", after_s=5.0, provider_id="", code="20429")
    assert waiting(store) == []
    store.machine.ms += 5_000
    assert begin(store, only(store)) == "ok"


@pytest.mark.parametrize("ended", ["sent", "failed", "unknown"])
def test_what_has_ended_does_not_come_up_again(store: Installed, ended: str) -> None:
    store.responses.queue(response())
    queued = only(store)
    begin(store, queued)
    assert store.responses.end(queued, ended, provider_id="SM1", code="")  # type: ignore[arg-type]
    store.machine.ms += 10**9
    assert waiting(store) == []
    assert begin(store, queued) == "lost"
    assert state(store) == ended


def test_it_is_put_off_until_its_sender_has_its_turn(store: Installed) -> None:
    store.responses.queue(response())
    store.responses.put_off(only(store), store.machine.ms + 1_000)
    assert waiting(store) == []
    store.machine.ms += 1_000
    assert begin(store, only(store)) == "ok"


def test_the_tick_sees_that_one_waits(store: Installed) -> None:
    store.responses.queue(response())
    partition = store.suppressions.keys(store.digest("sms", PHONE)).partition
    (pending,) = store.dispatch.peek([partition])
    assert pending.after_ms == store.machine.ms


def test_nothing_of_the_recipient_stands_there_in_the_clear(store: Installed) -> None:
    store.responses.queue(response(values={"link": "https://aftervisit.example/p/hush"}))
    keys = store.suppressions.keys(store.digest("sms", PHONE))
    told = repr(store.scripts.read_hash(keys.response(only(store).id)))
    assert PHONE not in told
    assert "hush" not in told
