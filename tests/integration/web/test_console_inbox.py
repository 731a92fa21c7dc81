"""The console's inbox: what was understood and why, put right, answered, handed on."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.accounts.roles import Role
from service.store.keys import PartitionKeys, partition_of
from service.store.reply_records import Reply
from service.store.tasks import Task, TaskKind, TaskState
from tests.support.clinics import TO_HILLSIDE, two_clinics
from tests.support.console import Desk, signed_in
from tests.support.pages import hidden_fields, shown
from tests.support.web import URGENT, Site, site


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of two clinics."""
    directory = tmp_path_factory.mktemp("two")
    clinics = two_clinics(directory, segment_price=0.0079, own_senders=True)
    with site(directory, clinics=clinics) as running:
        yield running


@pytest.fixture
def desk(two: Site) -> Desk:
    return signed_in(two, Role.STAFF)


def thread_of(web: Site, phone: str) -> str:
    return web.core.suppressions.digest("sms", phone)


def said(web: Site, phone: str) -> list[object]:
    return [each.what for each in web.core.conversations.of(thread_of(web, phone))]


def reply_of(web: Site, phone: str) -> Reply:
    return [each for each in said(web, phone) if isinstance(each, Reply)][-1]


def task_of(web: Site, phone: str) -> Task:
    return [each for each in said(web, phone) if isinstance(each, Task)][-1]


def now(web: Site, task: Task) -> Task:
    return web.core.tasks.find(task.id)


def write(two: Site, phone: str, body: str = "what about magnesium", **patient: str) -> str:
    name = patient.pop("given_name", "Ana")
    identifier = two.enrol(name, phone=phone, **{"clinic": "riverside", **patient})
    two.text(phone, body)
    return identifier


def test_a_thread_tells_what_was_understood_and_why(two: Site, desk: Desk, phone: str) -> None:
    patient = write(two, phone, "please stop texting me")
    page = desk.get(f"inbox/{thread_of(two, phone)}")
    told = shown(page)
    assert "Conversation with Ana" in told
    assert "please stop texting me" in told
    assert "Understood as: wants no more messages" in told
    assert "Because of: A keyword, however politely; An order that begins with stop;" in told
    assert "This address is stopped (their own wish)" in told
    assert f"console/patients/{patient}" in page.text
    assert phone in told, "to phone her"
    assert not re.search(rf'(href|action|src)="[^"]*{phone[1:]}', page.text)


def test_the_audit_says_who_read_a_thread(two: Site, desk: Desk, phone: str) -> None:
    patient = write(two, phone)
    desk.get(f"inbox/{thread_of(two, phone)}")
    keys = PartitionKeys(partition_of(patient))
    seen = [e for e in two.core.audit.of(keys, {patient}, 0) if e.what == "seen"]
    assert [entry.by for entry in seen] == [desk.member.source]


def test_a_thread_is_told_in_spanish(two: Site, phone: str) -> None:
    write(two, phone, "please stop texting me")
    desk = signed_in(two, Role.STAFF, language="es")
    told = shown(desk.get(f"inbox/{thread_of(two, phone)}"))
    assert "Se entendió como: no quiere más mensajes" in told
    assert "Por: Una palabra clave, por cortés que sea;" in told


def test_what_a_stranger_writes_is_shown_as_it_is(two: Site, desk: Desk, phone: str) -> None:
    write(two, phone, "<script>alert(1)</script> {{ 7 * 7 }}")
    page = desk.get(f"inbox/{thread_of(two, phone)}")
    assert "<script>alert" not in page.text
    assert "<script>alert(1)</script> {{ 7 * 7 }}" in html.unescape(page.text)


def test_the_inbox_lists_the_urgent_first_and_each_address_once(tmp_path: Path) -> None:
    with site(tmp_path) as own:
        desk = signed_in(own)
        assert "Nothing waits." in shown(desk.get("inbox"))
        for number, body in enumerate(["what about magnesium", URGENT]):
            own.enrol(f"P{number}", phone=f"+1503555900{number}")
            own.text(f"+1503555900{number}", body)
        own.text("+15035559000", "and iron?")
        page = desk.get("inbox")
        names = re.findall(r'scope="row"><a[^>]*>(\w+)', page.text)
        assert names == ["P1", "P0"]
        assert "2 tasks" in page.text
        assert "+1503" not in page.text


