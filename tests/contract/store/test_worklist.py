"""What waits for staff, a page at a time: the order, the clinics, the counts, and nothing twice."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.store.tasks import Task, TaskKind, TaskState
from service.store.worklist import Count, Place, Row, Worklist
from tests.contract.store.installation import Installed

KINDS = (TaskKind.URGENT, TaskKind.WORSE, TaskKind.REPLY)
CLINICS = ("riverside", "hilltop")
PHONES = tuple(f"+1503555{number:04d}" for number in range(7))


@dataclass(frozen=True)
class Wanted:
    """A task as a test opens it."""

    kind: TaskKind
    clinic: str
    phone: str
    age: int
    taken: bool = False
    closed: bool = False


WANTED = st.builds(
    Wanted,
    st.sampled_from([*KINDS, TaskKind.ERASURE]),
    st.sampled_from(CLINICS),
    st.sampled_from(PHONES),
    st.integers(0, 5),
    st.booleans(),
    st.booleans(),
)


def worklist(store: Installed) -> Worklist:
    return Worklist(store.scripts, store.partitions)


def opened(store: Installed, wanted: Wanted, once: str) -> Task:
    store.machine.ms += wanted.age
    name = store.tasks.open(
        wanted.kind,
        store.digest("sms", wanted.phone),
        clinic=wanted.clinic,
        patients=("01abcdefghjk", "02abcdefghjk"),
        once=once,
        content={"body": "words"},
        source="test",
    ).id
    store.machine.ms -= wanted.age
    if wanted.taken:
        store.tasks.take(name, "staff:ida|x")
    if wanted.closed:
        store.tasks.close(name, "staff:ben")
    return store.tasks.find(name)


def pages(
    store: Installed, clinics: tuple[str, ...], limit: int, *, by_address: bool = False
) -> list[Row]:
    """All pages, one behind the other; the first page's counts are those of every page."""
    rows: list[Row] = []
    after: Place | None = None
    while True:
        page = worklist(store).page(KINDS, clinics, limit=limit, after=after, by_address=by_address)
        assert len(page.rows) <= limit
        rows += page.rows
        if page.further is None:
            return rows
        after = Place.parse(str(page.further))
        assert after == page.further


def expected(tasks: list[Task], clinics: tuple[str, ...]) -> list[Task]:
    waiting = [
        task
        for task in tasks
        if task.state is not TaskState.CLOSED
        and task.kind in KINDS
        and (not clinics or task.clinic in clinics)
    ]
    return sorted(waiting, key=lambda task: (KINDS.index(task.kind), task.opened_ms, task.id))


@settings(
    max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    wanted=st.lists(WANTED, max_size=14),
    clinics=st.sampled_from([(), ("riverside",), CLINICS, ("nowhere",)]),
    limit=st.integers(1, 6),
)
def test_pages_hold_what_a_list_of_everything_would_in_its_order(
    store: Installed, wanted: list[Wanted], clinics: tuple[str, ...], limit: int
) -> None:
    store.wipe()
    tasks = [opened(store, each, str(number)) for number, each in enumerate(wanted)]
    kept = expected(tasks, clinics)
    assert [row.task for row in pages(store, clinics, limit)] == kept
    first: dict[str, Task] = {}
    for task in kept:
        first.setdefault(task.address, task)
    rows = pages(store, clinics, limit, by_address=True)
    assert [row.task for row in rows] == list(first.values())
    assert [row.tasks for row in rows] == [
        sum(task.address == address for task in kept) for address in first
    ]
    counts = worklist(store).page(KINDS, clinics, limit=1).counts
    for kind in KINDS:
        of_kind = [task for task in kept if task.kind is kind]
        taken = sum(task.state is TaskState.TAKEN for task in of_kind)
        assert counts[kind] == Count(len(of_kind), taken)


def test_what_is_closed_between_two_pages_hides_nothing_of_the_second(store: Installed) -> None:
    tasks = [
        opened(store, Wanted(TaskKind.REPLY, "riverside", phone, age), phone)
        for age, phone in enumerate(PHONES)
    ]
    first = worklist(store).page(KINDS, (), limit=3)
    store.tasks.close(tasks[0].id, "staff:ida")
    second = worklist(store).page(KINDS, (), limit=10, after=first.further)
    assert [row.task.id for row in second.rows] == [task.id for task in tasks[3:]]


def test_a_place_that_a_stranger_made_up_is_none() -> None:
    for text in ("", "1", "1-2", "x-2-0k", "1-x-0k", "1-2-", "1-2-a b", "-1-2-a"):
        assert Place.parse(text) is None


def test_tasks_whose_rows_were_never_written_are_listed(store: Installed) -> None:
    task = opened(store, Wanted(TaskKind.REPLY, "riverside", PHONES[0], 0), "r1")
    taken = opened(store, Wanted(TaskKind.URGENT, "riverside", PHONES[0], 0, taken=True), "r2")
    store.client.delete(store.suppressions.keys(task.address).task_rows)
    page = worklist(store).page(KINDS, (), limit=9)
    assert [row.task for row in page.rows] == [taken, task]
