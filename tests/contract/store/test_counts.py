"""What is counted for insight: once an effect, added up once, by the clinic's own days."""

from __future__ import annotations

from datetime import date, tzinfo

import pytest

from schedules.calendar import zone_of
from schedules.check_ins import Trend
from service.carriers.base import Receipt, ReceiptStatus
from service.reporting.insight.recounting import Recounting
from service.store.changes import PatientChanges
from service.store.check_ins import CheckIn, CheckIns
from service.store.counts import NOW, ClinicNumbers, Counts, day_period, week_period
from service.store.installation import COUNTED
from service.store.keyring import KeyRing
from service.store.keys import INSTALLATION, PartitionKeys
from service.store.records import Status, pack_subscription
from service.store.reply_records import Heard, NewReply, Reply
from tests.contract.store.counting import counted
from tests.contract.store.installation import DUE, MAILBOX, PHONE, Installed, ended

HOUR = DUE // 3_600_000
MONDAY = date(2026, 3, 2)


def pacific(_clinic: str) -> tzinfo:
    return zone_of("America/Los_Angeles")


@pytest.fixture
def counts(store: Installed) -> Counts:
    numbers = ClinicNumbers(store.client)
    return Counts(store.client, store.scripts, store.partitions, numbers, pacific)


def sent(store: Installed, attempt: str = "") -> str:
    """Send the next step of the one who is due; the attempt."""
    claimed = store.claim_one()
    beginning = store.beginning(claimed, attempt=attempt)
    assert store.begin(beginning) == "ok"
    assert store.conclude(ended(claimed, state="s", attempt=beginning.attempt))
    return beginning.attempt


def of_kind(store: Installed, kind: str) -> dict[str, int]:
    """What was counted of a kind, without its hour and clinic."""
    found = counted(store, kind)
    return {"|".join((kind, *field.split("|")[3:])): by for field, by in found.items()}


def replied(store: Installed, message_id: str = "SM1", *words: str) -> Reply:
    return store.replies.record(
        NewReply(
            message_id=message_id,
            address=store.digest("sms", PHONE),
            channel="sms",
            heard=Heard(words or ("check_in",)),
            word="",
            opt_out_type="",
            clinic="",
            via="webhook",
            at_ms=DUE,
            content={},
        )
    ).reply


def test_a_delivery_is_counted_as_what_it_is_now(store: Installed) -> None:
    store.enrol()
    attempt = sent(store)
    assert of_kind(store, "d") == {"d|restless-legs|1|0|s|s": 1}
    for _ in range(2):
        store.receive(Receipt(attempt, "SM1", ReceiptStatus.DELIVERED, "delivered"))
    store.receive(Receipt(attempt, "SM1", ReceiptStatus.SENT, "sent"))
    assert of_kind(store, "d") == {"d|restless-legs|1|0|s|d": 1}


def test_who_leaves_is_counted_once_with_the_step_that_reached_them_last(store: Installed) -> None:
    store.enrol(email=None, channels=("sms",))
    sent(store)
    sent(store)
    for _ in range(2):
        store.suppress("sms")
    assert of_kind(store, "e") == {
        "e|restless-legs|1|n||": 1,
        "e|restless-legs|1|o|1|s": 1,
    }
    assert of_kind(store, "u") == {"u|restless-legs|1|2026-03-02|o": 1}
    store.lift("sms")
    assert of_kind(store, "e")["e|restless-legs|1|b||s"] == 1
    assert of_kind(store, "u") == {"u|restless-legs|1|2026-03-02|a": 1}


def test_who_leaves_before_anything_reached_them_left_after_no_step(store: Installed) -> None:
    patient, _ = store.enrol()
    claimed = store.claim_one()
    store.conclude(ended(claimed, state="k"))
    subscription = store.subscription(patient)
    store.patients.set_status(
        subscription, Status.OPTED_OUT, allowed=[Status.ACTIVE], source="page", reason="left"
    )
    assert of_kind(store, "e")["e|restless-legs|1|o||"] == 1


def test_one_of_two_channels_that_is_given_up_is_told_from_leaving(store: Installed) -> None:
    store.enrol()
    sent(store)
    store.suppress("sms")
    assert of_kind(store, "e")["e|restless-legs|1|h|0|s"] == 1
    store.suppress("email", MAILBOX, "one_click")
    assert of_kind(store, "e")["e|restless-legs|1|o|0|e"] == 1


