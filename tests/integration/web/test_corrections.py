"""What a patient wrote is put right by staff: its true effects follow, once, with who said so."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from service.errors import InvalidInput, NotFound, StoreUnavailable
from service.inbox.correcting import Corrected, Overtaken
from service.inbox.meanings import Meaning
from service.store.audit import Audit
from service.store.keys import PartitionKeys
from service.store.records import Status
from service.store.reply_records import Reply
from service.store.tasks import TaskKind, TaskState
from tests.support.web import URGENT, Site, site

BY = "staff:0123456789ab"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Site]:
    """A site of each test's own: what waits for staff is counted."""
    with site(tmp_path) as own:
        yield own


def digest(web: Site, phone: str) -> str:
    return web.core.suppressions.digest("sms", phone)


def replies(web: Site, phone: str) -> list[Reply]:
    said = web.core.conversations.of(digest(web, phone))
    return [each.what for each in said if isinstance(each.what, Reply)]


def wrote(web: Site, phone: str, body: str) -> Reply:
    """What is on record of a text."""
    known = {reply.id for reply in replies(web, phone)}
    web.text(phone, body)
    (reply,) = [reply for reply in replies(web, phone) if reply.id not in known]
    return reply


def put_right(
    web: Site,
    reply: Reply,
    *words: str,
    rating: str = "",
    why: str = "",
    patient: str = "",
    number: int | None = None,
) -> Corrected:
    current = web.core.replies.read(reply.address, reply.id)
    stands = current.correction.number if current and current.correction else 0
    return web.core.inbox_cases.correcting.correct(
        reply.address,
        reply.id,
        Meaning.read(words, rating),
        number=stands if number is None else number,
        by=BY,
        why=why,
        patient=patient,
    )


def status(web: Site, patient: str) -> Status:
    (subscription,) = web.core.patients.load(patient).subscriptions()
    return subscription.status


def kinds(web: Site) -> list[TaskKind]:
    return [task.kind for task in web.core.tasks.waiting()]


def ratings(web: Site, patient: str) -> list[int]:
    return [each.rating for each in web.core.check_ins.of(patient)]


def audited(web: Site, reply: Reply) -> list[str]:
    """What the audit holds that a member of staff did to an address."""
    keys = PartitionKeys(web.core.suppressions.keys(reply.address).partition)
    audit = Audit(web.core.client, web.core.business, web.core.machine)
    return [each.what for each in audit.of(keys, {reply.address}, 0) if each.by == BY]


def test_a_missed_opt_out_stops_as_a_stop_does_and_staff_are_named(web: Site, phone: str) -> None:
    ana, ben = web.enrol("Ana", phone=phone), web.enrol("Ben", phone=phone)
    reply = wrote(web, phone, "what about magnesium")
    done = put_right(web, reply, "opt_out")
    assert done.did == ("suppressed",)
    assert [status(web, each) for each in (ana, ben)] == [Status.OPTED_OUT] * 2
    assert web.silent(ana)
    assert audited(web, reply) == ["reply_corrected", "suppressed"]
    assert kinds(web) == [], "nothing is left to read"
    web.wait(minutes=11)
    web.text(phone, "START")
    assert not web.silent(ana), "as after any stop of their own"


def test_what_was_understood_at_first_stays_on_record(web: Site, phone: str) -> None:
    web.enrol(phone=phone)
    reply = wrote(web, phone, "what about magnesium")
    put_right(web, reply, "opt_out", why="She told me on the phone.")
    (now,) = replies(web, phone)
    assert (now.heard.words, now.meant.words) == (("other",), ("opt_out",))
    (told,) = web.core.corrections.of(now)
    assert (told.by, told.why) == (BY, "She told me on the phone.")
    key = web.core.suppressions.keys(reply.address).reply(reply.id)
    assert "phone" not in repr(web.core.client.hgetall(key)), "the reason is encrypted"


def test_words_that_mean_everything_stop_e_mail_as_well(web: Site, phone: str, email: str) -> None:
    ana = web.enrol(phone=phone, email=email)
    reply = wrote(web, phone, "what about magnesium")
    put_right(web, reply, "everything")
    assert web.silent(ana)
    assert web.silent(ana, "email")


def test_a_false_opt_out_is_lifted_with_a_reason(web: Site, phone: str) -> None:
    ana = web.enrol(phone=phone)
    reply = wrote(web, phone, "please leave me alone")
    assert web.silent(ana)
    with pytest.raises(InvalidInput, match="Say how you know"):
        put_right(web, reply, "other")
    assert web.silent(ana)
    done = put_right(web, reply, "other", why="That was for her son; she told me so.")
    assert done.did == ("lifted",)
    assert not web.silent(ana)
    assert status(web, ana) is Status.ACTIVE
    assert kinds(web) == [TaskKind.REPLY]