def test_a_long_inbox_is_read_page_by_page(tmp_path: Path) -> None:
    with site(tmp_path) as own:
        desk = signed_in(own)
        for number in range(30):
            own.core.tasks.open(
                TaskKind.REPLY,
                f"address-{number}",
                clinic="riverside",
                patients=(),
                once=str(number),
                content={"body": f"words {number} end"},
                source="test",
            )
        first = desk.get("inbox")
        (further,) = re.findall(r'href="[^"]*console/(inbox\?after=[^"]+)"', first.text)
        second = desk.get(further)
        words = re.findall(r"words \d+ end", first.text + second.text)
        assert len(words) == len(set(words)) == 30


def test_an_answer_is_checked_then_sent_once(two: Site, desk: Desk, phone: str) -> None:
    write(two, phone)
    thread = f"inbox/{thread_of(two, phone)}"
    key = hidden_fields(desk.get(thread), "/check")["key"]
    checked = desk.post(f"{thread}/check", words="Yes, come by.", key=key)
    told = shown(checked)
    assert "Riverside Vein Clinic: Yes, come by." in told
    assert "It is paid as one text. It costs 0.0079 USD." in told
    form = hidden_fields(checked, "/send")
    assert form == {"key": key, "words": "Yes, come by."}
    told = shown(desk.follow(f"{thread}/send", **form))
    assert "Your answer is on its way." in told
    assert f"Written by {desk.member.name}." in told
    assert "Waits to be sent" in told
    assert "It was not sent again" in shown(desk.follow(f"{thread}/send", **form)).replace(
        "it was not", "It was not"
    )
    page = desk.get(thread)
    assert page.text.count("Yes, come by.") == 1


def test_many_copies_of_one_form_send_one_answer(two: Site, desk: Desk, phone: str) -> None:
    write(two, phone)
    thread = f"inbox/{thread_of(two, phone)}"
    key = hidden_fields(desk.get(thread), "/check")["key"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: desk.post(f"{thread}/send", words="Yes.", key=key), range(8))
        )
    told = [answer.headers["location"].rpartition("done=")[2] for answer in answers]
    assert sorted(told) == ["sent", *["sent_before"] * 7]


def test_words_that_break_a_rule_need_a_decision(two: Site, desk: Desk, phone: str) -> None:
    write(two, phone)
    thread = f"inbox/{thread_of(two, phone)}"
    form = {"words": "It is about your restless legs.", "key": "a-key-of-a-form"}
    assert "It names a condition" in shown(desk.post(f"{thread}/check", **form))
    assert "say that you have" in shown(desk.post(f"{thread}/send", **form), 409)
    assert "on its way" in shown(desk.follow(f"{thread}/send", **form, despite="1"))


def test_who_has_left_is_not_answered(two: Site, desk: Desk, phone: str) -> None:
    write(two, phone, "STOP")
    thread = f"inbox/{thread_of(two, phone)}"
    assert "They have left: nobody may write to them" in shown(desk.get(thread))
    form = {"words": "Yes.", "key": "a-key-of-a-form"}
    shown(desk.post(f"{thread}/send", **form), 409)
    shown(desk.post(f"{thread}/check", **form), 409)


def test_what_was_typed_stays_where_it_cannot_be_sent(two: Site, desk: Desk, phone: str) -> None:
    write(two, phone)
    thread = f"inbox/{thread_of(two, phone)}"
    told = shown(desk.post(f"{thread}/check", words="", key="a-key-of-a-form"), 422)
    assert "Write what you want to say." in told
    long = "word " * 300
    assert "word word word" in shown(desk.post(f"{thread}/check", words=long), 422)
    kept = desk.post(f"{thread}/change", words="Yes, come by.", key="a-key-of-a-form")
    assert "Yes, come by." in shown(kept)
    assert hidden_fields(kept, "/check")["key"] == "a-key-of-a-form"


