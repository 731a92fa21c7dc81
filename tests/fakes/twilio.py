"""The sandbox's Twilio with what a test wants of it: a list that lags or is away, receipts that
come late, twice, backwards or never, a clock of its own, and a log that tells what happened when.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from service.carriers.sandbox.callbacks import Answer, Callbacks
from service.carriers.sandbox.texts import Text, TextLog
from service.carriers.sandbox.twilio_api import TwilioApi
from service.clock import SystemClock

Script = dict[str, Any]


def take(scripts: list[Script], on: str, to: str | None) -> Script | None:
    """The first script that fits, one time less; None where none does."""
    for script in scripts:
        if script.get("on", "create") == on and script.get("to", to) == to:
            script["times"] = script.get("times", 1) - 1
            if script["times"] <= 0:
                scripts.remove(script)
            return script
    return None


def attempt_of(form: Mapping[str, Any]) -> str:
    """The attempt that a request to create a message belongs to, empty where it tells none."""
    url = str(form.get("StatusCallback") or "")
    return parse_qs(urlsplit(url).query).get("a", [""])[0]


class ShiftedClock(SystemClock):
    """The machine's clock, moved."""

    ahead_ms: int = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


class TimedLog(TextLog):
    """Each line tells the machine's time (``at``, ms UTC); more kinds of lines than texts'."""

    def note(self, event: Mapping[str, Any]) -> None:
        self._note(event)

    def _note(self, event: Mapping[str, Any]) -> None:
        super()._note({**event, "at": time.time_ns() // 1_000_000})

    def note_fault(self, script: Script, form: Mapping[str, Any]) -> None:
        """Which request a script hit."""
        self.note(
            {
                "event": "fault",
                "fault": script["fault"],
                "on": script.get("on", "create"),
                "to": str(form.get("To", "")),
                "attempt": attempt_of(form),
            }
        )


class LoggedCallbacks(Callbacks):
    """Leaves word of what our webhook answered to a patient's text."""

    log: TimedLog

    async def ask(self, url: str, fields: dict[str, str]) -> Answer | None:
        answer = await super().ask(url, fields)
        if fields.get("SmsStatus") == "received":
            status = answer.status if answer else None
            event = {"event": "webhook", "sid": fields["MessageSid"], "phone": fields["From"]}
            self.log.note({**event, "status": status})
        return answer


class LaggingApi(TwilioApi):
    """Its list may hide the newest messages, as one that lags behind does, or be away.

    Attributes:
        hidden: how many of the newest are not listed.
        list_down: whether to answer 500 to whoever asks for the list.
        scripts: those with ``on: "receipts"`` change the receipts of one message each.
    """

    hidden: int = 0
    list_down: bool = False
    scripts: list[Script]
    wall: ShiftedClock

    def listed(self, to: str | None) -> Iterable[Text]:
        return list(super().listed(to))[self.hidden :]

    async def index(self, request: web.Request) -> web.StreamResponse:
        if self.list_down:
            return web.Response(status=500, text="<html>no</html>")
        return await super().index(request)

    async def _deliver(self, text: Text) -> None:
        script = take(self.scripts, "receipts", text.to) if self.receipts else None
        if script is None:
            await super()._deliver(text)
            return
        log = self.texts
        assert isinstance(log, TimedLog)
        log.note_fault(script, text.fields)
        await _RECEIPTS[script["fault"]](self, text, script)

    async def _post(self, text: Text, *statuses: str) -> None:
        for status in statuses:
            await self.receipt(text, status)


async def _lost(_api: LaggingApi, _text: Text, _script: Script) -> None:
    pass


async def _late(api: LaggingApi, text: Text, script: Script) -> None:
    await asyncio.sleep(script["seconds"])
    await api._post(text, "sent", "delivered")


async def _twice(api: LaggingApi, text: Text, _script: Script) -> None:
    await api._post(text, "sent", "sent", "delivered", "delivered")


async def _backwards(api: LaggingApi, text: Text, _script: Script) -> None:
    await api._post(text, "delivered", "sent")


_RECEIPTS: Mapping[str, Callable[[LaggingApi, Text, Script], Any]] = {
    "lost": _lost,
    "late": _late,
    "twice": _twice,
    "backwards": _backwards,
}
