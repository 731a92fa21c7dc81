"""The suppression ledger and its copies: what was acknowledged is never lost, whatever it races."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from schedules.delivery import State
from service.store.cluster import ClusterClient
from service.store.flights import Begun
from service.store.keys import PartitionKeys
from service.store.records import Status
from service.store.suppressions import GRACE_MS, change
from tests.contract.store.installation import DUE, PHONE, Installed, ended
from tests.support.sets import Store

pytestmark = pytest.mark.usefixtures("recounted")


def ledger_only(store: Installed) -> None:
    """The ledger's own step of an opt-out, and then nothing more: the process is gone."""
    digest = store.digest("sms", PHONE)
    keys = store.suppressions.keys(digest)
    store.scripts.run(
        "suppress",
        (keys.address(digest), keys.audit, keys.open_fan_outs),
        change(f"s:{digest}", on=True, reason="stop", source="test", at_ms=DUE, lifts=""),
    )


def test_nothing_is_begun_after_an_opt_out_was_acknowledged(store: Installed) -> None:
    patient, _ = store.enrol(channels=("sms",))
    claimed = store.claim_one()
    assert store.suppress() == (f"{patient}.1",)
    assert store.begin(store.beginning(claimed)) == "stopped"
    assert store.conclude(ended(claimed))
    assert store.status(patient) is Status.OPTED_OUT
    assert store.place(f"{patient}.1") == set()


def test_an_opt_out_of_one_channel_leaves_the_other(store: Installed) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    assert store.suppress() == ()
    assert store.begin(store.beginning(claimed)) == "suppressed"
    assert store.fields(patient).reachable() == {"email"}
    assert store.begin(store.beginning(claimed, channel="email")) == "ok"


def test_an_opt_out_stops_everybody_on_the_number(store: Installed) -> None:
    shared = [store.enrol(partition=p, channels=("sms",))[0] for p in (0, 1, 2, 3, 3)]
    other, _ = store.enrol(phone="+15035550199", channels=("sms",))
    assert sorted(store.suppress()) == sorted(f"{patient}.1" for patient in shared)
    assert {store.status(patient) for patient in shared} == {Status.OPTED_OUT}
    assert [store.claim(partition) for partition in (0, 2, 3)] == [[], [], []]
    assert {pending.due_ms for pending in store.dispatch.peek([0, 2, 3])} == {None}
    assert store.status(other) is Status.ACTIVE


@pytest.mark.parametrize("turn", range(10))
def test_begins_that_race_an_opt_out_come_before_its_acknowledgement(
    server: Store, turn: int
) -> None:
    del turn
    with Installed.fresh(server) as store:
        for partition in (0, 1, 2, 3):
            for _ in range(5):
                store.enrol(partition=partition, channels=("sms",))
        claims = [claim for partition in range(4) for claim in store.claim(partition)]
        barrier = threading.Barrier(5)
        acknowledged = threading.Event()

        def begin_all(part: int) -> list[tuple[bool, Begun]]:
            barrier.wait()
            answers = []
            for claim in claims[part::4]:
                after = acknowledged.is_set()
                answers.append((after, store.begin(store.beginning(claim))))
            return answers

        def stop() -> list[tuple[bool, Begun]]:
            barrier.wait()
            store.suppress()
            acknowledged.set()
            return []

        with ThreadPoolExecutor(5) as pool:
            running = [pool.submit(begin_all, part) for part in range(4)]
            running.append(pool.submit(stop))
            answers = [answer for future in running for answer in future.result()]
        assert len(answers) == 20
        assert not [answer for after, answer in answers if after and answer == "ok"]
        late = [store.begin(store.beginning(claim)) for claim in claims]
        assert "ok" not in late


def test_an_opt_out_during_an_enrolment_stops_what_is_enrolled(store: Installed) -> None:
    patient = "01" + "a" * 10
    copies = store.join(patient, PHONE, None)
    assert copies == {"sms": "0|0|"}
    store.suppress()
    enrolled = store.create(patient, copies, channels=("sms",))
    assert (enrolled.outcome, enrolled.status) == ("ok", Status.OPTED_OUT)
    assert store.fields(patient).reachable() == set()
    assert store.place(f"{patient}.1") == set()


def test_a_copy_read_before_a_later_change_does_not_undo_it(store: Installed) -> None:
    patient = "01" + "a" * 10
    store.suppress()
    stale = store.join(patient, PHONE, None)
    assert stale == {"sms": "1|1|stop"}
    store.lift()
    enrolled = store.create(patient, stale, channels=("sms",))
    assert enrolled.status is Status.ACTIVE
    copy = store.fields(patient).suppression("sms")
    assert copy is not None
    assert (copy.sequence, copy.on) == (2, False)


def test_who_enrols_with_a_suppressed_address_is_silent_there(store: Installed) -> None:
    store.suppress()
    both, enrolled = store.enrol()
    assert enrolled.status is Status.ACTIVE
    assert store.fields(both).reachable() == {"email"}
    _, enrolled = store.enrol(channels=("sms",))
    assert enrolled.status is Status.OPTED_OUT


