"""The use cases of clinic staff, built lazily on an open store."""

from __future__ import annotations

from functools import cached_property

from service.accounts.accounts import Accounts
from service.accounts.passwords import Passwords
from service.accounts.sessions import Sessions
from service.bootstrap.for_patients import ForPatients
from service.staff.finding import Finding
from service.staff.listing import Listing
from service.store.accounts import AccountStore
from service.store.keys import system_random
from service.store.sessions import SessionStore


class ForStaff(ForPatients):
    """What the console and the commands of staff do beyond one patient's details."""

    @cached_property
    def passwords(self) -> Passwords:
        """Hashes passwords of staff."""
        return Passwords()

    @cached_property
    def _account_store(self) -> AccountStore:
        parts = (self.client, self.scripts, self.keyring, self.index, self.business)
        return AccountStore(*parts, system_random)

    @cached_property
    def accounts(self) -> Accounts:
        """Who is a member of staff, and what they may."""
        return Accounts(self._account_store, self.passwords, self.clinics)

    @cached_property
    def sessions(self) -> Sessions:
        """Who has signed in."""
        store = SessionStore(self.client, self.scripts, self.machine, system_random)
        return Sessions(store, self._account_store, self.index)

    @cached_property
    def finding(self) -> Finding:
        """Finds patients."""
        return Finding(self.patients, self.suppressions, self.clinics)

    @cached_property
    def listing(self) -> Listing:
        """Enters in the directory whoever was there before it."""
        return Listing(self.client, self.patients)