def test_a_word_on_which_the_provider_blocks_is_never_taken_back(web: Site, phone: str) -> None:
    ana = web.enrol(phone=phone)
    reply = wrote(web, phone, "STOP")
    with pytest.raises(InvalidInput, match="Only a START"):
        put_right(web, reply, "other", why="She told me so.")
    assert web.silent(ana)
    assert replies(web, phone)[0].correction is None


def test_an_opt_out_stands_while_another_message_asks_for_it(web: Site, phone: str) -> None:
    ana = web.enrol(phone=phone)
    first = wrote(web, phone, "please stop texting me")
    second = wrote(web, phone, "please leave me alone")
    assert put_right(web, second, "other", why="To her son.").did == ("kept_stop",)
    assert web.silent(ana)
    assert put_right(web, first, "other", why="To her son, too.").did == ("lifted",)
    assert not web.silent(ana)


def test_an_opt_out_by_staff_or_page_is_not_lifted_beside(web: Site, phone: str) -> None:
    ana = web.enrol(phone=phone)
    reply = wrote(web, phone, "please leave me alone")
    web.core.staff.stop(ana, source="staff:other")
    assert put_right(web, reply, "other", why="To her son.").did == ("kept",)
    assert web.silent(ana)


def test_a_stop_that_comes_while_another_is_lifted_stands(web: Site, phone: str) -> None:
    ana = web.enrol(phone=phone)
    reply = wrote(web, phone, "please leave me alone")
    put_right(web, reply, "other", why="To her son.")
    wrote(web, phone, "STOP")
    put_right(web, reply, "help", why="To her son.")
    assert web.silent(ana)


def test_a_missed_opt_out_does_not_undo_a_start_that_came_after_it(web: Site, phone: str) -> None:
    ana = web.enrol(phone=phone)
    reply = wrote(web, phone, "what about magnesium")
    wrote(web, phone, "START")
    assert put_right(web, reply, "opt_out").did == ("came_back",)
    assert not web.silent(ana)


def test_a_start_that_was_none_brings_the_stop_back(web: Site, phone: str) -> None:
    ana = web.enrol(phone=phone)
    wrote(web, phone, "please stop texting me")
    web.wait(minutes=11)
    start = wrote(web, phone, "START")
    assert not web.silent(ana)
    assert put_right(web, start, "other").did == ("suppressed",)
    assert web.silent(ana)
    web.wait(minutes=11)
    web.text(phone, "unstop")
    assert not web.silent(ana)


def test_a_missed_start_lifts_only_what_was_stopped_before_it(web: Site, phone: str) -> None:
    ana = web.enrol(phone=phone)
    wrote(web, phone, "please stop texting me")
    reply = wrote(web, phone, "what about magnesium")
    assert put_right(web, reply, "opt_in").did == ("lifted",)
    assert not web.silent(ana)


def test_a_missed_start_that_a_stop_has_overtaken_lifts_nothing(web: Site, phone: str) -> None:
    ana = web.enrol(phone=phone)
    reply = wrote(web, phone, "what about magnesium")
    wrote(web, phone, "please stop texting me")
    put_right(web, reply, "opt_in")
    assert web.silent(ana)


def test_a_wrong_rating_is_replaced_and_the_trend_follows(web: Site, phone: str) -> None:
    ana = web.enrol(phone=phone)
    wrote(web, phone, "7")
    reply = wrote(web, phone, "6")
    assert web.core.patients.load(ana).trend() == "same"
    assert put_right(web, reply, "check_in", rating="3").did == ("rated",)
    assert ratings(web, ana) == [7, 3]
    assert web.core.patients.load(ana).trend() == "better"


def test_a_rating_that_was_none_is_removed(web: Site, phone: str) -> None:
    ana = web.enrol(phone=phone)
    wrote(web, phone, "7")
    reply = wrote(web, phone, "9")
    assert kinds(web) == [TaskKind.WORSE]
    assert put_right(web, reply, "other").did == ("unrated",)
    assert ratings(web, ana) == [7]
    assert web.core.patients.load(ana).trend() == "same"
    assert kinds(web) == [TaskKind.REPLY]


def test_the_only_rating_leaves_no_trend_behind(web: Site, phone: str) -> None:
    ana = web.enrol(phone=phone)
    reply = wrote(web, phone, "7")
    put_right(web, reply, "other")
    assert ratings(web, ana) == []
    assert web.core.patients.load(ana).trend() is None


def test_a_missed_rating_is_kept_and_a_severe_one_calls_staff(web: Site, phone: str) -> None:
    ana = web.enrol(phone=phone)
    reply = wrote(web, phone, "what about magnesium")
    put_right(web, reply, "check_in", rating="9")
    assert ratings(web, ana) == [9]
    assert kinds(web) == [TaskKind.WORSE]


