"""The use cases of clinic staff, built lazily on an open store."""

from __future__ import annotations

from functools import cached_property

from service.authoring.migrating import SeriesMigrations
from service.bootstrap.for_accounts import ForAccounts
from service.staff.finding import Finding
from service.staff.listing import Listing
from service.store.keys import system_random
from service.store.migrations import Migrations
from service.store.moving import SeriesMoves


class ForStaff(ForAccounts):
    """What the console and the commands of staff do beyond one patient's details."""

    @cached_property
    def finding(self) -> Finding:
        """Finds patients."""
        return Finding(self.patients, self.suppressions, self.clinics)

    @cached_property
    def listing(self) -> Listing:
        """Enters in the directory whoever was there before it."""
        return Listing(self.client, self.patients)

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
