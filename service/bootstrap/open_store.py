"""An open store: who speaks to it, and its parts, each built on first use."""

from __future__ import annotations

from functools import cached_property

import redis

from service.clock import BusinessClock, MachineClock, SystemClock
from service.dispatch.parts import Stores
from service.settings import Settings
from service.store.check_ins import CheckIns
from service.store.connection import Durability, connect
from service.store.conversations import Conversations
from service.store.corrections import Corrections
from service.store.dispatching import DispatchStore
from service.store.installation import key_in_use, open_clock, open_installation
from service.store.keyfile import load_key_ring
from service.store.keyring import Index
from service.store.keys import system_random
from service.store.limits import Limits
from service.store.live_ring import LiveKeyRing
from service.store.patients import Patients
from service.store.rates import Rates
from service.store.replies import Replies
from service.store.responses import Responses
from service.store.scripts import Scripts
from service.store.server_check import require_fit
from service.store.suppressions import Suppressions
from service.store.tasks import Tasks
from service.store.worklist import Worklist


class OpenStore:
    """The parts of the store that use cases work on, from settings and a server's URL."""

    def __init__(self, settings: Settings, url: str) -> None:
        self.settings = settings
        self.machine: MachineClock = SystemClock()
        self.client: redis.Redis = connect(url)
        require_fit(self.client)
        ring = load_key_ring(settings)
        installation = open_installation(self.client, ring, settings.partitions)
        self.keyring: LiveKeyRing = LiveKeyRing(
            ring,
            lambda: load_key_ring(settings, create=False),
            lambda: key_in_use(self.client),
            self.machine.monotonic,
        )
        self.partitions: int = installation.partitions
        self.index: Index = installation.index
        self.business: BusinessClock = open_clock(self.client, settings.clock_setting)
        self.scripts = Scripts(self.client, Durability.of(self.client))

    @cached_property
    def suppressions(self) -> Suppressions:
        """The suppression ledger."""
        return Suppressions(self.scripts, self.index, self.partitions, self.business)

    @cached_property
    def patients(self) -> Patients:
        """Patient records."""
        return Patients(
            self.client,
            self.scripts,
            self.keyring,
            self.partitions,
            self.business,
            system_random,
            self.index,
        )

    @cached_property
    def dispatch_store(self) -> DispatchStore:
        """Flights and attempts."""
        return DispatchStore(self.scripts)

    @cached_property
    def stores(self) -> Stores:
        """What dispatch works on."""
        rates = Rates(self.client, self.scripts, self.index, self.machine)
        return Stores(self.dispatch_store, self.patients, self.suppressions, rates, self.tasks)

    @cached_property
    def check_ins(self) -> CheckIns:
        """Patients' ratings."""
        return CheckIns(self.scripts, self.keyring)

    @cached_property
    def limits(self) -> Limits:
        """How often something may be done to an address, or by a source."""
        return Limits(self.scripts, self.machine)

    @cached_property
    def replies(self) -> Replies:
        """Records of what patients text us."""
        return Replies(
            self.client,
            self.scripts,
            self.keyring,
            self.index,
            self.suppressions.keys,
            self.partitions,
            self.machine,
            self.business,
        )

    @cached_property
    def corrections(self) -> Corrections:
        """What staff say that replies mean."""
        return Corrections(
            self.scripts,
            self.keyring,
            self.replies,
            self.suppressions.keys,
            self.machine,
            self.business,
        )

    @cached_property
    def responses(self) -> Responses:
        """Messages outside of a series."""
        return Responses(
            self.scripts,
            self.keyring,
            self.index,
            self.suppressions.digest,
            self.suppressions.keys,
            self.machine,
            self.business,
        )

    @cached_property
    def conversations(self) -> Conversations:
        """What was said by and to addresses."""
        return Conversations(self.client, self.scripts, self.suppressions.keys)

    @cached_property
    def tasks(self) -> Tasks:
        """What waits for staff."""
        return Tasks(
            self.scripts,
            self.keyring,
            self.index,
            self.suppressions.keys,
            self.partitions,
            self.machine,
            self.business,
        )

    @cached_property
    def worklist(self) -> Worklist:
        """The same, a page at a time."""
        return Worklist(self.scripts, self.partitions)
