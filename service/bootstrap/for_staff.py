"""The use cases of clinic staff, built lazily on an open store."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from service.authoring.library import Library
from service.authoring.migrating import SeriesMigrations
from service.bootstrap.for_accounts import ForAccounts
from service.enrolment.bulk.course import Course
from service.enrolment.bulk.first import FirstMessages
from service.enrolment.bulk.imports import Imports
from service.reporting.audit import AuditLog, AuditParts
from service.reporting.insight.insight import Insight
from service.reporting.insight.recounting import Recounting
from service.reporting.insight.sizes import Sizes
from service.reporting.insight.zones import zones_of
from service.staff.addresses import Addresses
from service.staff.enrolling import Enrolling
from service.staff.finding import Finding
from service.staff.listing import Listing
from service.staff.moving import Moving
from service.staff.one_message import OneMessage
from service.staff.restarting import Restarting
from service.staff.timeline import Timeline
from service.store.address_changes import AddressChanges
from service.store.counts import ClinicNumbers, Counts
from service.store.imports import ImportStore
from service.store.keys import system_random
from service.store.migrations import Migrations
from service.store.moving import SeriesMoves
from service.store.trail import Trail

if TYPE_CHECKING:
    from messages.render import Renderer
    from service.dispatch.compose import Composer
    from service.enrolment.enrol import Enrolment


class ForStaff(ForAccounts):
    """What the console and the commands of staff do beyond one patient's details."""

    if TYPE_CHECKING:  # which the core has

        @property
        def composer(self) -> Composer:
            """Renders deliveries."""

        @property
        def renderer(self) -> Renderer:
            """Renders the library's messages."""

        @property
        def enrolment(self) -> Enrolment:
            """Enrols patients."""

    @cached_property
    def insight(self) -> Insight:
        """What was counted, as figures."""
        sizes = Sizes(self.catalog, self.renderer)
        return Insight(self.counts, self.clinics, sizes, self.business)

    @cached_property
    def counts(self) -> Counts:
        """Adds up what was counted for insight, and reads it."""
        numbers = ClinicNumbers(self.client)
        zone_of = zones_of(self.clinics)
        return Counts(self.client, self.scripts, self.partitions, numbers, zone_of)

    @cached_property
    def finding(self) -> Finding:
        """Finds patients."""
        return Finding(self.patients, self.suppressions, self.clinics)

    @cached_property
    def moving(self) -> Moving:
        """Has series begin on another day."""
        return Moving(self.patients, self.changes, self.business)

    @cached_property
    def restarting(self) -> Restarting:
        """Undoes stops of single series."""
        return Restarting(self.patients, self.changes)

    @cached_property
    def corrected_addresses(self) -> Addresses:
        """Corrects phones and mailboxes."""
        changes = AddressChanges(
            self.scripts, self.keyring, self.suppressions, self.business, self.machine
        )
        return Addresses(self.patients, changes, self.clinics, self.business)

    @cached_property
    def one_message(self) -> OneMessage:
        """Sends one message by hand."""
        return OneMessage(
            self.patients,
            self.changes,
            self.responses,
            self.composer,
            self.renderer,
            self.catalog,
            self.business,
        )

    @cached_property
    def enrolling(self) -> Enrolling:
        """Enrols, and shows beforehand what would come."""
        return Enrolling(
            self.enrolment,
            self.patients,
            self.suppressions,
            self.composer,
            self.renderer,
            self.business,
        )

    @cached_property
    def timeline(self) -> Timeline:
        """Tells what happened to patients."""
        return Timeline(self.patients, self.explain, self.business)

    @cached_property
    def recounting(self) -> Recounting:
        """Counts whoever was there before there were counts."""
        numbers = ClinicNumbers(self.client)
        return Recounting(self.client, self.scripts, self.patients, numbers)

    @cached_property
    def listing(self) -> Listing:
        """Enters in the directory whoever was there before it."""
        return Listing(self.client, self.patients)

    @cached_property
    def library(self) -> Library:
        """Shows the messages."""
        return Library(self.catalog, self.renderer)

    @cached_property
    def audit_log(self) -> AuditLog:
        """Tells who saw or changed what."""
        trail = Trail(self.client, self.partitions, self.business, self.machine)
        parts = AuditParts(self.patients, self.suppressions, self.tasks, self.accounts.find)
        return AuditLog(trail, parts)

    @cached_property
    def series_migrations(self) -> SeriesMigrations:
        """Moves patients to other versions of their series."""
        return SeriesMigrations(
            SeriesMoves(self.client, self.scripts, self.business),
            Migrations(self.client, self.machine, system_random),
            self.patients,
            self.business,
            self.machine,
        )

    @cached_property
    def first_messages(self) -> FirstMessages:
        """Shows what the patients of a file would get first."""
        return FirstMessages(self.composer, self.renderer)

    @cached_property
    def imports(self) -> Imports:
        """Enrols the patients of a file."""
        parts = (self.client, self.scripts, self.keyring, self.index, system_random)
        store = ImportStore(*parts, self.machine, self.business)
        course = Course(self.enrolment, self.clinics, self.catalog)
        most = self.settings.import_rows
        return Imports(store, course, self.patients, self.clinics, self.catalog, most)
