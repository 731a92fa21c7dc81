"""Texting as a patient: the provider's own answers, then our webhook."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from service.carriers.sandbox.texts import INBOUND, REPLY, Text, new_sid
from service.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.carriers.sandbox.callbacks import Callbacks
    from service.carriers.sandbox.texts import TextLog

STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START = frozenset({"START", "YES", "UNSTOP"})
HELP = frozenset({"HELP", "INFO"})
"""Twilio's default keywords; only a text that is nothing else counts, in any case."""
_REPLIES = {
    STOP: "You have successfully been unsubscribed. You will not receive any more messages from "
    "this number. Reply START to resubscribe.",
    START: "You have successfully been re-subscribed to messages from this number. Reply HELP for "
    "help. Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
    HELP: "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


HTTP_OK = 200


def twiml_messages(body: str) -> list[str]:
    """The texts that a webhook's TwiML answer asks to be sent; none where it is not TwiML."""
    try:
        root = ET.fromstring(body)  # noqa: S314 - our own service's answer, on loopback
    except ET.ParseError:
        return []
    return ["".join(message.itertext()).strip() for message in root.findall("Message")]


class Handset:
    """The patients' phones.

    Args:
        texts: where texts are kept.
        callbacks: how inbound texts get to us.
        inbound_url: our webhook for them; None drops them after they are listed.
        number: where a patient writes to who has had no text yet.
        keywords: whether the provider answers STOP, START and HELP itself and blocks (Twilio's
            default), or leaves all to us.
        business_ms: business time, ms UTC.
    """

    def __init__(
        self,
        texts: TextLog,
        callbacks: Callbacks,
        *,
        inbound_url: str | None,
        number: str,
        keywords: bool,
        business_ms: Callable[[], int],
    ) -> None:
        self._texts = texts
        self._callbacks = callbacks
        self.inbound_url = inbound_url
        self._number = number
        self._keywords = keywords
        self._business_ms = business_ms
        self._clock = SystemClock()

    def text(self, phone: str, body: str) -> Text:
        """Text ``body`` from a patient's phone to whoever last texted it."""
        ours = [text.sender for text in self._texts.of_phone(phone) if text.direction != INBOUND]
        received = self._keep(INBOUND, phone, ours[-1] if ours else self._number, body)
        if self._keywords:
            self._answer(received)
        self._callbacks.soon(self.announce(received))
        return received

    def _answer(self, received: Text) -> None:
        word = received.body.strip().upper()
        for words, reply in _REPLIES.items():
            if word not in words:
                continue
            if words is not HELP:
                if self._texts.opted_out(received.sender) == (words is STOP):
                    return  # already so: the provider stays silent
                self._texts.opt(received.sender, out=words is STOP)
            self._keep(REPLY, received.to, received.sender, reply)

    def _keep(self, direction: str, sender: str, to: str, body: str, to_sid: str = "") -> Text:
        text = Text(
            sid=new_sid(),
            direction=direction,
            sender=sender,
            to=to,
            written=body,
            body=body,
            created_ms=self._clock.now_ms(),
            shown_ms=self._business_ms(),
            status="received" if direction == INBOUND else "delivered",
            fields={"Answers": to_sid} if to_sid else {},
        )
        self._texts.add(text)
        return text

    async def announce(self, text: Text) -> None:
        """Post an inbound text to our webhook, as Twilio does."""
        if self.inbound_url is None:
            return
        fields = {
            "AccountSid": self._callbacks.account_sid,
            "ApiVersion": "2010-04-01",
            "Body": text.body,
            "From": text.sender,
            "MessageSid": text.sid,
            "NumMedia": "0",
            "NumSegments": str(text.segments),
            "SmsMessageSid": text.sid,
            "SmsSid": text.sid,
            "SmsStatus": "received",
            "To": text.to,
        }
        answer = await self._callbacks.ask(self.inbound_url, fields)
        if answer is not None and answer.status == HTTP_OK:
            for reply in twiml_messages(answer.body):
                self._keep(REPLY, text.to, text.sender, reply, to_sid=text.sid)
