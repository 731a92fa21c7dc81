"""What a worker process is built on: carriers, and the use cases that send."""

from __future__ import annotations

import asyncio
import random
from urllib.parse import urlsplit

import structlog

from service.bootstrap.core import Core
from service.bootstrap.texts import text_carrier
from service.carriers.base import EmailCarrier
from service.dispatch.afterwards import AfterwardsWork
from service.dispatch.alerting import Alerting
from service.dispatch.answering import Answering, ResponseWording
from service.dispatch.drain import Drain
from service.dispatch.evidence import Evidence
from service.dispatch.parts import Carriers, DrainLimits
from service.dispatch.prepare import Preparer
from service.dispatch.sending import Sending
from service.dispatch.settle import Settle
from service.errors import ConfigurationError, StoreUnavailable
from service.inbox.listening import Listening
from service.settings import Settings

log = structlog.get_logger(__name__)


class Dispatch:
    """What a worker process runs: drains and settlements with its own carriers."""

    def __init__(self, core: Core) -> None:
        settings = core.settings
        self._carriers = carriers_of(settings)
        self._drain = _drain(core, self._carriers)
        stores, business, machine = core.stores, core.business, core.machine
        texts = self._carriers.texts
        self._listening = Listening(
            core.client,
            texts,
            core.inbox,
            core.replies,
            core.suppressions,
            core.text_senders,
            machine,
        )
        evidence = Evidence(stores, texts, core.composer.body_digest)
        self._settle = Settle(stores, evidence, core.receipts, business, machine, settings.settle_s)
        self._afterwards = AfterwardsWork(stores, evidence, core.receipts, texts, machine)
        self._answering = Answering(
            core.responses,
            stores,
            core.stops,
            ResponseWording(core.renderer, core.composer),
            self._carriers,
            machine,
            lease_s=settings.lease_s,
        )
        self._alerting = Alerting(
            core.tasks, core.responses, core.clinics, machine, again_s=settings.alert_again_s
        )

    async def drain(self, partition: int) -> int:
        """Settle what was cut off, then send what is due; how many flights were concluded.

        After a gap nothing is sent before the texts that came meanwhile have been followed.

        Raises:
            StoreUnavailable: nothing is lost; the sweep finds what was not recorded.
        """
        # A clinic's webhook takes its time, and holds up nothing.
        alerts = asyncio.create_task(self._alerting.run(partition))
        try:
            concluded = await self._settle.run(partition)
            may_send = await self._listening.may_send()
            await self._answer(partition, alerts_only=not may_send)
            if may_send:
                concluded += await self._drain.run(partition)
            await self._afterwards.run(partition)
        finally:
            await asyncio.wait((alerts,))
        alerts.result()
        return concluded

    async def _answer(self, partition: int, *, alerts_only: bool) -> None:
        """Send what stands outside of any series; a fault there holds up no series."""
        try:
            await self._answering.run(partition, alerts_only=alerts_only)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, what is due goes out
            log.error("answering_failed", partition=partition, fault=type(error).__name__)

    def stop(self) -> None:
        """Have a drain under way end what it has begun, and give back the rest."""
        self._drain.stop()

    async def aclose(self) -> None:
        """Close the carriers' connections."""
        for carrier in (self._carriers.texts, self._carriers.emails):
            if carrier is not None:
                await carrier.aclose()


def _drain(core: Core, carriers: Carriers) -> Drain:
    settings, stores = core.settings, core.stores
    business, machine = core.business, core.machine
    limits = DrainLimits(
        in_flight=settings.in_flight,
        lease_s=settings.lease_s,
        retry_base_s=settings.retry_base_s,
    )
    jitter = random.Random().random  # noqa: S311 - spreads retries, guards nothing
    sending = Sending(
        stores, core.composer, carriers, business, machine, jitter, limits, core.stops
    )
    preparer = Preparer(stores.patients, core.composer, business, machine)
    return Drain(stores, preparer, sending, business, machine, limits, core.partitions)


def require_fit_to_send(settings: Settings, store_url: str) -> None:
    """Refuse a store or settings with which nothing could be sent, once, before anything starts.

    Raises:
        ConfigurationError: as `Core`; or a carrier's URL or credential is wrong, a clinic has no
            sender for a carrier that is set up, or a real carrier has no public address to be
            answered at.
    """
    core = Core(settings, store_url)
    try:
        _require_carriers(core)
    finally:
        core.close()


def _require_carriers(core: Core) -> None:
    settings = core.settings
    carriers = carriers_of(settings)
    for clinic in core.clinics.values():
        if carriers.texts is not None:
            core.senders.of(clinic, "sms")
        if carriers.emails is not None:
            core.senders.of(clinic, "email")
    public = urlsplit(settings.public_url or "")
    if not settings.carriers_on_loopback and public.scheme != "https":
        raise ConfigurationError(
            "Real patients need a way to answer and to leave: set AFTERVISIT_PUBLIC_URL to the "
            "https address that leads to the web process (RFC 8058)."
        )


def carriers_of(settings: Settings) -> Carriers:
    """The carriers that the settings name.

    Raises:
        ConfigurationError: a URL or credential is missing or wrong.
    """
    return Carriers(text_carrier(settings), _email_carrier(settings))


def _email_carrier(settings: Settings) -> EmailCarrier | None:
    if settings.smtp_url is None:
        return None
    from service.carriers.smtp_email import SmtpEmail  # noqa: PLC0415
    from service.carriers.smtp_url import parse_smtp_url  # noqa: PLC0415

    return SmtpEmail(
        parse_smtp_url(settings.smtp_url.get_secret_value()),
        connections=settings.smtp_connections,
        total_s=settings.send_timeout_s,
    )