def test_an_answer_may_close_what_waits(two: Site, desk: Desk, phone: str) -> None:
    write(two, phone)
    thread = f"inbox/{thread_of(two, phone)}"
    desk.follow(f"{thread}/send", words="Yes.", key="a-key-of-a-form", close="1")
    assert now(two, task_of(two, phone)).state is TaskState.CLOSED


def test_a_message_is_put_right_with_who_and_why(two: Site, desk: Desk, phone: str) -> None:
    patient = write(two, phone)
    thread = f"inbox/{thread_of(two, phone)}"
    correction = f"{thread}/replies/{reply_of(two, phone).id}"
    form = hidden_fields(desk.get(correction), "/replies/")
    told = shown(desk.follow(correction, **form, meaning="opt_out", why="She told me."))
    assert "It is put right: the address is stopped." in told
    assert f"{desk.member.name} put this right on" in told
    assert "Reason given: She told me." in told
    assert "Understood as: something for a person to read" in told
    assert two.silent(patient)
    assert two.core.corrections.of(reply_of(two, phone))[0].by == desk.member.source


def test_a_correction_that_cannot_be_is_told_with_what_was_typed(
    two: Site, desk: Desk, phone: str
) -> None:
    write(two, phone)
    correction = f"inbox/{thread_of(two, phone)}/replies/{reply_of(two, phone).id}"
    answer = desk.post(correction, meaning="check_in", rating="12", why="typed before")
    assert "Give the rating as a whole number" in shown(answer, 422)
    assert "typed before" in answer.text
    assert 'value="12"' in answer.text
    assert "Say what it means" in shown(desk.post(correction), 422)


def test_who_looked_before_a_colleague_put_it_right_is_told(
    two: Site, desk: Desk, phone: str
) -> None:
    write(two, phone)
    correction = f"inbox/{thread_of(two, phone)}/replies/{reply_of(two, phone).id}"
    desk.follow(correction, meaning="help", number="0")
    other = signed_in(two)
    answer = other.post(correction, meaning="opt_out", number="0")
    assert "Somebody else has put this message right" in shown(answer, 409)
    again = desk.post(correction, meaning="help", number="0")
    assert again.status_code == 303, "the same form once more"


def test_of_two_who_take_one_task_at_once_one_has_it(two: Site, phone: str) -> None:
    write(two, phone, URGENT)
    task = task_of(two, phone)
    desks = [signed_in(two) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda desk: desk.post(f"tasks/{task.id}/take"), desks))
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
    (first,) = [d for d, answer in zip(desks, answers, strict=True) if answer.status_code == 303]
    assert now(two, task).by == first.member.source
    assert first.post(f"tasks/{task.id}/take").status_code == 303, "one's own task"
    late = next(answer for answer in answers if answer.status_code == 409)
    assert f"{first.member.name} has this task already." in shown(late, 409)


def test_a_task_is_handed_on_given_back_closed_and_opened_again(
    two: Site, desk: Desk, phone: str
) -> None:
    write(two, phone, URGENT)
    task, other = task_of(two, phone), signed_in(two)
    desk.follow(f"tasks/{task.id}/take")
    had = hidden_fields(desk.get(f"inbox/{task.address}"), "/assign")["had"]
    told = shown(desk.follow(f"tasks/{task.id}/assign", to=other.member.id, had=had))
    assert "The task is handed over." in told
    assert other.member.name in told
    assert now(two, task).by == other.member.source
    shown(desk.post(f"tasks/{task.id}/give-back", had=had), 409)
    other.follow(f"tasks/{task.id}/give-back", had=other.member.source)
    assert now(two, task).state is TaskState.OPEN
    told = shown(other.follow(f"tasks/{task.id}/close", note="She is at the hospital."))
    assert "She is at the hospital." in told
    assert other.post(f"tasks/{task.id}/close", note="She is at the hospital.").status_code == 303
    assert len(two.core.tasks.notes(task)) == 1
    desk.follow(f"tasks/{task.id}/reopen")
    assert now(two, task).state is TaskState.OPEN


