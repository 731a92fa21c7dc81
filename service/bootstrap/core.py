"""What every process is built on: the open store, and the use cases that need no carrier."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from messages.render import Renderer
from service.bootstrap.for_staff import ForStaff
from service.bootstrap.inbox import InboxCases, inbox_cases
from service.bootstrap.joining import JoiningCases, joining_cases
from service.clinics import SAMPLE_CLINIC, Clinic, load_clinics
from service.dispatch.compose import Composer
from service.dispatch.dead_letters import DeadLetters
from service.dispatch.receipts import Receipts
from service.dispatch.return_paths import ReturnPaths
from service.dispatch.senders import Senders
from service.dispatch.stops import Stops
from service.dispatch.tick import Ticker
from service.enrolment.enrol import Enrolment
from service.errors import ConfigurationError
from service.inbox.receive import Inbox
from service.keys.rotation import Rotation
from service.mail.addresses import parse_return_address
from service.reporting.backlog import Backlogs
from service.reporting.senders import SenderList
from service.reporting.status import Statuses
from service.reporting.today import Today
from service.settings import Settings
from service.store.dead_letters import DeadLetterStore
from service.store.embedded import broker_url, embedded
from service.store.records import Channel, Patient
from service.store.sealed import SealedValues

if TYPE_CHECKING:
    from service.carriers.twilio_webhooks import TwilioSignatures


@dataclass(frozen=True, slots=True)
class StoreUrls:
    """Where the state and the broker are.

    Attributes:
        store: URL for redis-py.
        broker: URL for Celery.
    """

    store: str
    broker: str


@contextmanager
def store_urls(settings: Settings, *, hold: bool) -> Iterator[StoreUrls]:
    """The configured servers, or the embedded one for as long as the context lasts.

    Args:
        settings: read once at start.
        hold: whether this is a long-lived process that keeps the embedded server running.
    """
    if settings.redis_url:
        yield StoreUrls(settings.redis_url, settings.broker_url or broker_url(settings.redis_url))
        return
    with embedded(settings.data_dir, hold=hold) as url:
        yield StoreUrls(url, settings.broker_url or broker_url(url))


class Core(ForStaff):
    """The use cases that need no carrier, built lazily on an open store."""

    def __init__(self, settings: Settings, url: str) -> None:
        super().__init__(settings, url)
        self.clinics: Mapping[str, Clinic] = clinics_of(settings)
        self.senders = Senders(settings, self.clinics)

    @cached_property
    def rotation(self) -> Rotation:
        """Changes the keys."""
        values = SealedValues(self.client, self.scripts, self.keyring)
        return Rotation(self.client, self.keyring, values, self.machine, time.sleep)

    @cached_property
    def stops(self) -> Stops:
        """Stops and resumes senders."""
        return Stops(self.stores.rates, self.settings.filtered_percent)

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """Deliveries that staff should look at."""
        store = DeadLetterStore(self.scripts, self.partitions, self.business)
        return DeadLetters(store, self.patients, self.business)

    @property
    def backlogs(self) -> Backlogs:
        """What would happen to all that is overdue."""
        return Backlogs(self.dispatch_store, self.patients, self.business, self.partitions)

    @property
    def statuses(self) -> Statuses:
        """How sending stands."""
        return Statuses(
            self.client,
            self.dispatch_store,
            self.dead_letters,
            self.sender_list,
            self.business,
            self.machine,
            self.partitions,
        )

    @property
    def today(self) -> Today:
        """What goes out today, and whether anything does."""
        return Today(
            self.client,
            self.dispatch_store,
            self.sender_list,
            self.clinics,
            self.business,
            self.machine,
            self.partitions,
        )

    @property
    def sender_list(self) -> SenderList:
        """The senders of the channels that are set up."""
        settings = self.settings
        texts: tuple[Channel, ...] = ("sms",) if settings.twilio_account_sid else ()
        mails: tuple[Channel, ...] = ("email",) if settings.smtp_url else ()
        return SenderList(self.stores.rates, self.senders, self.clinics, (*texts, *mails))

    @cached_property
    def receipts(self) -> Receipts:
        """Applies providers' receipts."""
        return Receipts(self.stores, self.stops, self._sender_of, self.business)

    def _sender_of(self, patient: Patient, channel: Channel) -> str:
        clinic = self.clinics.get(patient.clinic)
        if clinic is None:
            raise ConfigurationError(f"The clinic {patient.clinic} is not in the clinics file.")
        return self.senders.of(clinic, channel).address

    @cached_property
    def renderer(self) -> Renderer:
        """Renders the library's messages."""
        return Renderer(self.catalog)

    @cached_property
    def composer(self) -> Composer:
        """Renders deliveries."""
        return Composer(
            self.renderer,
            self.clinics,
            self.senders,
            self.keyring,
            self.index,
            self.settings.public_base,
            receipts=self.settings.public_url is not None,
            return_paths=self.return_paths,
        )

    @cached_property
    def return_paths(self) -> ReturnPaths | None:
        """Addresses by which mail comes back; None where no return address is set."""
        address = self.settings.return_address
        return ReturnPaths(parse_return_address(address), self.index) if address else None

    @cached_property
    def enrolment(self) -> Enrolment:
        """Enrols patients."""
        return Enrolment(
            self.patients, self.suppressions, self.catalog, self.clinics, self.business
        )

    @cached_property
    def joining(self) -> JoiningCases:
        """Lets patients join by themselves."""
        return joining_cases(self)

    @cached_property
    def inbox_cases(self) -> InboxCases:
        """What is done with messages from patients."""
        return inbox_cases(self)

    @property
    def inbox(self) -> Inbox:
        """Follows and answers what patients text us."""
        return self.inbox_cases.inbox

    @property
    def text_senders(self) -> frozenset[str]:
        """Every sender of texts, for ``inbox.catch_up``; empty where no text can be sent."""
        if not self.settings.twilio_account_sid:
            return frozenset()
        return frozenset(self.senders.of(c, "sms").address for c in self.clinics.values())

    @cached_property
    def twilio_signatures(self) -> TwilioSignatures | None:
        """Tells Twilio's webhooks from others; None without a token: no webhook is genuine then."""
        from service.carriers.twilio_webhooks import TwilioSignatures  # noqa: PLC0415 - the SDK

        token = self.settings.twilio_auth_token
        if token is None:
            return None
        return TwilioSignatures(token.get_secret_value(), self.settings.public_base)

    def ticker(self, queue_drain: Callable[[int], None]) -> Ticker:
        """A beat's tick, queueing drains by the given function."""
        return Ticker(
            self.client,
            self.dispatch_store,
            self.partitions,
            self.business,
            self.machine,
            queue_drain,
            name=f"{socket.gethostname()}:{os.getpid()}",
            factor=self.settings.clock_setting.factor,
        )

    def close(self) -> None:
        """Close connections to the store."""
        self.client.close()


@contextmanager
def open_core(settings: Settings, *, hold: bool = False) -> Iterator[Core]:
    """Everything but the carriers, on an open store.

    Raises:
        ConfigurationError: a setting or server is not fit; says what to change.
        StoreUnavailable: the store does not answer.
    """
    with store_urls(settings, hold=hold) as urls:
        core = Core(settings, urls.store)
        try:
            yield core
        finally:
            core.close()


def clinics_of(settings: Settings) -> dict[str, Clinic]:
    """The clinics file, or the made-up clinic where every carrier is on loopback.

    Raises:
        ConfigurationError: a real carrier is configured and no clinics file is.
    """
    if settings.clinics is not None:
        return load_clinics(settings.clinics)
    if not settings.carriers_on_loopback:
        raise ConfigurationError(
            "Real carriers need a real clinic: set AFTERVISIT_CLINICS to a TOML file with the "
            "clinic's name, phone and postal address (see docs/how-to/clinics-file.md)."
        )
    return {SAMPLE_CLINIC.id: SAMPLE_CLINIC}
