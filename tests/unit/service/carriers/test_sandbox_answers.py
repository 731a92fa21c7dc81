"""What the sandbox's phones make of our webhook's answers."""

from __future__ import annotations

import pytest
from twilio.twiml.messaging_response import MessagingResponse

from service.carriers.sandbox.handset import twiml_messages


def test_each_message_of_a_twiml_answer_arrives_on_the_phone() -> None:
    answer = MessagingResponse()
    answer.message("Riverside: you are out & done.")
    answer.message("One more <thing>.")
    assert twiml_messages(str(answer)) == ["Riverside: you are out & done.", "One more <thing>."]


@pytest.mark.parametrize("body", ["", "OK", "<html><body>Not TwiML", str(MessagingResponse())])
def test_an_answer_without_messages_leaves_the_phone_silent(body: str) -> None:
    assert twiml_messages(body) == []