def test_a_task_is_handed_to_colleagues_of_the_clinic_only(
    two: Site, desk: Desk, phone: str
) -> None:
    write(two, phone)
    task = task_of(two, phone)
    strangers = [signed_in(two, Role.STAFF, "hillside"), signed_in(two, Role.VIEWER)]
    for member in (*(each.member.id for each in strangers), "000000000000", ""):
        answer = desk.post(f"tasks/{task.id}/assign", to=member, had="")
        assert "Choose a colleague" in shown(answer, 422)
    assert now(two, task).state is TaskState.OPEN


def test_threads_and_tasks_of_another_clinic_do_not_exist(two: Site, phone: str) -> None:
    write(two, phone)
    other = signed_in(two, Role.STAFF, "hillside")
    thread, task = thread_of(two, phone), task_of(two, phone)
    reply = reply_of(two, phone)
    nothing = shown(other.get("inbox/nothing-at-all"), 404)
    for path in (f"inbox/{thread}", f"inbox/{thread}/replies/{reply.id}"):
        assert shown(other.get(path), 404) == nothing
    for path in (
        *(f"tasks/{task.id}/{what}" for what in ("take", "close", "reopen", "give-back")),
        f"tasks/{task.id}/assign",
        f"inbox/{thread}/replies/{reply.id}",
        *(f"inbox/{thread}/{what}" for what in ("check", "send", "change")),
    ):
        form = {"words": "Yes.", "key": "a-key-of-a-form", "meaning": "opt_out", "to": "x"}
        answer = other.post(path, **form)
        assert answer.status_code == 404, path
    assert "what about magnesium" not in other.get("inbox").text
    assert now(two, task).state is TaskState.OPEN
    assert reply_of(two, phone).correction is None


def test_a_phone_that_two_clinics_patients_share_shows_each_what_is_theirs(
    two: Site, phone: str
) -> None:
    write(two, phone, "this is for riverside")
    two.enrol("Ben", phone=phone, clinic="hillside")
    two.text(phone, "this is for hillside", To=TO_HILLSIDE)
    of_hillside = signed_in(two, Role.STAFF, "hillside").get(f"inbox/{thread_of(two, phone)}")
    told = shown(of_hillside)
    assert "Conversation with Ben" in told
    assert "this is for hillside" in told
    assert "riverside" not in told
    assert "Ana" not in told
    assert "Somebody of another clinic uses this address as well." in told
    assert "this is for riverside" in shown(signed_in(two).get(f"inbox/{thread_of(two, phone)}"))


def test_who_may_only_look_is_offered_nothing_to_do(two: Site, phone: str) -> None:
    write(two, phone)
    page = signed_in(two, Role.VIEWER).get(f"inbox/{thread_of(two, phone)}")
    assert page.text.count("<form") == 1, "the way out"


def test_a_long_thread_is_read_back_a_page_at_a_time(two: Site, desk: Desk, phone: str) -> None:
    write(two, phone, URGENT)
    for number in range(70):
        two.text(phone, f"and number {number} of them")
    thread = f"inbox/{thread_of(two, phone)}"
    newest = desk.get(thread)
    assert len(newest.content) < 200_000
    assert "Urgent" in shown(newest), "what waits is told however long ago it was said"
    pages = [newest]
    while found := re.findall(r'href="[^"]*console/(inbox/[^"]*\?until=\d+)"', pages[-1].text):
        pages.append(desk.get(found[0]))
    told = " ".join(shown(page) for page in pages)
    assert all(f"and number {number} of them" in told for number in range(70))
    assert URGENT in told
    assert "Write back" not in shown(pages[-1])
    assert "To the newest" in shown(pages[-1])
    assert desk.get(f"{thread}?until=nonsense").status_code == 200