def test_a_copy_of_a_lower_sequence_changes_nothing(store: Installed) -> None:
    patient, _ = store.enrol(channels=("sms",))
    store.suppress()
    keys = PartitionKeys(1)
    for sequence in (0, 1):
        store.scripts.run(
            "copy_suppression",
            (keys.patient(patient), keys.due),
            ("xs", sequence, 0, "rejoined", patient, DUE),
        )
    assert store.fields(patient).reachable() == set()
    assert store.status(patient) is Status.OPTED_OUT


def test_an_opt_out_said_twice_changes_the_ledger_once(store: Installed) -> None:
    store.enrol()
    digest = store.digest("sms", PHONE)
    first = store.suppressions.suppress("sms", digest, reason="stop", source="reply:1")
    again = store.suppressions.suppress("sms", digest, reason="stop", source="reply:1")
    assert (first.changed, first.sequence, first.on) == (True, 1, True)
    assert (again.changed, again.sequence, again.on) == (False, 1, True)


def test_an_opt_out_said_again_finishes_a_fan_out_that_was_cut_off(store: Installed) -> None:
    patient, _ = store.enrol(channels=("sms",))
    ledger_only(store)
    assert store.status(patient) is Status.ACTIVE, "cut off before the copies"
    assert store.suppress() == (f"{patient}.1",)
    assert store.status(patient) is Status.OPTED_OUT


def test_asking_again_writes_again_so_that_its_confirmation_is_not_empty(
    store: Installed,
) -> None:
    # WAITAOF confirms at once on a connection that wrote nothing: an answer to the second call
    # would vouch for a first that never reached the disk.
    store.enrol(channels=("sms",))
    store.suppress()
    digest = store.digest("sms", PHONE)
    keys = store.suppressions.keys(digest)
    for partition in (keys.partition, 1):
        assert partition in range(4)
    before = _log_size(store)
    ledger_only(store)
    after_ledger = _log_size(store)
    assert after_ledger > before
    store.suppress()
    assert _log_size(store) > after_ledger + (after_ledger - before), "the copies are written too"


def test_begin_sent_again_writes_again(store: Installed) -> None:
    store.enrol()
    beginning = store.beginning(store.claim_one())
    store.begin(beginning)
    before = _log_size(store)
    assert store.begin(beginning) == "ok"
    assert _log_size(store) > before


def _log_size(store: Installed) -> int:
    client = store.client
    nodes = [n for _, n in client.primaries()] if isinstance(client, ClusterClient) else [client]
    facts = [node.info("persistence") for node in nodes]
    return sum(int(f["aof_current_size"]) + int(f["aof_buffer_length"]) for f in facts)


def test_a_lift_takes_back_only_the_reasons_it_may(store: Installed) -> None:
    patient, _ = store.enrol(channels=("sms",))
    store.suppress(reason="staff")
    store.lift("sms", "", "stop", "provider_opt_out")
    assert store.status(patient) is Status.OPTED_OUT
    store.lift("sms", "", "staff")
    assert store.status(patient) is Status.ACTIVE
    assert store.due_ms(f"{patient}.1") == DUE
    assert store.begin(store.beginning(store.claim_one())) == "ok"


@pytest.mark.parametrize("first", ["invalid", "staff", "provider_opt_out"])
def test_a_stop_outlives_the_lifting_of_whatever_stood_before_it(
    store: Installed, first: str
) -> None:
    patient, _ = store.enrol(channels=("sms",))
    store.suppress(reason=first)
    store.suppress(reason="stop")
    store.lift("sms", "", first)
    assert store.fields(patient).reachable() == set()
    store.lift("sms", "", "stop")
    assert store.fields(patient).reachable() == {"sms"}


def test_a_start_takes_back_what_the_patient_did_and_nothing_else(store: Installed) -> None:
    store.enrol(channels=("sms",))
    for reason in ("stop", "provider_opt_out", "staff"):
        store.suppress(reason=reason)
    digest = store.digest("sms", PHONE)
    ledger = store.suppressions.lift(
        "sms", digest, source="reply:1", lifts=("stop", "provider_opt_out")
    )
    assert (ledger.on, ledger.reason) == (True, "staff")
    ledger = store.suppressions.lift("sms", digest, source="staff:ana", lifts=("staff",))
    assert (ledger.changed, ledger.on, ledger.reason) == (True, False, "rejoined")


def test_the_weightiest_reason_is_the_one_that_is_told(store: Installed) -> None:
    patient, _ = store.enrol(channels=("sms",))
    told = []
    for reason in ("invalid", "provider_opt_out", "stop", "staff", "invalid"):
        store.suppress(reason=reason)
        copy = store.fields(patient).suppression("sms")
        assert copy is not None
        told.append(copy.reason)
    assert told == ["invalid", "provider_opt_out", "stop", "staff", "staff"]


