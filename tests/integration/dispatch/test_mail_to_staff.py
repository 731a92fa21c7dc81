"""E-mails to members of staff about their accounts leave as alerts to staff do."""

from __future__ import annotations

from email import message_from_string, policy
from email.message import EmailMessage

import pytest

from tests.integration.dispatch.conftest import Workers
from tests.integration.dispatch.installation import Worker

EVA = "eva@riverside.example"


@pytest.fixture
def worker(workers: Workers) -> Worker:
    return workers()


def mail_to(worker: Worker, to: str) -> EmailMessage:
    """The one e-mail that a mailbox got."""
    worker.drain()
    worker.drain()
    (content,) = [each["content"] for each in worker.mail.accepted() if each["to"] == [to]]
    found = message_from_string(content, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


@pytest.mark.parametrize("language", ["en", "es"])
def test_an_invitation_arrives_with_its_whole_link(worker: Worker, language: str) -> None:
    email = f"{language}.{EVA}"
    sent = worker.core.invitations.invite(
        email=email, name="Eva", role="staff", language=language, source="test"
    )
    mail = mail_to(worker, email)
    assert sent.link in mail.get_content()
    assert mail["List-Unsubscribe"] is None, "it is no message of a series"
    assert mail["Auto-Submitted"] == "auto-generated"


def test_who_leaves_our_messages_as_a_patient_is_written_to_as_a_member(worker: Worker) -> None:
    core = worker.core
    digest = core.suppressions.digest("email", EVA)
    core.suppressions.suppress("email", digest, reason="stop", source="test")
    sent = core.invitations.invite(email=EVA, name="Eva", role="staff", source="test")
    assert sent.link in mail_to(worker, EVA).get_content()
    assert core.conversations.of(digest) == []
