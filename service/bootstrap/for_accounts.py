"""Who staff are, and how they sign in: built lazily on an open store."""

from __future__ import annotations

from functools import cached_property

from service.accounts.accounts import Accounts
from service.accounts.credentials import Credentials
from service.accounts.invitations import Invitations
from service.accounts.links import Links
from service.accounts.notices import Notices
from service.accounts.own import OwnAccount
from service.accounts.passwords import Passwords
from service.accounts.second_factor import SecondFactor
from service.accounts.sessions import Sessions
from service.accounts.sign_in import SignIn
from service.bootstrap.for_patients import ForPatients
from service.store.accounts import AccountStore
from service.store.keys import system_random
from service.store.sessions import SessionStore


class ForAccounts(ForPatients):
    """The use cases of accounts."""

    @cached_property
    def passwords(self) -> Passwords:
        """Hashes passwords of staff."""
        return Passwords()

    @cached_property
    def _account_store(self) -> AccountStore:
        parts = (self.client, self.scripts, self.keyring, self.index, self.business)
        return AccountStore(*parts, system_random)

    @cached_property
    def _session_store(self) -> SessionStore:
        return SessionStore(self.client, self.scripts, self.machine, system_random)

    @cached_property
    def credentials(self) -> Credentials:
        """Sets and checks passwords of staff."""
        return Credentials(self._account_store, self.passwords)

    @cached_property
    def second_factor(self) -> SecondFactor:
        """Sets up and checks the second factors of staff."""
        parts = (self._account_store, self.keyring, self.index, self.machine)
        return SecondFactor(*parts, system_random, self.notices)

    @cached_property
    def notices(self) -> Notices:
        """Writes to members of staff about their accounts."""
        return Notices(
            self.responses,
            self.clinics,
            system_random,
            base=self.settings.public_base,
            mails=self.settings.smtp_url is not None,
        )

    @cached_property
    def accounts(self) -> Accounts:
        """Who is a member of staff, and what they may."""
        return Accounts(self._account_store, self.credentials, self.clinics)

    @cached_property
    def invitations(self) -> Invitations:
        """Invites members, and lets them choose a password by a link."""
        return Invitations(
            self.accounts,
            self._account_store,
            self.credentials,
            Links(self._account_store, self.machine, system_random),
            self.notices,
            self.limits,
        )

    @cached_property
    def sessions(self) -> Sessions:
        """Who has signed in."""
        return Sessions(self._session_store, self._account_store, self.index)

    @cached_property
    def own_account(self) -> OwnAccount:
        """What members change of their own accounts."""
        parts = (self.sign_in, self.credentials, self.second_factor, self.sessions, self.notices)
        return OwnAccount(*parts)

    @cached_property
    def sign_in(self) -> SignIn:
        """Lets members in. Without real patients a second factor may be put off."""
        return SignIn(
            self._account_store,
            self._session_store,
            self.sessions,
            self.credentials,
            self.second_factor,
            self.limits,
            self.keyring,
            self.notices,
            required=not self.settings.carriers_on_loopback,
        )