@pytest.mark.parametrize(
    ("reason", "what", "status"),
    [("staff", "s", "o"), ("invalid", "x", "x"), ("wrong_number", "x", "x"), ("died", "x", "o")],
)
def test_who_did_not_leave_of_themselves_is_not_counted_so(
    store: Installed, reason: str, what: str, status: str
) -> None:
    store.enrol(email=None, channels=("sms",))
    store.suppress("sms", reason=reason)
    assert of_kind(store, "e") == {
        "e|restless-legs|1|n||": 1,
        f"e|restless-legs|1|{what}||s": 1,
    }
    assert of_kind(store, "u") == {f"u|restless-legs|1|2026-03-02|{status}": 1}


def test_what_was_counted_of_somebody_stays_when_they_are_erased(store: Installed) -> None:
    patient, _ = store.enrol()
    sent(store)
    changes = PatientChanges(store.scripts, KeyRing.generate(), store.business)
    assert changes.erase(patient, kept=[], source="test")
    assert of_kind(store, "d") == {"d|restless-legs|1|0|s|s": 1}
    assert of_kind(store, "u") == {"u|restless-legs|1|2026-03-02|z": 1}


def test_somebody_who_is_being_erased_has_not_left(store: Installed) -> None:
    patient, _ = store.enrol()
    store.patients.set_status(
        store.subscription(patient),
        Status.OPTED_OUT,
        allowed=[Status.ACTIVE],
        source="staff:ana",
        reason="erased",
    )
    assert of_kind(store, "e") == {"e|restless-legs|1|n||": 1}
    assert of_kind(store, "u") == {"u|restless-legs|1|2026-03-02|z": 1}


def test_a_pause_that_ends_by_itself_makes_one_active_again(store: Installed) -> None:
    patient, _ = store.enrol()
    store.set_status(patient, Status.PAUSED, [Status.ACTIVE], until_ms=DUE + 1)
    assert of_kind(store, "u") == {"u|restless-legs|1|2026-03-02|p": 1}
    store.business.ms += 1
    store.claim_one()
    assert of_kind(store, "u") == {"u|restless-legs|1|2026-03-02|a": 1}


def test_a_rating_is_counted_once_a_reply_by_weeks_since_the_start(store: Installed) -> None:
    patient, _ = store.enrol()
    check_ins = CheckIns(store.scripts, KeyRing.generate())
    later = DUE + 15 * 86_400_000
    for _ in range(2):
        check_ins.record(patient, CheckIn("r1", "symptom-check", 7, later, 1), Trend.SAME)
    check_ins.record(patient, CheckIn("r2", "symptom-check", 3, later), Trend.BETTER)
    assert of_kind(store, "c") == {"c|restless-legs|symptom-check|2|7": 1}


def test_a_rating_that_is_put_right_is_counted_as_what_it_is_now(store: Installed) -> None:
    patient, _ = store.enrol()
    check_ins = CheckIns(store.scripts, KeyRing.generate())
    check_ins.record(patient, CheckIn("r1", "symptom-check", 7, DUE, 1), Trend.SAME)
    for _ in range(2):
        put(store, check_ins, patient, CheckIn("r1", "symptom-check", 2, DUE, 1))
    assert of_kind(store, "c") == {"c|restless-legs|symptom-check|0|2": 1}
    put(store, check_ins, patient, None)
    assert of_kind(store, "c") == {}


def put(store: Installed, check_ins: CheckIns, patient: str, check_in: CheckIn | None) -> None:
    """Have the first reply hold another rating, or none."""
    assert check_ins.replace(
        patient,
        "r1",
        check_in,
        read=check_ins.of(patient),
        was=store.fields(patient).text("v") or "",
        going=Trend.SAME,
    )


@pytest.mark.parametrize(
    ("start", "weeks"), [(date(2026, 2, 28), 0), (date(2024, 2, 29), 104), (date(2000, 3, 1), 1356)]
)
def test_weeks_are_counted_from_the_start_or_a_later_enrolment(
    store: Installed, start: date, weeks: int
) -> None:
    patient, _ = store.enrol()
    enrolled = 946_684_800_000 if start.year < 2026 else DUE
    packed = pack_subscription("restless-legs", 1, start, enrolled)
    store.client.hset(PartitionKeys(1).patient(patient), "s1", packed)
    check_ins = CheckIns(store.scripts, KeyRing.generate())
    check_ins.record(patient, CheckIn("r1", "symptom-check", 7, DUE, 1), Trend.SAME)
    assert (MONDAY - max(start, date(2000, 1, 1))).days // 7 >= weeks
    assert of_kind(store, "c") == {f"c|restless-legs|symptom-check|{weeks}|7": 1}


def test_a_reply_is_counted_once_and_by_each_word_that_was_understood(store: Installed) -> None:
    reply = replied(store, "SM1", "check_in", "urgent")
    for _ in range(2):
        store.replies.close(reply, [], None, clinic="riverside")
    assert of_kind(store, "i") == {"i|": 1, "i|check_in": 1, "i|urgent": 1}