def test_a_suppression_revives_nothing(store: Installed) -> None:
    patient, _ = store.enrol()
    store.set_status(patient, Status.OPTED_OUT, [Status.ACTIVE])
    store.suppress("email")
    assert store.status(patient) is Status.OPTED_OUT
    assert store.place(f"{patient}.1") == set()


def test_an_invalid_address_makes_unreachable_and_a_stop_opted_out(store: Installed) -> None:
    patient, _ = store.enrol(channels=("sms",))
    store.suppress(reason="invalid")
    assert store.status(patient) is Status.UNREACHABLE
    other, _ = store.enrol(phone=None, channels=("email",))
    store.suppress("email", reason="one_click")
    assert store.status(other) is Status.OPTED_OUT


def test_the_last_channel_to_go_ends_the_subscription(store: Installed) -> None:
    patient, _ = store.enrol()
    store.suppress()
    assert store.status(patient) is Status.ACTIVE
    assert store.suppress("email", reason="one_click") == (f"{patient}.1",)
    assert store.status(patient) is Status.OPTED_OUT
    store.lift("email", "", "one_click")
    assert store.status(patient) is Status.ACTIVE


def test_what_was_begun_before_an_opt_out_is_recorded_and_goes_no_further(
    store: Installed,
) -> None:
    patient, _ = store.enrol(channels=("sms",))
    claimed = store.claim_one()
    beginning = store.beginning(claimed)
    store.begin(beginning)
    store.suppress()
    assert store.conclude(ended(claimed, state=State.SENT.code, attempt=beginning.attempt))
    assert [entry.state for entry in store.patients.history(patient)] == [State.SENT.code]
    assert store.place(f"{patient}.1") == set()
    store.lift()
    assert store.subscription(patient).index == 1
    assert store.place(f"{patient}.1") == {"due"}


def test_a_lift_while_a_flight_is_open_makes_it_due_once(store: Installed) -> None:
    patient, _ = store.enrol(channels=("sms",))
    claimed = store.claim_one()
    store.suppress()
    store.lift()
    assert store.place(f"{patient}.1") == {"held"}
    assert store.conclude(ended(claimed))
    assert store.place(f"{patient}.1") == {"due"}


def test_completed_subscriptions_are_never_revived(store: Installed) -> None:
    patient, _ = store.enrol(channels=("sms",))
    store.conclude(ended(store.claim_one(), "end", state=State.SKIPPED.code))
    store.suppress()
    store.lift()
    assert store.status(patient) is Status.COMPLETED
    assert store.place(f"{patient}.1") == set()


def test_every_change_of_the_ledger_is_in_the_audit(store: Installed) -> None:
    store.enrol()
    store.suppress()
    store.suppress()
    store.lift()
    keys = store.suppressions.keys(store.digest("sms", PHONE))
    changes = [what for what, _ in store.audited(keys.partition) if what != "enrolled"]
    assert changes == ["suppressed", "suppression_lifted"]


def test_an_opt_out_that_a_crash_cut_off_before_its_patients_is_carried_to_them_later(
    store: Installed,
) -> None:
    patient, _ = store.enrol(channels=("sms",))
    claimed = store.claim_one()
    ledger_only(store)
    now_ms = time.time_ns() // 1_000_000
    assert store.suppressions.finish_open(now_ms) == 0, "it may still be under way"
    assert store.suppressions.finish_open(now_ms + 2 * GRACE_MS) == 1
    assert store.begin(store.beginning(claimed)) == "stopped"
    assert store.status(patient) is Status.OPTED_OUT
    assert store.suppressions.finish_open(now_ms + 2 * GRACE_MS) == 0


def test_an_opt_out_that_was_carried_to_its_patients_leaves_nothing_open(store: Installed) -> None:
    store.enrol(channels=("sms",))
    store.suppress()
    assert store.suppressions.finish_open(time.time_ns() // 1_000_000 + 2 * GRACE_MS) == 0


def test_many_who_join_at_once_are_each_told_what_stands_at_their_own_address(
    store: Installed,
) -> None:
    phones = [f"+1503555{number:04d}" for number in range(300)]
    left = phones[::7]
    for phone in left:
        store.suppress("sms", phone)
    pairs = [
        (store.digest("sms", phone), f"00000000{turn:04d}") for turn, phone in enumerate(phones)
    ]
    copies = store.suppressions.join_all(pairs)
    assert [copy.split("|")[1] == "1" for copy in copies] == [phone in left for phone in phones]
    entered = store.suppressions.patients_of_all([digest for digest, _ in pairs])
    assert entered == [(patient,) for _, patient in pairs]
    again = store.suppressions.join_all([(pairs[0][0], "000000009999")])
    assert again == copies[:1]
    (both,) = store.suppressions.patients_of_all([pairs[0][0]])
    assert sorted(both) == [pairs[0][1], "000000009999"]
