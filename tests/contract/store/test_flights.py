"""Claim, begin, conclude, sweep and peek: the life of a flight."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedules.delivery import State
from service.store.dispatching import Pending
from service.store.flights import Begun
from service.store.keys import PartitionKeys
from service.store.records import FlightState, Status
from tests.contract.store.installation import DAY, DUE, LEASE_MS, Installed, ended

TODAY = DAY.toordinal()
SENT = State.SENT.code


def test_a_claim_takes_what_is_due_and_hands_out_the_whole_record(store: Installed) -> None:
    patient, enrolled = store.enrol()
    assert (enrolled.outcome, enrolled.number, enrolled.status) == ("ok", 1, Status.ACTIVE)
    claimed = store.claim_one()
    assert claimed.subscription.id == f"{patient}.1"
    assert claimed.subscription.series == "restless-legs"
    assert claimed.due_ms == DUE
    assert claimed.fields.reachable() == {"sms", "email"}
    assert store.patients.contact(claimed.fields).given_name == "Ana"
    flight = store.subscription(patient).flight
    assert flight is not None
    assert (flight.token, flight.state, flight.due_ms) == (
        claimed.token,
        FlightState.CLAIMED,
        DUE,
    )


def test_what_is_not_due_or_claimed_already_is_not_claimed(store: Installed) -> None:
    store.enrol(due_ms=DUE + 1)
    assert store.claim() == []
    store.business.ms = DUE + 1
    assert len(store.claim()) == 1
    assert store.claim() == []


def test_a_claim_takes_the_earliest_first_and_no_more_than_asked(store: Installed) -> None:
    late = store.enrol(due_ms=DUE)[0]
    early = store.enrol(due_ms=DUE - 5)[0]
    assert [c.fields.id for c in store.claim(limit=1)] == [early]
    assert [c.fields.id for c in store.claim(limit=1)] == [late]


def test_every_claim_has_a_token_of_its_own(store: Installed) -> None:
    for _ in range(5):
        store.enrol()
    tokens = [claimed.token for claimed in store.claim()]
    assert len(set(tokens)) == 5


def test_an_unreadable_record_does_not_hold_up_the_others(store: Installed) -> None:
    broken, _ = store.enrol()
    sound, _ = store.enrol()
    store.client.hdel(PartitionKeys(1).patient(broken), "s1")
    assert [claimed.fields.id for claimed in store.claim()] == [sound]


def test_peek_tells_the_first_due_the_first_held_and_how_many_are_held(store: Installed) -> None:
    store.enrol(due_ms=DUE)
    store.enrol(due_ms=DUE + 7)
    store.enrol(partition=2, due_ms=DUE + 9)
    store.claim()
    assert store.dispatch.peek([0, 1, 2]) == [
        Pending(None, None, 0),
        Pending(DUE + 7, DUE + LEASE_MS, 1),
        Pending(DUE + 9, None, 0),
    ]


def test_partitions_do_not_touch_each_other(store: Installed) -> None:
    one, _ = store.enrol(partition=1)
    two, _ = store.enrol(partition=2)
    assert [claimed.fields.id for claimed in store.claim(2)] == [two]
    store.expire()
    store.sweep(1)
    assert store.place(f"{two}.1", 2) == {"held"}
    assert [claimed.fields.id for claimed in store.claim(1)] == [one]


def test_a_begun_attempt_is_on_record_before_it_is_sent(store: Installed) -> None:
    patient, _ = store.enrol()
    beginning = store.beginning(store.claim_one(), cap_day=TODAY)
    assert store.begin(beginning) == "ok"
    attempt = store.dispatch.attempt(beginning.attempt)
    assert attempt is not None
    assert (attempt.patient, attempt.subscription, attempt.index) == (patient, 1, 0)
    assert (attempt.channel, attempt.begun_ms, attempt.body) == ("sms", DUE, "digest")
    assert store.client.pttl(PartitionKeys(1).attempt(beginning.attempt)) > 86_400_000
    flight = store.subscription(patient).flight
    assert flight is not None
    assert (flight.state, flight.attempt) == (FlightState.BEGUN, beginning.attempt)


def test_begin_sent_again_answers_the_same_and_counts_once(store: Installed) -> None:
    patient, _ = store.enrol()
    beginning = store.beginning(store.claim_one(), cap_day=TODAY)
    assert store.begin(beginning) == "ok"
    assert store.begin(beginning) == "ok"
    assert store.fields(patient).recent_drips() == (DAY,)


def test_a_second_attempt_under_the_same_claim_is_refused(store: Installed) -> None:
    store.enrol()
    claimed = store.claim_one()
    assert store.begin(store.beginning(claimed)) == "ok"
    assert store.begin(store.beginning(claimed)) == "lost"


def test_a_stale_token_begins_nothing_and_records_nothing(store: Installed) -> None:
    store.enrol()
    stale = store.claim_one()
    store.expire()
    assert store.sweep() == []
    fresh = store.claim_one()
    assert fresh.token != stale.token
    before = store.dump()
    assert store.begin(store.beginning(stale)) == "lost"
    for where in ("due", "back", "hold", "question", "end"):
        assert not store.conclude(ended(stale, where, state=SENT))
        assert not store.conclude(ended(stale, where, state=SENT, attempt="x" * 26))
    assert store.dump() == before
    assert store.begin(store.beginning(fresh)) == "ok"


def test_a_claim_that_was_not_begun_cannot_be_recorded_as_sent(store: Installed) -> None:
    store.enrol()
    claimed = store.claim_one()
    attempt = store.patients.new_attempt(claimed.fields.id)
    assert not store.conclude(ended(claimed, state=SENT, attempt=attempt))
    assert store.begin(store.beginning(claimed)) == "ok"
    assert not store.conclude(ended(claimed, "hold"))


def test_a_conclusion_records_once_and_moves_on(store: Installed) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    beginning = store.beginning(claimed, cap_day=TODAY)
    store.begin(beginning)
    conclusion = ended(claimed, when_ms=DUE + 50, state=SENT, attempt=beginning.attempt)
    assert store.conclude(conclusion)
    assert not store.conclude(conclusion), "the flight is over"
    (entry,) = store.patients.history(patient)
    assert (entry.state, entry.index, entry.message, entry.channel) == (SENT, 0, "walking", "sms")
    subscription = store.subscription(patient)
    assert (subscription.index, subscription.attempts, subscription.flight) == (1, 0, None)
    assert store.due_ms(f"{patient}.1") == DUE + 50
    assert store.place(f"{patient}.1") == {"due"}


def test_the_last_step_completes_the_subscription(store: Installed) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    assert store.conclude(ended(claimed, "end", state=State.SKIPPED.code))
    assert store.status(patient) is Status.COMPLETED
    assert store.place(f"{patient}.1") == set()


@pytest.mark.parametrize("begun", [False, True])
def test_what_is_held_comes_back_due_when_its_time_has_come(
    store: Installed, *, begun: bool
) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    beginning = store.beginning(claimed)
    attempt = beginning.attempt if begun else ""
    if begun:
        store.begin(beginning)
    hold = replace(ended(claimed, "hold", when_ms=DUE + 500, attempt=attempt), cursor=(0, 1))
    assert store.conclude(hold)
    store.machine.ms = DUE + 499
    store.sweep()
    assert store.place(f"{patient}.1") == {"held"}
    store.machine.ms = DUE + 500
    assert store.sweep() == []
    assert store.due_ms(f"{patient}.1") == DUE
    again = store.claim_one()
    assert (again.subscription.index, again.subscription.attempts) == (0, 1)
    assert again.subscription.lost_leases == 0, "a wait is not a lost lease"


def test_a_question_stays_until_it_is_answered_and_nothing_is_begun_meanwhile(
    store: Installed,
) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    beginning = store.beginning(claimed)
    store.begin(beginning)
    question = ended(claimed, "question", when_ms=DUE + 10, attempt=beginning.attempt)
    assert store.conclude(question)
    assert store.conclude(question), "asked again after an answer that was lost"
    assert store.sweep() == []
    for _ in range(3):
        store.machine.ms += 5_000
        (asked,) = store.sweep()
        assert asked.fields.id == patient
        assert asked.flight.state is FlightState.IN_QUESTION
        assert asked.flight.attempt == beginning.attempt
        assert store.claim() == []
        assert store.begin(store.beginning(claimed)) == "lost"
    assert store.conclude(
        ended(claimed, state=State.UNKNOWN.code, attempt=beginning.attempt, when_ms=DUE)
    )
    assert store.place(f"{patient}.1") == {"due"}


def test_a_lease_that_runs_out_unbegun_makes_it_due_and_a_suspect(store: Installed) -> None:
    patient, _ = store.enrol()
    for _ in range(4):
        store.claim_one()
        assert store.place(f"{patient}.1") == {"held"}
        store.expire()
        assert store.sweep() == []
        assert store.due_ms(f"{patient}.1") == DUE
        assert store.subscription(patient).lost_leases == 1, "lost in company proves no more"


def test_only_what_is_taken_alone_again_and_again_counts_as_poison(store: Installed) -> None:
    patient, _ = store.enrol()
    store.claim_one()
    store.expire()
    store.sweep()
    for times in (1, 2):
        claimed = store.claim_one()
        assert claimed.subscription.lost_leases == times
        assert store.dispatch.suspect(claimed) == times
        store.expire()
        store.sweep()
    claimed = store.claim_one()
    assert claimed.subscription.lost_leases == 3
    assert store.conclude(ended(claimed, state=State.PARKED.code))
    assert store.subscription(patient).lost_leases == 0


def test_what_a_worker_lives_through_alone_is_no_suspect_any_more(store: Installed) -> None:
    patient, _ = store.enrol()
    for _ in range(3):
        claimed = store.claim_one()
        store.dispatch.suspect(claimed)
        store.dispatch.absolve(claimed)
        assert store.subscription(patient).lost_leases == 0
        store.expire()  # its begin came too late, whoever was to blame
        store.sweep()
    assert store.subscription(patient).lost_leases == 1


def test_a_stale_worker_counts_no_suspect(store: Installed) -> None:
    patient, _ = store.enrol()
    stale = store.claim_one()
    store.expire()
    store.sweep()
    store.claim_one()
    assert store.dispatch.suspect(stale) == 0
    assert store.subscription(patient).lost_leases == 1


def test_what_is_given_back_unseen_stays_a_suspect(store: Installed) -> None:
    patient, _ = store.enrol()
    store.claim_one()
    store.expire()
    store.sweep()
    assert store.conclude(ended(store.claim_one(), "back"))
    assert store.subscription(patient).lost_leases == 1
    assert store.conclude(ended(store.claim_one(), "due"))
    assert store.subscription(patient).lost_leases == 0


def test_a_lease_that_runs_out_begun_becomes_a_question(store: Installed) -> None:
    store.enrol()
    claimed = store.claim_one()
    beginning = store.beginning(claimed)
    store.begin(beginning)
    store.expire()
    (question,) = store.sweep()
    assert question.flight.attempt == beginning.attempt
    assert question.flight.token == claimed.token
    # The worker was only slow: its late record is merged.
    assert store.conclude(ended(claimed, state=SENT, attempt=beginning.attempt))
    store.machine.ms += 10_000
    assert store.sweep() == []


def test_begin_renews_the_lease(store: Installed) -> None:
    store.enrol()
    claimed = store.claim_one()
    store.machine.ms += LEASE_MS - 1
    store.begin(store.beginning(claimed))
    store.machine.ms += LEASE_MS - 1
    assert store.sweep() == []
    store.machine.ms += 1
    assert len(store.sweep()) == 1


def test_a_late_record_after_the_settlement_is_refused(store: Installed) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    beginning = store.beginning(claimed)
    store.begin(beginning)
    store.expire()
    store.sweep()
    settled = ended(claimed, state=State.UNKNOWN.code, attempt=beginning.attempt)
    assert store.conclude(settled)
    before = store.dump()
    assert not store.conclude(ended(claimed, state=SENT, attempt=beginning.attempt))
    assert store.dump() == before
    assert [entry.state for entry in store.patients.history(patient)] == [State.UNKNOWN.code]


def two_subscriptions(store: Installed) -> str:
    patient, _ = store.enrol()
    _, enrolled = store.enrol(patient, series="sleep-hygiene", new=False)
    assert enrolled.number == 2
    return patient


def test_two_subscriptions_at_once_get_one_drip_a_day(store: Installed) -> None:
    patient = two_subscriptions(store)
    first, second = store.claim()
    answers: list[Begun] = store.dispatch.begin(
        [store.beginning(first, cap_day=TODAY), store.beginning(second, cap_day=TODAY)]
    )
    assert answers == ["ok", "capped_day"]
    assert store.fields(patient).recent_drips() == (DAY,)
    assert store.conclude(ended(second, when_ms=DUE + 5)), "the refused one keeps its claim"


def test_a_service_message_is_not_counted(store: Installed) -> None:
    patient = two_subscriptions(store)
    first, second = store.claim()
    assert store.begin(store.beginning(first, cap_day=TODAY)) == "ok"
    assert store.begin(store.beginning(second)) == "ok"
    assert store.fields(patient).recent_drips() == (DAY,)


def drip(store: Installed, day: int) -> Begun:
    claimed = store.claim_one()
    beginning = store.beginning(claimed, cap_day=day)
    answer = store.begin(beginning)
    attempt = beginning.attempt if answer == "ok" else ""
    assert store.conclude(ended(claimed, state=SENT if attempt else "", attempt=attempt))
    return answer


def test_seven_drips_a_week_and_no_more(store: Installed) -> None:
    store.enrol()
    assert [drip(store, TODAY + day) for day in range(7)] == ["ok"] * 7
    # After a move to the west the day may be one that has passed already.
    assert drip(store, TODAY + 6) == "capped_day"
    # A week may hold more days than seven when the patient's day went back: never more drips.
    assert drip(store, TODAY - 1) == "capped_week"
    assert drip(store, TODAY + 7) == "ok"


def test_a_drip_that_was_not_sent_gives_its_day_back(store: Installed) -> None:
    patient = two_subscriptions(store)
    first, second = store.claim()
    beginning = store.beginning(first, cap_day=TODAY)
    store.begin(beginning)
    given_back = ended(first, "hold", attempt=beginning.attempt, frees_day=True)
    assert store.conclude(given_back)
    assert store.fields(patient).recent_drips() == ()
    assert store.begin(store.beginning(second, cap_day=TODAY)) == "ok"


def test_giving_a_day_back_takes_no_other_drip_of_the_week(store: Installed) -> None:
    patient, _ = store.enrol()
    assert drip(store, TODAY - 1) == "ok"
    claimed = store.claim_one()
    beginning = store.beginning(claimed, cap_day=TODAY)
    store.begin(beginning)
    store.conclude(ended(claimed, "hold", attempt=beginning.attempt, frees_day=True))
    assert [day.toordinal() for day in store.fields(patient).recent_drips()] == [TODAY - 1]


def test_history_has_one_entry_a_delivery_however_often_it_is_written(store: Installed) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    store.conclude(replace(ended(claimed, state=State.SKIPPED.code), cursor=(0, 0)))
    claimed = store.claim_one()
    store.conclude(ended(claimed, state=State.FAILED.code))
    assert [entry.state for entry in store.patients.history(patient)] == [State.FAILED.code]
