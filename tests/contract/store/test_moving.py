"""A subscription goes on in another version of its series: at once, once, or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedules.delivery import State
from service.carriers.base import Outcome, Receipt, ReceiptStatus, Result
from service.store.moving import LostPlace, Moving, SeriesMoves
from service.store.records import Status
from tests.contract.store.counting import counted
from tests.contract.store.installation import DUE, Installed, ended

pytestmark = pytest.mark.usefixtures("recounted")

END = 46
LATER = DUE + 3_600_000


def moves(store: Installed) -> SeriesMoves:
    return SeriesMoves(store.client, store.scripts, store.business)


def moving(store: Installed, patient: str, number: int = 1, **changes: object) -> Moving:
    """A move of what is on record now to the third step of version 2."""
    return replace(
        Moving(
            fields=store.fields(patient),
            subscription=store.subscription(patient, number),
            version=2,
            index=3,
            attempts=0,
            failures=0,
            done=(5, 7),
            due_ms=LATER,
            end=END,
        ),
        **changes,  # type: ignore[arg-type]
    )


def move(store: Installed, one: Moving) -> str:
    (answer,) = moves(store).move([one], migration="job", source="test")
    return answer


def unreachable(attempt: str) -> Receipt:
    """The phone was off: proven not delivered, and tried once more."""
    outcome = Outcome(Result.TRANSIENT, "The phone was off.", code="30003", later_attempts=1)
    return Receipt(attempt, "SM1", ReceiptStatus.FAILED, "undelivered", outcome)


def test_who_is_moved_goes_on_in_the_other_version(store: Installed) -> None:
    patient, _ = store.enrol()
    assert move(store, moving(store, patient)) == "ok"
    old, new = store.subscription(patient), store.subscription(patient, 2)
    assert (old.status, old.version, old.index, old.moved_to) == (Status.MOVED, 1, END, 2)
    assert (new.status, new.version, new.index, new.done) == (
        Status.ACTIVE,
        2,
        3,
        frozenset({5, 7}),
    )
    assert (new.series, new.start, new.enrolled_ms) == (old.series, old.start, old.enrolled_ms)
    assert store.place(f"{patient}.1") == set()
    assert store.due_ms(f"{patient}.2") == LATER
    assert store.audited(1)[-1] == ("moved_on", "test")


def test_nobody_is_moved_twice(store: Installed) -> None:
    patient, _ = store.enrol()
    one = moving(store, patient)
    assert [move(store, one) for _ in range(3)] == ["ok", "moved", "moved"]
    assert store.fields(patient).numbers() == [1, 2]


@pytest.mark.parametrize("change", ["cursor", "contact", "left", "completed"])
def test_what_has_changed_meanwhile_is_not_moved(store: Installed, change: str) -> None:
    patient, _ = store.enrol()
    one = moving(store, patient)
    if change == "cursor":
        store.conclude(ended(store.claim_one(), state="k", when_ms=LATER))
    elif change == "contact":
        one = replace(one, fields=replace(one.fields, fields={**one.fields.fields, "c": b"old"}))
    elif change == "left":
        store.set_status(patient, Status.OPTED_OUT, [Status.ACTIVE])
    else:
        store.conclude(ended(store.claim_one(), "end"))
    before = store.dump()
    assert move(store, one) == "changed"
    assert store.dump() == before


def test_what_is_in_flight_is_left_and_moved_when_it_is_over(store: Installed) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    assert move(store, moving(store, patient)) == "busy"
    beginning = store.beginning(claimed)
    assert store.begin(beginning) == "ok"
    assert move(store, moving(store, patient)) == "busy"
    assert store.conclude(ended(claimed, state="s", attempt=beginning.attempt))
    assert move(store, moving(store, patient)) == "ok"
    assert [entry.field for entry in store.patients.history(patient)] == ["1.0"]


def test_a_worker_that_claimed_it_before_finds_its_claim_void_afterwards(store: Installed) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    store.expire()
    store.sweep()
    assert move(store, moving(store, patient)) == "ok"
    assert store.begin(store.beginning(claimed)) == "lost"
    assert not store.conclude(ended(claimed, state="s"))


@pytest.mark.parametrize("until", [None, LATER + 1])
def test_a_pause_goes_with_it(store: Installed, until: int | None) -> None:
    patient, _ = store.enrol()
    store.set_status(patient, Status.PAUSED, [Status.ACTIVE], until_ms=until)
    assert move(store, moving(store, patient)) == "ok"
    new = store.subscription(patient, 2)
    assert (new.status, new.until_ms) == (Status.PAUSED, until)
    assert store.due_ms(f"{patient}.2") == until
    assert store.place(f"{patient}.1") == set()


def test_what_an_opt_out_ended_is_moved_and_comes_back_with_it(store: Installed) -> None:
    patient, _ = store.enrol()
    store.suppress("sms")
    store.suppress("email")
    assert store.status(patient) is Status.OPTED_OUT
    assert move(store, moving(store, patient)) == "ok"
    assert store.status(patient, 2) is Status.OPTED_OUT
    assert store.place(f"{patient}.2") == set()
    store.lift("sms")
    assert (store.status(patient), store.status(patient, 2)) == (Status.MOVED, Status.ACTIVE)
    assert store.place(f"{patient}.1") == set()


def test_an_opt_out_ends_what_was_moved(store: Installed) -> None:
    patient, _ = store.enrol()
    move(store, moving(store, patient))
    store.suppress("sms")
    assert store.suppress("email") == (f"{patient}.2",)
    assert store.claim() == []


def test_a_failure_that_is_learned_of_afterwards_is_tried_again_in_the_old_version(
    store: Installed,
) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    beginning = store.beginning(claimed)
    assert store.begin(beginning) == "ok"
    assert store.conclude(ended(claimed, state="s", attempt=beginning.attempt, when_ms=LATER))
    assert move(store, moving(store, patient)) == "ok"
    assert store.receive(unreachable(beginning.attempt))
    (entry,) = store.patients.history(patient)
    assert State.from_code(entry.state) is State.PENDING
    assert store.status(patient) is Status.ACTIVE
    assert [again.index for again in store.fields(patient).again(1)] == [0]
    assert store.place(f"{patient}.1") == {"due"}
    assert store.due_ms(f"{patient}.2") == LATER


def test_what_is_to_be_tried_again_stays_behind_and_active(store: Installed) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    beginning = store.beginning(claimed)
    assert store.begin(beginning) == "ok"
    assert store.conclude(ended(claimed, state="s", attempt=beginning.attempt, when_ms=LATER))
    assert store.receive(unreachable(beginning.attempt))
    assert move(store, moving(store, patient)) == "ok"
    assert store.status(patient) is Status.ACTIVE
    assert store.place(f"{patient}.1") == {"due"}
    store.business.ms = LATER
    claims = {claim.subscription.number: claim for claim in store.claim()}
    assert claims[1].subscription.index == END
    assert claims[2].subscription.index == 3
    turned = replace(
        claims[1], subscription=claims[1].subscription.turned_to(claims[1].fields.again(1)[0])
    )
    assert store.conclude(ended(turned, "end", state="k"))
    assert store.status(patient) is Status.MOVED


def test_of_a_paused_one_nothing_that_is_tried_again_is_left_behind(store: Installed) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    beginning = store.beginning(claimed)
    assert store.begin(beginning) == "ok"
    assert store.conclude(ended(claimed, state="s", attempt=beginning.attempt, when_ms=LATER))
    assert store.receive(unreachable(beginning.attempt))
    store.set_status(patient, Status.PAUSED, [Status.ACTIVE])
    assert move(store, moving(store, patient)) == "busy"


def test_a_walk_meets_everybody_wherever_they_are(store: Installed) -> None:
    enrolled = {store.enrol(partition=number % 4)[0] for number in range(40)}
    met: list[str] = []
    place = ""
    while True:
        fields, place = moves(store).walk(place)
        met += [each.id for each in fields]
        if not place:
            break
    assert set(met) == enrolled


def test_a_walk_goes_on_only_where_the_server_is_still_the_same(store: Installed) -> None:
    store.enrol()
    with pytest.raises(LostPlace):
        moves(store).walk("gone run 17")
    (name, *_) = sorted(moves(store)._nodes())
    with pytest.raises(LostPlace):
        moves(store).walk(f"{name} another-run 17")


def test_keys_of_all_partitions_are_found_by_a_pattern_of_their_tags(store: Installed) -> None:
    """On a cluster a pattern in braces is no hash tag: the keys are on several nodes."""
    for number in range(4):
        store.enrol(partition=number)
    tags = {key.partition("}")[0] for key in store.keys("{p*}:p:*")}
    assert tags == {f"{{p{number}" for number in range(4)}


def test_who_goes_on_is_counted_in_the_other_version(store: Installed) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    beginning = store.beginning(claimed)
    store.begin(beginning)
    assert store.conclude(ended(claimed, state="s", attempt=beginning.attempt))
    assert move(store, moving(store, patient)) == "ok"
    store.receive(Receipt(beginning.attempt, "SM1", ReceiptStatus.DELIVERED, "delivered"))
    for channel in ("sms", "email"):
        store.suppress(channel)
    told = {field.split("|", 3)[3]: by for field, by in counted(store, "deu").items()}
    assert told == {
        "restless-legs|1|0|s|d": 1,
        "restless-legs|1|n||": 1,
        "restless-legs|2|h||s": 1,
        "restless-legs|2|o||e": 1,
        "restless-legs|1|2026-03-02|m": 1,
        "restless-legs|2|2026-03-02|o": 1,
    }
