"""What an earlier release left behind is read and gone on from, by workers set up differently."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from schedules.delivery import State
from service.dispatch.compose import UNSUBSCRIBE
from service.store.records import Status
from tests.integration.faults.patience import TEST_S, eventually
from tests.integration.faults.recordings import RELEASES, play_back, read
from tests.support.system import System, running_system

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.servers import Server

pytestmark = pytest.mark.timeout(TEST_S)

STEPS = 15
"""Of the series that the recorded patients are in."""
NIGHTLY = 1
"""The number of their subscription to it."""


@pytest.fixture(params=RELEASES)
def recording(request: pytest.FixtureRequest) -> dict[str, Any]:
    return read(request.param)


@pytest.fixture
def upgraded(recording: dict[str, Any], tmp_path: Path) -> Iterator[System]:
    """This release on the store that an earlier one left in the middle of its work; no process."""

    def fill(store: Server) -> None:
        with store.client() as client:
            play_back(client, recording["keys"])

    with running_system(
        tmp_path,
        clock="fast:1000000@2026-03-02T20:00:00",
        processes=(),
        fill=fill,
        SECRET_KEYS=recording["secret_keys"],
    ) as system:
        yield system


def states(system: System, patient: str) -> dict[int, str]:
    """The states of a patient's nightly deliveries by step."""
    entries = system.core.patients.history(patient)
    return {
        entry.index: State.from_code(entry.state).value
        for entry in entries
        if entry.subscription == NIGHTLY
    }


def status(system: System, patient: str) -> Status:
    found = system.core.patients.load(patient).subscription(NIGHTLY)
    assert found is not None
    return found.status


def test_a_store_of_an_earlier_release_is_gone_on_from_where_it_stood(
    recording: dict[str, Any], upgraded: System
) -> None:
    """Sent, claimed, in question, waiting for a retry, paused, stopped: each goes its own way.

    And at once by workers that do not agree on what may be set for each of them.
    """
    system = upgraded
    recorded: dict[str, Any] = recording["patients"]
    system.start("worker")
    system.start("worker", settings={"IN_FLIGHT": "1", "LEASE_S": "5", "SETTLE_S": "5"})
    system.start("beat")
    running = [each["patient"] for name, each in recorded.items() if name not in RESTING]
    eventually(
        lambda: {status(system, patient) for patient in running} == {Status.COMPLETED},
        f"all series end; logs are in {system.directory}",
    )
    for name, each in recorded.items():
        found = states(system, each["patient"])
        if name in RESTING:
            assert found == dict(enumerate(each["states"])), name
            continue
        first = FIRST.get(name, "sent")
        assert found == {0: first} | dict.fromkeys(range(1, STEPS), "sent"), name
    arrived = Counter((text["to"], text["body"]) for text in system.provider.accepted())
    arrived.update((mail["to"][0], mail["content"]) for mail in system.mail.accepted())
    assert set(arrived.values()) == {1}, "sent twice"
    quiet = {recorded[name]["phone"] for name in RESTING}
    assert not quiet & {to for to, _ in arrived}


RESTING = {"paused": Status.PAUSED, "stopped": Status.OPTED_OUT}
FIRST = {"receipt_came": "delivered", "no_proof": "unknown"}
"""What became of the first step of those whose attempt had been begun and not recorded."""


def test_what_an_earlier_release_encrypted_and_signed_is_read(
    recording: dict[str, Any], upgraded: System
) -> None:
    core = upgraded.core
    for name, each in recording["patients"].items():
        contact = core.patients.contact(core.patients.load(each["patient"]))
        assert each["phone"] in {contact.phone, ""}, name
        for channel in contact.channels:
            address = contact.address(channel)
            assert address
            digest = core.suppressions.digest(channel, address)
            assert each["patient"] in core.suppressions.patients(digest), "found by its address"
        evidence = core.patients.consents(each["patient"])
        assert {row["wording"] for row in evidence} == {"2026-01"}
        if name in RESTING:
            assert status(upgraded, each["patient"]) is RESTING[name]
    by_mail = recording["patients"]["by_mail"]
    token = recording["link"].rpartition("/")[2]
    digest = core.suppressions.digest("email", by_mail["email"])
    assert core.keyring.open_token(UNSUBSCRIBE, token) == digest.encode()


def test_a_task_that_an_earlier_release_queued_is_carried_out(
    recording: dict[str, Any], upgraded: System
) -> None:
    """It lies in the broker when the new worker starts; no beat runs that could queue another."""
    (partition,) = json.loads(recording["task_arguments"])
    with upgraded.broker() as broker:
        broker.lpush("drain", json.dumps(recording["task"]))
    upgraded.start("worker")
    due = upgraded.core.dispatch_store.peek([partition])[0]
    assert due.held, "something in that partition waits to be looked at"
    eventually(
        lambda: not upgraded.core.client.zscore(f"{{p{partition}}}:held", waiting(recording)),
        "the task of the earlier release is carried out",
    )


def waiting(recording: dict[str, Any]) -> str:
    """A subscription that a dead worker of the earlier release had claimed."""
    return f"{recording['patients']['claimed']['patient']}.{NIGHTLY}"