def test_whose_rating_it_is_is_asked_where_two_share_a_phone(web: Site, phone: str) -> None:
    ana, ben = web.enrol("Ana", phone=phone), web.enrol("Ben", phone=phone)
    reply = wrote(web, phone, "7")
    with pytest.raises(InvalidInput) as fault:
        put_right(web, reply, "check_in", rating="8")
    assert fault.value.code == "patient_missing"
    put_right(web, reply, "check_in", rating="7", patient=ben)
    assert (ratings(web, ana), ratings(web, ben)) == ([], [7])
    put_right(web, reply, "check_in", rating="7", patient=ana)
    assert (ratings(web, ana), ratings(web, ben)) == ([7], [])
    with pytest.raises(InvalidInput) as fault:
        put_right(web, reply, "check_in", rating="7", patient="0" * 12)
    assert fault.value.code == "patient_elsewhere"


def test_something_urgent_that_was_missed_opens_an_escalation(web: Site, phone: str) -> None:
    web.enrol(phone=phone)
    reply = wrote(web, phone, "what about magnesium")
    put_right(web, reply, "urgent")
    (task,) = web.core.tasks.waiting()
    assert (task.kind, task.state) == (TaskKind.URGENT, TaskState.OPEN)
    partition = web.core.suppressions.keys(reply.address).partition
    assert [each.id for each in web.core.tasks.to_alert(partition, 9)] == [task.id]


def test_what_is_not_urgent_closes_its_escalation_and_may_open_it_again(
    web: Site, phone: str
) -> None:
    web.enrol(phone=phone)
    reply = wrote(web, phone, URGENT)
    (task,) = web.core.tasks.waiting()
    put_right(web, reply, "other")
    assert web.core.tasks.find(task.id).state is TaskState.CLOSED
    put_right(web, reply, "urgent")
    assert web.core.tasks.find(task.id).state is TaskState.OPEN


def test_an_escalation_that_staff_have_closed_stays_so(web: Site, phone: str) -> None:
    web.enrol(phone=phone)
    reply = wrote(web, phone, URGENT)
    (task,) = web.core.tasks.waiting()
    web.core.tasks.close(task.id, BY)
    put_right(web, reply, "urgent", "help")
    assert web.core.tasks.find(task.id).state is TaskState.CLOSED


def test_a_correction_sent_twice_is_one(web: Site, phone: str) -> None:
    web.enrol(phone=phone)
    reply = wrote(web, phone, "what about magnesium")

    def send(_: int) -> tuple[str, ...]:
        try:
            return put_right(web, reply, "opt_out", number=0).did
        except Overtaken:
            return ("overtaken",)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))
    assert audited(web, reply) == ["reply_corrected", "suppressed"]
    (now,) = replies(web, phone)
    assert now.correction is not None
    assert now.correction.number == 1


def test_who_looked_before_a_colleague_put_it_right_changes_nothing(web: Site, phone: str) -> None:
    ana = web.enrol(phone=phone)
    reply = wrote(web, phone, "what about magnesium")
    put_right(web, reply, "help", number=0)
    with pytest.raises(Overtaken):
        put_right(web, reply, "opt_out", number=0)
    assert not web.silent(ana)


def test_what_a_crash_cut_off_is_finished(web: Site, phone: str) -> None:
    ana = web.enrol(phone=phone)
    reply = wrote(web, phone, "what about magnesium")
    web.core.corrections.record(
        reply, Meaning.read(["opt_out"]).heard, by=BY, why="", patient="", counts="out"
    )
    assert not web.silent(ana)
    correcting = web.core.inbox_cases.correcting
    assert correcting.finish_open(web.core.machine.now_ms()) == 0, "it may be under way"
    assert correcting.finish_open(web.core.machine.now_ms() + 60_000) == 1
    assert web.silent(ana)
    assert correcting.finish_open(web.core.machine.now_ms() + 60_000) == 0


def test_a_start_that_comes_before_a_cut_off_correction_is_finished_stands(
    web: Site, phone: str
) -> None:
    ana = web.enrol(phone=phone)
    reply = wrote(web, phone, "what about magnesium")
    web.core.corrections.record(
        reply, Meaning.read(["opt_out"]).heard, by=BY, why="", patient="", counts="out"
    )
    web.wait(minutes=11)
    wrote(web, phone, "START")
    web.core.inbox_cases.correcting.finish_open(web.core.machine.now_ms() + 60_000)
    assert not web.silent(ana)


def test_there_is_nothing_to_put_right_of_a_message_that_is_not_there(
    web: Site, phone: str
) -> None:
    web.enrol(phone=phone)
    reply = wrote(web, phone, "what about magnesium")
    with pytest.raises(NotFound):
        put_right(web, replace(reply, id="nothing"), "help", number=0)


def test_a_message_that_is_still_followed_waits(web: Site, phone: str) -> None:
    web.enrol(phone=phone)
    reply = wrote(web, phone, "what about magnesium")
    key = web.core.suppressions.keys(reply.address).reply(reply.id)
    web.core.client.hdel(key, "d")
    with pytest.raises(StoreUnavailable):
        put_right(web, reply, "help")
