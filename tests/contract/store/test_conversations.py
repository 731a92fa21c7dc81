"""What was said by or to an address is found by it, and its words go with the last patient."""

from __future__ import annotations

from service.store.audit import Audit
from service.store.conversations import Conversations, Sent
from service.store.keys import PartitionKeys, partition_of
from service.store.records import Status
from service.store.reply_records import Heard, NewReply, Reply
from service.store.responses import Response
from service.store.tasks import Task, TaskKind
from tests.contract.store.installation import DUE, PHONE, Installed

HOUR_MS = 3_600_000


def conversations(store: Installed) -> Conversations:
    return Conversations(store.client, store.scripts, store.suppressions.keys)


def address(store: Installed) -> str:
    return store.digest("sms", PHONE)


def later(store: Installed, hours: int = 1) -> None:
    store.business.ms += hours * HOUR_MS
    store.machine.ms += hours * HOUR_MS


def hear(store: Installed, identifier: str = "SM1", *, ago_ms: int = 0) -> Reply:
    return store.replies.record(
        NewReply(
            message_id=identifier,
            address=address(store),
            channel="sms",
            heard=Heard(("other",), rules=("none",)),
            word="",
            opt_out_type="",
            clinic="riverside",
            via="list" if ago_ms else "webhook",
            at_ms=store.machine.ms - ago_ms,
            content={"from": PHONE, "body": "good morning"},
        )
    ).reply


def answer(store: Installed, once: str = "one", *, alert: bool = False) -> None:
    store.responses.queue(
        Response(
            channel="sms",
            to=PHONE,
            clinic="riverside",
            message="help",
            language="en",
            once=once,
            alert=alert,
        )
    )


def open_task(store: Installed) -> str:
    return store.tasks.open(
        TaskKind.REPLY,
        address(store),
        clinic="riverside",
        patients=[],
        once="r1",
        content={"body": "good morning"},
        source="test",
    ).id


def end_answers(store: Installed) -> None:
    partition = store.suppressions.keys(address(store)).partition
    for queued in store.responses.waiting(partition, 10):
        assert store.responses.begin(queued, lease_s=30) == "ok"
        store.responses.end(queued, "sent", provider_id="SM9", code="")


def test_a_reply_an_answer_and_a_task_are_listed_in_their_order(store: Installed) -> None:
    reply = hear(store)
    later(store)
    answer(store)
    later(store)
    task = open_task(store)
    first, second, third = conversations(store).of(address(store))
    assert isinstance(first.what, Reply)
    assert (first.at_ms, first.what.id, first.what.heard.words) == (DUE, reply.id, ("other",))
    assert isinstance(second.what, Sent)
    assert (second.at_ms, second.what.message) == (DUE + HOUR_MS, "help")
    assert second.what.state == "queued"
    assert isinstance(third.what, Task)
    assert (third.what.id, third.what.kind) == (task, TaskKind.REPLY)


def test_only_what_was_said_since_an_instant_is_listed(store: Installed) -> None:
    hear(store)
    later(store)
    answer(store)
    (one,) = conversations(store).of(address(store), DUE + 1)
    assert isinstance(one.what, Sent)


def test_the_same_reply_and_the_same_answer_are_listed_once(store: Installed) -> None:
    for _ in range(3):
        hear(store)
        answer(store)
        later(store)
    assert len(conversations(store).of(address(store))) == 2


def test_a_reply_that_was_found_late_is_listed_when_it_was_received(store: Installed) -> None:
    hear(store, ago_ms=2 * HOUR_MS)
    (one,) = conversations(store).of(address(store))
    assert one.at_ms == DUE - 2 * HOUR_MS


def test_an_alert_to_staff_is_in_nobodys_conversation(store: Installed) -> None:
    answer(store, alert=True)
    assert conversations(store).of(address(store)) == []


def test_a_record_that_has_expired_is_left_out(store: Installed) -> None:
    reply = hear(store)
    answer(store)
    store.client.delete(store.suppressions.keys(address(store)).reply(reply.id))
    (one,) = conversations(store).of(address(store))
    assert isinstance(one.what, Sent)


def test_the_list_expires_and_holds_the_newest_thousand(store: Installed) -> None:
    key = store.suppressions.keys(address(store)).said(address(store))
    store.client.zadd(key, {f"r:{number}": number for number in range(1500)})
    hear(store)
    assert store.client.zcard(key) == 1000
    assert store.client.zscore(key, "r:1499") == 1499
    assert store.client.pttl(key) > 399 * 86_400_000


def test_the_words_of_an_answer_are_gone_once_it_is_over(store: Installed) -> None:
    answer(store)
    end_answers(store)
    (one,) = conversations(store).of(address(store))
    assert isinstance(one.what, Sent)
    assert one.what.state == "sent"
    key = store.suppressions.keys(address(store)).response(one.what.id)
    assert not store.client.hexists(key, "c")


def test_words_are_forgotten_once_nobody_uses_the_address(store: Installed) -> None:
    patient, _ = store.enrol()
    reply = hear(store)
    store.replies.close(reply, ["auto-reply"], "Thank you.")
    task = store.tasks.find(open_task(store))
    said = conversations(store)
    said.forget(address(store))
    assert store.replies.content(reply)["body"] == "good morning"
    store.suppressions.leave(address(store), patient)
    said.forget(address(store))
    assert store.replies.content(reply) == {}
    assert store.tasks.content(task) == {}, "though staff have not closed it"
    (again, _) = said.of(address(store))
    assert isinstance(again.what, Reply)
    assert again.what.messages == ("auto-reply",)


def test_what_is_not_followed_yet_keeps_its_words(store: Installed) -> None:
    reply = hear(store)
    answer(store)
    conversations(store).forget(address(store))
    assert store.replies.content(reply)["body"] == "good morning"
    end_answers(store)


def test_the_audit_tells_what_was_changed_on_a_patient_and_on_nobody_else(
    store: Installed,
) -> None:
    patient, _ = store.enrol(phone=None)
    store.enrol(email=None)
    later(store)
    store.set_status(patient, Status.PAUSED, [Status.ACTIVE], until_ms=DUE + 9 * HOUR_MS)
    audit = Audit(store.client, store.business, store.machine)
    keys = PartitionKeys(partition_of(patient))
    enrolled, paused = audit.of(keys, {patient}, DUE)
    assert (enrolled.what, enrolled.on, enrolled.at_ms) == ("enrolled", f"{patient}.1", DUE)
    assert (paused.what, paused.reason, paused.by) == ("status_p", "staff", "test")
    assert paused.until_ms == DUE + 9 * HOUR_MS
    assert audit.of(keys, {patient}, DUE + 1) == [paused]


def test_a_long_audit_is_read_to_its_end(store: Installed) -> None:
    digest = address(store)
    for _ in range(3):
        store.suppress()
        store.lift()
    stream = store.suppressions.keys(digest).audit
    pipeline = store.client.pipeline(transaction=False)
    for _ in range(2500):
        pipeline.xadd(stream, {"what": "amended", "on": "somebody", "by": "test", "at": DUE})
    pipeline.execute()
    store.suppress()
    audit = Audit(store.client, store.business, store.machine)
    found = audit.of(store.suppressions.keys(digest), {digest}, DUE)
    assert [entry.what for entry in found] == [
        *(["suppressed", "suppression_lifted"] * 3),
        "suppressed",
    ]
