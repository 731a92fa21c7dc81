"""The same person, enrolled again or twice at once: one patient, who gets everything once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from service.bootstrap import Core
from service.errors import InvalidInput
from service.settings import load_settings
from tests.support import people
from tests.support.servers import valkey_server

ANA = replace(people.ANA, email="ana@example.org", email_consent="verbal")


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    with valkey_server(tmp_path / "store") as server:
        core = Core(load_settings(redis_url=server.url, data_dir=tmp_path), server.url)
        yield core
        core.close()


def test_a_double_click_enrols_one_patient_once(core: Core) -> None:
    clicks = 8
    together = threading.Barrier(clicks)

    def click(_: int) -> str:
        together.wait()
        try:
            return core.enrolment.enrol(ANA, source="test").patient
        except InvalidInput as error:
            return error.code

    with ThreadPoolExecutor(clicks) as pool:
        answers = list(pool.map(click, range(clicks)))
    assert answers.count("already_enrolled") == clicks - 1
    (patient,) = core.patients.identifiers()
    assert patient in answers
    assert len(list(core.patients.load(patient).subscriptions())) == 1


def test_a_second_series_is_a_second_subscription_of_the_same_patient(core: Core) -> None:
    first = core.enrolment.enrol(ANA, source="test")
    second = core.enrolment.enrol(
        replace(ANA, given_name="ANA", series="sleep-hygiene"), source="test"
    )
    assert second.patient == first.patient
    assert not second.new_patient
    assert second.subscription == f"{first.patient}.2"


def test_two_people_on_one_phone_are_two_patients(core: Core) -> None:
    ana = core.enrolment.enrol(ANA, source="test")
    ben = core.enrolment.enrol(replace(ANA, given_name="Ben"), source="test")
    assert ben.patient != ana.patient


def test_who_comes_to_an_address_that_has_opted_out_is_told_so(core: Core) -> None:
    core.suppressions.suppress(
        "sms", core.suppressions.digest("sms", ANA.phone), reason="stop", source="test"
    )
    by_text = core.enrolment.enrol(replace(ANA, email="", email_consent=""), source="test")
    assert by_text.status.word == "opted_out"
    both = core.enrolment.enrol(replace(ANA, given_name="Ben"), source="test")
    assert (both.status.word, both.suppressed) == ("active", ("sms",))
