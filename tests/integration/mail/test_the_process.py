"""The listener as a process, beside a worker whose e-mails leave under its return paths."""

from __future__ import annotations

import signal
from email import message_from_string, policy
from pathlib import Path
from typing import Any

import pytest

from schedules.delivery import State
from service.errors import ConfigurationError
from service.mail.addresses import ListenAt
from service.mail.run import run_mail
from tests.support.letters import letter
from tests.support.listener import client_of, hand_over
from tests.support.polling import until
from tests.support.servers import free_port, valkey_server
from tests.support.system import System, running_system
from tests.support.web import web_settings


def listens(at: ListenAt) -> bool:
    try:
        with client_of(at):
            return True
    except OSError:
        return False


def states(system: System, patient: str) -> set[str]:
    """In which states a patient's e-mails ended."""
    history = system.core.patients.history(patient)
    return {State.from_code(one.state).value for one in history if one.channel == "email"}


def mails(system: System, people: int) -> dict[str, dict[str, Any]]:
    """The latest mail to each, by mailbox; nothing until so many people have got one."""
    sent = {one["to"][0]: one for one in system.mail.accepted()}
    return sent if len(sent) >= people else {}


def test_a_bounce_of_a_mail_that_a_worker_sent_ends_e_mail_to_that_patient(tmp_path: Path) -> None:
    at = ListenAt("lmtp", "127.0.0.1", free_port())
    with running_system(
        tmp_path,
        processes=("worker", "beat", "mail"),
        RETURN_ADDRESS="bounces@mail.clinic.example",
        MAIL_LISTEN=f"lmtp://{at.host}:{at.port}",
    ) as system:
        ana, ben = system.enrol(0, sms_consent="", phone=""), system.enrol(1)
        until(lambda: listens(at), "the listener takes mail", limit_s=30)
        sent = until(lambda: mails(system, 2), "both get mail", limit_s=60)
        to = sent["patient0@example.org"]["sender"]
        with client_of(at) as client:
            bounce = letter("bounce--bounce-5.1.1--gmail", path=to)
            assert hand_over(client, "", to, bounce) == 250
            assert hand_over(client, "", to.replace("+", "+0"), bounce) == 550
        headers = message_from_string(
            sent["patient1@example.org"]["content"], policy=policy.default
        )
        leave = headers["List-Unsubscribe"].split("mailto:")[1].partition("?")[0]
        with client_of(at) as client:
            left = letter("leave--leave--gmail-button", path=leave)
            assert hand_over(client, "ben@example.org", leave, left) == 250
        until(lambda: "undelivered" in states(system, ana.patient), "the bounce is recorded")
        for patient, reason in ((ana.patient, "invalid"), (ben.patient, "one_click")):
            copy = system.core.patients.load(patient).suppression("email")
            assert copy is not None
            assert (copy.on, copy.reason) == (True, reason)
        process = system.processes[-1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        told = system.log("mail")
    assert '"event": "mail_followed"' in told
    assert "Traceback" not in told
    assert "example.org" not in told
    assert to.partition("@")[0] not in told


def test_without_its_settings_it_says_which_are_missing(tmp_path: Path) -> None:
    with valkey_server(tmp_path / "store") as server:
        settings = web_settings(server.url, tmp_path, return_address="bounces@x.example")
        with pytest.raises(ConfigurationError, match="AFTERVISIT_MAIL_LISTEN"):
            run_mail(settings)
    with pytest.raises(ConfigurationError, match="AFTERVISIT_RETURN_ADDRESS"):
        web_settings("", tmp_path, mail_listen="lmtp://127.0.0.1:0")


def test_a_port_that_is_taken_is_told_with_the_remedy(tmp_path: Path) -> None:
    with valkey_server(tmp_path / "store", tcp=True) as server:
        listen = f"smtp://127.0.0.1:{server.port}"
        settings = web_settings(
            server.url, tmp_path, mail_listen=listen, return_address="bounces@x.example"
        )
        with pytest.raises(ConfigurationError, match="AFTERVISIT_MAIL_LISTEN"):
            run_mail(settings)