def test_days_and_weeks_are_the_clinics_own(store: Installed, counts: Counts) -> None:
    store.business.ms = DUE + 12 * 3_600_000  # 05:00 UTC on Tuesday, Monday evening in Oregon
    store.enrol()
    assert counts.add_up() == 1
    assert counted(store) == {}
    assert counts.read(None, [day_period(MONDAY)]) == [{"e|restless-legs|n": 1}]
    week = {"e|restless-legs|1|n||": 1}
    assert counts.read(["riverside"], [week_period(MONDAY)]) == [week]
    assert counts.read(["elsewhere"], [week_period(MONDAY)]) == [{}]
    stands = {"u|restless-legs|1|a": 1, "a|restless-legs|1|2026-03-02": 1}
    assert counts.read(None, [NOW]) == [stands]


def test_a_batch_is_added_once_whatever_is_cut_off(store: Installed, counts: Counts) -> None:
    store.enrol()
    keys = PartitionKeys(1)
    batch = (keys.counts, keys.taken_counts, keys.fence)
    first = store.scripts.run("take_counts", batch, ())
    assert store.scripts.run("take_counts", batch, ()) == first
    assert counts.add_up() == 1
    # Somebody who took it as well, and was held up until the next one was added.
    store.enrol(phone="+15035550199", email=None, channels=("sms",))
    assert counts.add_up() == 1
    late = ("{counts}:added", "{counts}:*:now")
    told = (1, int(first[0]), 2, "u|restless-legs|1|a", 1)
    assert store.scripts.run("add_counts", late, told) == 0
    assert store.scripts.run("drop_counts", (keys.taken_counts,), (int(first[0]),)) == 0
    assert counts.read(None, [NOW])[0]["u|restless-legs|1|a"] == 2
    assert counts.add_up() == 0


def test_what_comes_to_nothing_leaves_no_sum(store: Installed, counts: Counts) -> None:
    patient, _ = store.enrol()
    counts.add_up()
    store.set_status(patient, Status.PAUSED, [Status.ACTIVE])
    counts.add_up()
    assert counts.read(None, [NOW]) == [{"u|restless-legs|1|p": 1}]


def test_one_enrolled_before_counting_began_is_not_counted(store: Installed) -> None:
    patient, _ = store.enrol()
    keys = PartitionKeys(1)
    store.client.hdel(keys.patient(patient), "t1")
    store.client.delete(keys.counts)
    attempt = sent(store)
    store.receive(Receipt(attempt, "SM1", ReceiptStatus.DELIVERED, "delivered"))
    store.suppress("sms")
    assert counted(store) == {}


def test_each_clinic_has_one_number(store: Installed) -> None:
    numbers = ClinicNumbers(store.client)
    given = [numbers.of("riverside"), numbers.of("hillside"), numbers.of("riverside")]
    assert given[0] == given[2] != given[1]
    assert ClinicNumbers(store.client).clinics() == {given[0]: "riverside", given[1]: "hillside"}


def test_who_was_there_before_counting_is_counted_once(store: Installed) -> None:
    """Also where it was cut off half-way, and while messages go out."""
    patient, _ = store.enrol()
    attempt = sent(store)
    store.enrol(patient, series="sleep-hygiene", new=False)
    before = counted(store, "du")
    keys = PartitionKeys(1)
    store.client.hdel(keys.patient(patient), "t1", "t2")
    store.client.delete(keys.counts)
    recounting = Recounting(
        store.client, store.scripts, store.patients, ClinicNumbers(store.client)
    )
    assert recounting.run() == 2
    assert counted(store) == before
    assert recounting.run() == 0
    assert counted(store) == before
    store.receive(Receipt(attempt, "SM1", ReceiptStatus.DELIVERED, "delivered"))
    assert of_kind(store, "d") == {"d|restless-legs|1|0|s|d": 1}


def test_a_store_is_recounted_once(store: Installed) -> None:
    recounting = Recounting(
        store.client, store.scripts, store.patients, ClinicNumbers(store.client)
    )
    store.client.hdel(INSTALLATION, COUNTED)
    patient, _ = store.enrol()
    store.client.hdel(PartitionKeys(1).patient(patient), "t1")
    store.client.delete(PartitionKeys(1).counts)
    for _ in range(2):
        assert recounting.run_once()
        assert of_kind(store, "u") == {"u|restless-legs|1|2026-03-02|a": 1}
    store.client.hdel(PartitionKeys(1).patient(patient), "t1")
    assert recounting.run_once()
    assert of_kind(store, "u") == {"u|restless-legs|1|2026-03-02|a": 1}
