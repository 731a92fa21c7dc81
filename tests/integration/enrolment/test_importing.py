"""A file of patients on a real store: each enrolled once, with evidence; what was not is told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.bootstrap import Core
from service.enrolment.bulk.course import BATCH, IN_FLIGHT, Course, Enrolling, File
from service.enrolment.bulk.findings import Tally
from service.enrolment.bulk.imports import ImportHeld
from service.enrolment.bulk.sheet import sheet
from service.enrolment.bulk.terms import Terms
from service.errors import InvalidInput, NotFound
from service.settings import load_settings
from service.store.import_records import Import, ImportState
from service.store.keys import ImportKeys
from service.store.records import Status
from service.store.sealed import SealedValues
from tests.support.patient_files import opens, patient, row, text
from tests.support.servers import Server, valkey_server

TERMS = Terms(method="written", wording="2026-11")
BY = "staff:m1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with valkey_server(tmp_path_factory.mktemp("store")) as server:
        yield server


@pytest.fixture
def core(server: Server, tmp_path: Path) -> Iterator[Core]:
    server.flush()
    core = Core(load_settings(redis_url=server.url, data_dir=tmp_path), server.url)
    yield core
    core.close()


def run(core: Core, content: str, terms: Terms = TERMS, token: str = "t1") -> tuple[Import, Tally]:
    """Import a file as the command does."""
    surveyed = core.imports.survey(opens(content), terms)
    one = core.imports.here(surveyed, terms, "march.csv", BY)
    tally = Tally()
    for tally in core.imports.run_here(one, opens(content), surveyed, token):  # noqa: B007
        pass
    return core.imports.load(one.id), tally


def checked(core: Core, content: str, terms: Terms = TERMS) -> Tally:
    """Check a file as the command does."""
    tally = Tally()
    surveyed = core.imports.survey(opens(content), terms)
    for outcome in core.imports.check(opens(content), surveyed, terms):
        tally.add(outcome.tally)
    return tally


def counts(tally: Tally) -> tuple[int, int, int, int]:
    return tally.rows, tally.accepted, tally.duplicates, tally.rejected


def people(core: Core) -> dict[str, str]:
    """Patient ids by given name."""
    found = {}
    for identifier in core.patients.identifiers():
        found[core.patients.contact(core.patients.load(identifier)).given_name] = identifier
    return found


def goes_on() -> bool:
    return True


def test_each_patient_of_a_file_is_enrolled_with_evidence_of_consent(core: Core) -> None:
    content = text(patient(1), patient(2, consent="sms"), row(phone="4.155551E+10"))
    one, tally = run(core, content)
    assert counts(tally) == (3, 2, 0, 1)
    assert (one.state, one.tally["accepted"]) == (ImportState.DONE, 2)
    found = people(core)
    assert sorted(found) == ["Pat1", "Pat2"]
    consents = core.patients.consents(found["Pat1"])
    assert [consent["channel"] for consent in consents] == ["sms", "email"]
    digest = hashlib.sha256(content.encode()).hexdigest()
    for consent in consents:
        assert (consent["method"], consent["wording"], consent["by"]) == ("written", "2026-11", BY)
        assert (consent["import"], consent["file"]) == (f"{one.id}/2", digest)
        assert consent["at"]
    assert core.patients.contact(core.patients.load(found["Pat2"])).email is None


def test_a_check_changes_nothing(core: Core) -> None:
    run(core, text(patient(1)))
    before = {name: core.client.dump(name) for name in core.client.scan_iter()}
    tally = checked(core, text(patient(1), patient(2), patient(2), row(phone="1")))
    assert counts(tally) == (4, 1, 2, 1)
    assert {name: core.client.dump(name) for name in core.client.scan_iter()} == before


def test_a_check_finds_what_the_import_then_does(core: Core) -> None:
    rows = [patient(n % 700, given_name="" if n % 90 == 7 else "Ana") for n in range(1300)]
    content = text(*rows)
    before = checked(core, content)
    _, after = run(core, content)
    assert counts(before) == counts(after)
    assert after.rows == after.accepted + after.duplicates + after.rejected


def test_the_same_person_twice_in_a_file_is_enrolled_once(core: Core) -> None:
    again = row(given_name="ANA", phone="(503) 555-0142", email="")
    content = text(row(), again | {"consent": "sms"}, row(given_name="Ben"), patient(5))
    one, tally = run(core, content)
    assert counts(tally) == (4, 3, 1, 0), "a family may share a phone"
    assert tally.repeated == 1
    (duplicates,) = [duplicates for _, duplicates in core.imports.not_enrolled(one)]
    assert [(each.row, each.of_row) for each in duplicates] == [(3, 2)]


def test_who_is_in_the_series_already_is_not_enrolled_again(core: Core) -> None:
    run(core, text(row()))
    _, tally = run(core, text(row(visit_date="2026-11-23"), row(series="sleep-hygiene")))
    assert counts(tally) == (2, 1, 1, 0)
    assert tally.repeated == 0
    (patient_id,) = people(core).values()
    series = [each.series for each in core.patients.load(patient_id).subscriptions()]
    assert series == ["restless-legs", "sleep-hygiene"]


def test_the_same_file_twice_enrols_nobody_again_whatever_has_become_of_them(core: Core) -> None:
    content = text(patient(1), patient(2))
    first, _ = run(core, content)
    core.staff.stop(people(core)["Pat1"], source="test")
    surveyed = core.imports.survey(opens(content), TERMS)
    earlier = core.imports.earlier(surveyed.scanned.digest)
    assert earlier is not None
    assert earlier.id == first.id
    assert counts(checked(core, content)) == (2, 0, 2, 0)
    second, tally = run(core, content)
    assert counts(tally) == (2, 0, 2, 0)
    assert second.earlier == first.id
    assert len(list(core.patients.load(people(core)["Pat1"]).subscriptions())) == 1


def test_an_address_that_has_opted_out_stays_silent(core: Core) -> None:
    ana = row(consent="sms")
    digest = core.suppressions.digest("sms", ana["phone"])
    core.suppressions.suppress("sms", digest, reason="stop", source="test")
    _, tally = run(core, text(ana))
    assert (tally.accepted, tally.silent) == (1, 1)
    (patient_id,) = people(core).values()
    (subscription,) = core.patients.load(patient_id).subscriptions()
    assert subscription.status is Status.OPTED_OUT


def test_rejected_rows_are_put_right_and_imported(core: Core) -> None:
    bad = row(phone="+1 503 555", given_name="=José")
    one, _ = run(core, text(patient(1), bad, patient(1)))
    rejected = [each for some, _ in core.imports.not_enrolled(one) for each in some]
    names = core.imports.survey(opens(text(patient(1))), TERMS).header.names
    written = "".join(sheet(names, rejected))
    assert "'=José" in written
    put_right = written.replace("'+1 503 555,", "'+1 503 555 0142,")
    _, tally = run(core, put_right)
    assert counts(tally) == (1, 1, 0, 0)
    assert set(people(core)) == {"Pat1", "=José"}


def test_what_was_enrolled_and_not_noted_is_not_taken_for_a_duplicate(core: Core) -> None:
    rows = IN_FLIGHT * BATCH + 20
    content = text(*(patient(number) for number in range(rows)))
    surveyed = core.imports.survey(opens(content), TERMS)
    one = core.imports.here(surveyed, TERMS, "march.csv", BY)
    course = Course(core.enrolment, core.clinics, core.catalog)
    outcomes = course.follow(File(opens(content), surveyed, TERMS), Enrolling(BY, one.id))
    next(outcomes)  # killed here, before it was noted
    outcomes.close()  # and what else was under way is enrolled too
    assert len(people(core)) == IN_FLIGHT * BATCH
    *_, tally = core.imports.run_here(one, opens(content), surveyed, "t1")
    assert counts(tally) == (rows, rows, 0, 0)
    assert len(people(core)) == rows
    assert all(len(core.patients.consents(each)) == 2 for each in people(core).values())


def test_an_import_is_done_by_one_at_a_time(core: Core) -> None:
    content = text(*(patient(number) for number in range(2 * BATCH + 5)))
    surveyed = core.imports.survey(opens(content), TERMS)
    one = core.imports.here(surveyed, TERMS, "march.csv", BY)
    first = core.imports.run_here(one, opens(content), surveyed, "first")
    next(first)
    with pytest.raises(ImportHeld):
        next(core.imports.run_here(one, opens(content), surveyed, "second"))
    *_, tally = first
    assert counts(tally) == (2 * BATCH + 5, 2 * BATCH + 5, 0, 0)


def test_a_kept_file_is_checked_confirmed_and_imported_by_workers_in_turns(core: Core) -> None:
    content = text(*(patient(number) for number in range(3 * BATCH)), row(phone="1"))
    one = core.imports.receive(opens(content), TERMS, "Ana Diaz.csv", BY)
    told: list[str] = []
    core.imports.queue(told.append)
    core.imports.queue(told.append)
    assert told == [one.id], "it is told once, and again only where nobody takes it"
    assert not core.imports.confirm(one, BY), "nobody confirms what was not checked"
    assert core.imports.go_on(one.id, "w1", goes_on)
    one = core.imports.load(one.id)
    assert one.state is ImportState.CHECKED
    assert counts(Tally.of(one.tally)) == (3 * BATCH + 1, 3 * BATCH, 0, 1)
    assert not people(core)
    form = core.imports.first_form(one)
    assert form is not None
    assert form.given_name == "Pat0"
    assert core.imports.confirm(one, BY)
    assert not core.imports.confirm(one, BY)
    turns = 0
    while core.imports.load(one.id).state is not ImportState.DONE:
        assert core.imports.go_on(one.id, f"w{turns}", lambda: False)
        turns += 1
    assert turns > 3
    assert not core.imports.go_on(one.id, "late", goes_on)
    assert len(people(core)) == 3 * BATCH
    one = core.imports.load(one.id)
    assert counts(Tally.of(one.tally)) == (3 * BATCH + 1, 3 * BATCH, 0, 1)
    (rejected,) = [each for some, _ in core.imports.not_enrolled(one) for each in some]
    assert rejected.row == 3 * BATCH + 2
    told.clear()
    core.imports.queue(told.append)
    assert not told
    with pytest.raises(NotFound):
        core.imports.first_form(one)


def test_what_is_kept_of_a_file_is_encrypted_and_expires(core: Core) -> None:
    content = text(row(given_name="Xiomara"))
    one = core.imports.receive(opens(content), TERMS, "Xiomara Diaz.csv", BY)
    assert core.imports.check_kept(one.id, "w1")
    for name in core.client.scan_iter():
        assert b"Xiomara" not in (core.client.dump(name) or b"")
        assert b"5550142" not in (core.client.dump(name) or b"")
    assert 0 < core.client.ttl(ImportKeys.part(f"{one.id}.f0")) <= 86_400
    assert 0 < core.client.ttl(ImportKeys.record(one.id)) <= 86_400
    core.imports.confirm(one, BY)
    assert core.client.ttl(ImportKeys.part(f"{one.id}.f0")) > 86_400
    assert core.client.ttl(ImportKeys.record(one.id)) == -1, "who imported what is kept"


def test_an_import_whose_rows_have_vanished_fails_and_says_so(core: Core) -> None:
    one = core.imports.receive(opens(text(row())), TERMS, "march.csv", BY)
    core.client.delete(ImportKeys.part(f"{one.id}.f0"))
    assert core.imports.go_on(one.id, "w1", goes_on)
    assert core.imports.load(one.id).state is ImportState.FAILED


def test_a_check_that_a_worker_cannot_end_is_done_anew_by_another(core: Core) -> None:
    content = text(*(patient(number) for number in range(BATCH + 5)))
    one = core.imports.receive(opens(content), TERMS, "march.csv", BY)
    assert core.imports.go_on(one.id, "w1", goes_on, is_ending=lambda: True)
    assert core.imports.load(one.id).state is ImportState.RECEIVED
    told: list[str] = []
    core.imports.queue(told.append)
    assert told == [one.id]
    assert core.imports.go_on(one.id, "w2", goes_on)
    checked = core.imports.load(one.id)
    assert (checked.state, checked.tally["accepted"]) == (ImportState.CHECKED, BATCH + 5)


def test_files_that_wait_leave_room_in_the_store(core: Core) -> None:
    content = text(patient(1))
    core.imports._kept._most_kept = len(content) + 10
    first = core.imports.receive(opens(content), TERMS, "march.csv", BY)
    with pytest.raises(InvalidInput) as refused:
        core.imports.receive(opens(text(patient(2))), TERMS, "april.csv", BY)
    assert refused.value.code == "imports_full"
    core.imports.check_kept(first.id, "w1")
    core.imports.confirm(first, BY)
    assert core.imports.go_on(first.id, "w1", goes_on)
    assert core.imports.receive(opens(text(patient(2))), TERMS, "april.csv", BY).parts == 1


def test_imports_are_listed_the_newest_first(core: Core) -> None:
    first, _ = run(core, text(patient(1)))
    second, _ = run(core, text(patient(2)))
    assert {one.id for one in core.imports.latest()} == {first.id, second.id}
    assert [one.at_ms for one in core.imports.latest()] == sorted(
        (first.at_ms, second.at_ms), reverse=True
    )
    with pytest.raises(NotFound):
        core.imports.load("nothing")


def test_a_change_of_keys_reaches_what_is_kept_of_a_file(core: Core) -> None:
    one = core.imports.receive(opens(text(row())), TERMS, "march.csv", BY)
    values = SealedValues(core.client, core.scripts, core.keyring)
    found = [value for batch in values.batches() for value in batch]
    expected = {ImportKeys.record(one.id), ImportKeys.part(f"{one.id}.f0")}
    assert {value.key for value in found} == expected
    assert values.reseal(found) == 2
    assert core.imports.load(one.id).name == "march.csv"
    assert core.imports.check_kept(one.id, "w1")
