"""Alert staff of what waits for them: by e-mail, by text, by a signed webhook; until it is taken.

Nothing of a patient stands in an alert: it names the task, and who may read it looks there.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Final

import aiohttp
import structlog

from service.clinics import Clinic
from service.clock import MachineClock
from service.store.records import Channel
from service.store.responses import Response, Responses
from service.store.tasks import Task, TaskKind, Tasks

log = structlog.get_logger(__name__)

BATCH: Final = 32
MESSAGE: Final = "staff-alert"
LANGUAGE: Final = "en"
WEBHOOK_TOTAL_S: Final = 5.0
TURN_S: Final = 15.0
"""An alert that was cut off in the middle is sent again after this."""
ONCE_S: Final = 86_400.0
"""What is told of once may wait so long for a carrier that is away."""
_UNTIL_TAKEN: Final = frozenset({TaskKind.URGENT})


class Alerting:
    """Sends the alerts of a partition's tasks. One instance is for one thread and its event loop.

    Args:
        again_s: machine seconds after which an urgent task that nobody took is told of again.
    """

    def __init__(
        self,
        tasks: Tasks,
        responses: Responses,
        clinics: Mapping[str, Clinic],
        machine: MachineClock,
        *,
        again_s: float,
    ) -> None:
        self._tasks = tasks
        self._responses = responses
        self._clinics = clinics
        self._machine = machine
        self._again_s = again_s

    async def run(self, partition: int) -> int:
        """Send the alerts that are due; how many tasks they were about.

        Raises:
            StoreUnavailable: they are sent later.
        """
        due = self._tasks.to_alert(partition, BATCH)
        await asyncio.gather(*(self._one(task) for task in due))
        return len(due)

    async def _one(self, task: Task) -> None:
        # Before anything: no other worker alerts of it while the webhook takes its time.
        await asyncio.to_thread(self._tasks.alerting, task, TURN_S)
        clinic = self._clinics.get(task.clinic)
        told = 0
        if clinic is not None:
            told = await asyncio.to_thread(self._queue, task, clinic)
            told += await self._call(task, clinic)
        if not told:
            log.error("alert_reaches_nobody", task=task.id, kind=task.kind, clinic=task.clinic)
        once = told and task.kind not in _UNTIL_TAKEN
        again_s = None if once else self._again_s
        await asyncio.to_thread(self._tasks.alerted, task, again_s)
        log.warning("staff_alerted", task=task.id, kind=task.kind, before=task.alerts, ways=told)

    def _queue(self, task: Task, clinic: Clinic) -> int:
        """Queue one for each address; they are the same ones, should this be cut off behind it."""
        ways: list[tuple[Channel, str]] = [
            *(("email", address) for address in clinic.alert_emails),
            *(("sms", phone) for phone in clinic.alert_phones),
        ]
        for channel, to in ways:
            self._responses.queue(
                Response(
                    channel=channel,
                    to=to,
                    clinic=clinic.id,
                    message=MESSAGE,
                    language=LANGUAGE,
                    once=f"alert:{task.id}:{task.alerts}:{to}",
                    values={"task": task.id},
                    alert=True,
                    expires_s=self._again_s if task.kind in _UNTIL_TAKEN else ONCE_S,
                )
            )
        return len(ways)

    async def _call(self, task: Task, clinic: Clinic) -> int:
        """Post to the clinic's webhook, if it has one; 1 where it took the alert."""
        if clinic.alert_webhook is None:
            return 0
        now_s = self._machine.now_ms() // 1000
        body = _payload(task)
        name = f"{task.id}.{task.alerts}"
        headers = {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(now_s),
            "webhook-signature": signature(clinic.alert_secret or "", name, now_s, body),
        }
        timeout = aiohttp.ClientTimeout(total=WEBHOOK_TOTAL_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
                session.post(
                    clinic.alert_webhook, data=body, headers=headers, allow_redirects=False
                ) as answer,
            ):
                if answer.ok:
                    return 1
                log.error("alert_webhook_refused", task=task.id, status=answer.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.error("alert_webhook_failed", task=task.id, fault=type(error).__name__)
        return 0


def _payload(task: Task) -> bytes:
    told = {
        "type": "task.waiting",
        "task": task.id,
        "kind": task.kind.value,
        "clinic": task.clinic,
        "opened_ms": task.opened_ms,
        "alerts": task.alerts + 1,
    }
    return json.dumps(told, separators=(",", ":")).encode()


def signature(secret: str, name: str, at_s: int, body: bytes) -> str:
    """The signature of a webhook by the Standard Webhooks scheme (https://www.standardwebhooks.com).

    Args:
        secret: the clinic's; its UTF-8 bytes are the key.
        name: the message's id.
        at_s: Unix seconds.
        body: exactly what is posted.
    """
    signed = f"{name}.{at_s}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
