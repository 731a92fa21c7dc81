"""What waits for staff: opened once, taken by one, closed for good; alerts until it is taken."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.errors import NotFound
from service.store.keys import PartitionKeys
from service.store.tasks import Task, TaskKind, TaskState, TaskTaken
from tests.contract.store.installation import PHONE, Installed


def opened(
    store: Installed,
    kind: TaskKind = TaskKind.URGENT,
    once: str = "reply-1",
    *,
    phone: str = PHONE,
    alert: bool = True,
) -> str:
    return store.tasks.open(
        kind,
        store.digest("sms", phone),
        clinic="riverside",
        patients=("01abcdefghjk",),
        once=once,
        content={"body": "my left leg is hot"},
        source="reply:x",
        alert=alert,
    ).id


def to_alert(store: Installed) -> list[Task]:
    return [task for p in range(store.partitions) for task in store.tasks.to_alert(p, 10)]


def test_a_task_says_what_it_is_about(store: Installed) -> None:
    task = store.tasks.find(opened(store))
    assert (task.kind, task.state, task.by) == (TaskKind.URGENT, TaskState.OPEN, "")
    assert task.clinic == "riverside"
    assert task.patients == ("01abcdefghjk",)
    assert task.opened_ms == store.machine.ms
    assert store.tasks.content(task) == {"body": "my left leg is hot"}


def test_opened_again_under_the_same_name_it_is_the_same(store: Installed) -> None:
    with ThreadPoolExecutor(10) as pool:
        names = set(pool.map(lambda _: opened(store), range(30)))
    assert len(names) == 1
    assert len(store.tasks.waiting()) == 1
    assert opened(store, TaskKind.REPLY) not in names, "another kind is another task"


def test_one_that_was_closed_is_not_opened_again_by_a_copy(store: Installed) -> None:
    name = opened(store)
    store.tasks.close(name, "ana")
    assert opened(store) == name
    assert store.tasks.waiting() == []
    assert to_alert(store) == []


def test_the_most_pressing_come_first_and_then_the_oldest(store: Installed) -> None:
    reply = opened(store, TaskKind.REPLY, "1")
    store.machine.ms += 1_000
    first = opened(store, TaskKind.URGENT, "2", phone="+15035550171")
    store.machine.ms += 1_000
    second = opened(store, TaskKind.URGENT, "3", phone="+15035550172")
    assert [task.id for task in store.tasks.waiting()] == [first, second, reply]


def test_the_first_who_takes_it_has_it(store: Installed) -> None:
    name = opened(store)
    assert store.tasks.take(name, "ana").state is TaskState.TAKEN
    assert store.tasks.take(name, "ana").by == "ana", "once more by the same person is no fault"
    with pytest.raises(TaskTaken, match="taken by ana"):
        store.tasks.take(name, "ben")
    assert store.tasks.close(name, "ben").state is TaskState.CLOSED
    with pytest.raises(TaskTaken, match="closed by ben"):
        store.tasks.take(name, "ana")


def test_staff_are_alerted_until_somebody_takes_it(store: Installed) -> None:
    name = opened(store)
    (task,) = to_alert(store)
    assert store.tasks.alerted(task, 900)
    assert to_alert(store) == []
    store.machine.ms += 900_000
    (task,) = to_alert(store)
    assert task.alerts == 1
    store.tasks.take(name, "ana")
    assert not store.tasks.alerted(task, 900), "taken while the alert was under way"
    store.machine.ms += 10**8
    assert to_alert(store) == []


def test_two_workers_note_an_alert_once(store: Installed) -> None:
    opened(store)
    (task,) = to_alert(store)
    with ThreadPoolExecutor(8) as pool:
        noted = list(pool.map(lambda _: store.tasks.alerted(task, 900), range(8)))
    assert noted.count(True) == 1


def test_an_alert_may_be_the_only_one(store: Installed) -> None:
    opened(store)
    (task,) = to_alert(store)
    assert store.tasks.alerted(task, None)
    store.machine.ms += 10**9
    assert to_alert(store) == []
    assert [task.state for task in store.tasks.waiting()] == [TaskState.OPEN]


def test_what_can_wait_alerts_nobody(store: Installed) -> None:
    opened(store, TaskKind.REPLY, alert=False)
    assert to_alert(store) == []
    assert len(store.tasks.waiting()) == 1


def test_the_tick_sees_that_an_alert_is_due(store: Installed) -> None:
    opened(store)
    partition = store.suppressions.keys(store.digest("sms", PHONE)).partition
    (pending,) = store.dispatch.peek([partition])
    assert pending.after_ms == store.machine.ms


@pytest.mark.parametrize("name", ["", "nonsense", "01abcdefghjk", "x" * 12, "01abcdefghjk.1"])
def test_there_is_no_task_under_another_name(store: Installed, name: str) -> None:
    opened(store)
    with pytest.raises(NotFound):
        store.tasks.find(name)


def test_every_change_is_in_the_audit_and_the_patients_words_are_nowhere(store: Installed) -> None:
    name = opened(store)
    store.tasks.take(name, "ana")
    store.tasks.close(name, "ana", "called")
    keys = PartitionKeys(store.suppressions.keys(store.digest("sms", PHONE)).partition)
    told = repr(store.client.xrange(keys.audit))
    assert [what for what in ("task_opened", "task_taken", "task_closed") if what in told] == [
        "task_opened",
        "task_taken",
        "task_closed",
    ]
    assert "hot" not in repr(store.scripts.read_hash(keys.task(name)))


def test_a_task_is_handed_to_a_colleague_and_given_back(store: Installed) -> None:
    name = opened(store)
    store.tasks.take(name, "ana")
    assert store.tasks.assign(name, "ben", by="ana", had="ana").by == "ben"
    back = store.tasks.assign(name, "", by="ben", had="ben")
    assert (back.state, back.by) == (TaskState.OPEN, "")
    assert [task.id for task in store.tasks.waiting()] == [name]


def test_what_somebody_has_gone_on_with_is_not_handed_on_by_who_looked_before(
    store: Installed,
) -> None:
    name = opened(store)
    store.tasks.take(name, "ana")
    store.tasks.assign(name, "ben", by="ana", had="ana")
    with pytest.raises(TaskTaken, match="taken by ben"):
        store.tasks.assign(name, "cleo", by="ana", had="ana")
    with pytest.raises(TaskTaken, match="taken by ben"):
        store.tasks.assign(name, "", by="ana", had="ana")
    assert store.tasks.find(name).by == "ben"


def test_of_many_who_take_one_task_at_once_one_has_it(store: Installed) -> None:
    name = opened(store)

    def took(who: str) -> bool:
        try:
            return store.tasks.take(name, who).by == who
        except TaskTaken:
            return False

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(took, [f"staff:{number}" for number in range(8)]))
    assert taken.count(True) == 1


def test_an_escalation_that_is_given_back_alerts_staff_again(store: Installed) -> None:
    name = opened(store)
    store.tasks.take(name, "ana")
    assert to_alert(store) == []
    store.tasks.assign(name, "", by="ana", had="ana")
    assert [task.id for task in to_alert(store)] == [name]


def test_what_can_wait_is_given_back_in_silence(store: Installed) -> None:
    name = opened(store, TaskKind.REPLY, alert=False)
    store.tasks.take(name, "ana")
    store.tasks.assign(name, "", by="ana", had="ana")
    assert to_alert(store) == []


def test_a_closed_task_is_opened_again_with_what_was_noted(store: Installed) -> None:
    name = opened(store)
    closed = store.tasks.close(name, "ana", note="She is at the hospital.")
    assert [note.text for note in store.tasks.notes(closed)] == ["She is at the hospital."]
    again = store.tasks.reopen(name, "ben")
    assert (again.state, again.by) == (TaskState.OPEN, "")
    assert [task.id for task in to_alert(store)] == [name]
    key = store.suppressions.keys(store.digest("sms", PHONE)).task(name)
    assert store.client.pttl(key) == -1, "it is kept for as long as it waits"
    store.tasks.close(name, "ben", note="She is home.")
    noted = [(note.by, note.text) for note in store.tasks.notes(again)]
    assert noted == [("ana", "She is at the hospital."), ("ben", "She is home.")]
    assert "hospital" not in repr(store.scripts.read_hash(key))


def test_one_that_waits_cannot_be_opened_again_and_nothing_of_it_changes(store: Installed) -> None:
    name = opened(store)
    store.tasks.take(name, "ana")
    with pytest.raises(TaskTaken, match="taken by ana"):
        store.tasks.reopen(name, "ben")
    assert store.tasks.find(name).by == "ana"
