"""After an outage: what the forecast tells is what then happens, and it changes nothing itself."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import cycle

import pytest

from schedules.calendar import local_date
from schedules.delivery import State
from service.clock import from_ms
from service.dispatch.standing import profile_of
from service.reporting.backlog import enrolments_of, overdue_steps
from service.store.installation import StoredClock
from service.store.keys import PartitionKeys
from tests.integration.dispatch.installation import Patient, Worker

DAY_MS = 86_400_000
ZONES = cycle(["America/Los_Angeles", "America/New_York", "America/Phoenix"])


def jump(worker: Worker, ms: int) -> None:
    assert isinstance(worker.core.business, StoredClock)
    worker.core.business.set_ms(worker.core.business.now_ms() + ms)


def steps(worker: Worker, count: int) -> None:
    """Live through the next due instants."""
    for _ in range(count):
        worker.to_next_due()
        worker.drain()


def people(worker: Worker) -> list[Patient]:
    found = []
    for number in range(9):
        series = "sleep-hygiene" if number % 3 else "restless-legs"
        changes = {"timezone": next(ZONES), "bedtime": f"21:{number * 5:02d}", "series": series}
        enrol = (worker.enrol, worker.enrol_by_text, worker.enrol_by_mail)[number % 3]
        patient = enrol(**changes)
        if number == 0:  # in both, of which the nightly one goes first
            worker.enrol(
                phone=patient.phone,
                email=patient.email,
                series="sleep-hygiene",
                timezone=changes["timezone"],
                bedtime=changes["bedtime"],
            )
        found.append(patient)
    return found


def overdue_of(worker: Worker, patient: Patient) -> set[tuple[int, int]]:
    fields = worker.core.patients.load(patient.receipt.patient)
    profile = profile_of(worker.core.patients.contact(fields), fields.reachable())
    now = from_ms(worker.core.business.now_ms())
    return overdue_steps(enrolments_of(fields), profile, now)


def what_happened(
    worker: Worker, patient: Patient, overdue: set[tuple[int, int]]
) -> tuple[Counter[tuple[date, str]], Counter[str]]:
    fields = worker.core.patients.load(patient.receipt.patient)
    profile = profile_of(worker.core.patients.contact(fields), fields.reachable())
    sent: Counter[tuple[date, str]] = Counter()
    skipped: Counter[str] = Counter()
    for entry in patient.history:
        if (entry.subscription - 1, entry.index) not in overdue:
            continue
        if State.from_code(entry.state) is State.SENT:
            sent[local_date(profile, from_ms(entry.at_ms)), entry.channel] += 1
        else:
            skipped[entry.reason] += 1
    return sent, skipped


@pytest.mark.parametrize(("lived", "outage_ms"), [(3, 6 * DAY_MS), (12, 26 * DAY_MS + 5_000_000)])
def test_what_the_forecast_tells_is_what_happens(
    worker: Worker, lived: int, outage_ms: int
) -> None:
    patients = people(worker)
    worker.drain()
    steps(worker, lived)
    jump(worker, outage_ms)
    overdue = {patient.phone or patient.email: overdue_of(worker, patient) for patient in patients}
    before = worker.core.client.dbsize(), worker.core.client.lastsave()
    found = worker.core.backlogs.forecast(("as_written",))
    assert (worker.core.client.dbsize(), worker.core.client.lastsave()) == before
    outlook = found.outlooks["as_written"]
    assert found.overdue == sum(map(len, overdue.values())) > 20
    assert sum(outlook.sent.values()) + sum(outlook.skipped.values()) == found.overdue

    sent: Counter[tuple[date, str]] = Counter()
    skipped: Counter[str] = Counter()
    for _ in range(400):
        worker.drain()
        if all(_over(patient, overdue) for patient in patients):
            break
        worker.to_next_due()
    for patient in patients:
        more_sent, more_skipped = what_happened(
            worker, patient, overdue[patient.phone or patient.email]
        )
        sent += more_sent
        skipped += more_skipped
    assert dict(outlook.sent) == dict(sent)
    assert dict(outlook.skipped) == dict(skipped)
    assert outlook.skipped["missed"] > 0, "nightly reminders go by"
    assert len(outlook.days()) > 1, "the rest is spread over days"


def _over(patient: Patient, overdue: dict[str, set[tuple[int, int]]]) -> bool:
    done = {(entry.subscription - 1, entry.index) for entry in patient.history}
    return overdue[patient.phone or patient.email] <= done


def test_each_policy_has_its_own_outcome(worker: Worker) -> None:
    people(worker)
    worker.drain()
    jump(worker, 10 * DAY_MS)
    found = worker.core.backlogs.forecast()
    outlooks = found.outlooks
    totals = {p: sum(o.sent.values()) + sum(o.skipped.values()) for p, o in outlooks.items()}
    assert set(totals.values()) == {found.overdue}
    count = {policy: sum(outlook.sent.values()) for policy, outlook in outlooks.items()}
    assert count["skip"] < count["latest"] < count["spread"]
    for outlook in outlooks.values():
        assert outlook.today <= found.patients, "at most one drip a day for each, and no flood"


def test_nothing_overdue_is_told_so(worker: Worker) -> None:
    found = worker.core.backlogs.forecast()
    assert (found.overdue, found.patients) == (0, 0)


def test_a_record_that_cannot_be_read_is_counted_and_holds_nothing_up(worker: Worker) -> None:
    broken, _ = worker.enrol(), worker.enrol()
    key = PartitionKeys(0).patient(broken.receipt.patient)
    worker.core.client.hset(key, "c", b"nonsense")
    found = worker.core.backlogs.forecast(("as_written",))
    assert (found.unreadable, found.patients) == (1, 1)
