"""Sessions of staff: who has signed in, until when, and where from to end them."""

from __future__ import annotations

from dataclasses import dataclass

from service.accounts.members import Member
from service.store.accounts import AccountStore, Change
from service.store.keyring import Index
from service.store.sessions import SessionStore, StoredSession, digest_of


@dataclass(frozen=True, slots=True)
class Session:
    """One that goes on.

    Attributes:
        member: as they are now, not as they were when they signed in.
        csrf: a secret of this session for its forms; nothing in the store tells it.
        started_ms: machine ms UTC; ``seen_ms`` likewise, to the minute.
        id: names it, for the list of one's sessions; opens nothing.
        browser: its name, empty where it is not known.
    """

    member: Member
    csrf: str
    started_ms: int
    seen_ms: int
    id: str
    browser: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A session in the list of one's own.

    Attributes:
        id: to end it by.
        started_ms: machine ms UTC; ``seen_ms`` likewise, to the minute.
        browser: its name, empty where it is not known.
    """

    id: str
    started_ms: int
    seen_ms: int
    browser: str


class Sessions:
    """Starts, finds and ends them; the store knows each by its token's digest only."""

    def __init__(self, store: SessionStore, accounts: AccountStore, index: Index) -> None:
        self._store = store
        self._accounts = accounts
        self._index = index

    def start(self, member: str, browser: str = "", *, ended: int | None = None) -> str:
        """Start a session for a member (their id); its token, for a cookie and nothing else.

        Args:
            member: id.
            browser: its name.
            ended: how often their sessions had been ended when they proved who they are: ended
                once more since, this one is over before it begins. None: they proved it just now.

        Raises:
            NotFound: there is no such member.
            StoreUnavailable: none was started.
        """
        known = self._accounts.load(member).ended if ended is None else ended
        return self._store.start(member, ended=known, browser=browser)

    def find(self, token: str) -> Session | None:
        """The session of a token, which is noted as used; None where there is none any more.

        It is over 30 minutes after it was used last, 12 hours after it was started, when it was
        ended or its member was disabled, whichever comes first.

        Raises:
            StoreUnavailable: the store does not answer; let nobody in.
        """
        stored = self._store.find(token) if token else None
        if stored is None:
            return None
        account = self._accounts.find(stored.member)
        if account is None or account.member.standing != "active" or account.ended != stored.ended:
            return None
        return Session(
            account.member,
            csrf=self._index.digest("csrf", token),
            started_ms=stored.started_ms,
            seen_ms=stored.seen_ms,
            id=stored.digest,
            browser=stored.browser,
        )

    def end(self, token: str) -> None:
        """End the session of a token, durably.

        Raises:
            StoreUnavailable: it may go on; ask again.
        """
        stored = self._store.find(token)
        if stored is not None and self._store.end(stored.member, stored.digest):
            self._note(stored)

    def end_one(self, member: str, identifier: str) -> bool:
        """End one of a member's own sessions by its id; False where they have no such session."""
        for stored in self._store.of(member):
            if stored.digest == identifier:
                self._store.end(member, identifier)
                self._note(stored)
                return True
        return False

    def end_all(self, member: str, *, source: str = "") -> None:
        """End every session of a member, durably, on whatever machine it is used.

        Args:
            member: id.
            source: who ends them, for the audit; the member themselves where it is empty.

        Raises:
            NotFound: there is no such member.
            StoreUnavailable: they may go on; ask again.
        """
        account = self._accounts.load(member)
        by = source or account.member.source
        self._accounts.change(member, Change(what="sessions_ended", by=by, ends_sessions=True))

    def of(self, member: str) -> list[Listed]:
        """A member's sessions that go on, newest first."""
        ended = self._accounts.load(member).ended
        return [
            Listed(each.digest, each.started_ms, each.seen_ms, each.browser)
            for each in self._store.of(member)
            if each.ended == ended
        ]

    def id_of(self, token: str) -> str:
        """The id of a token's session."""
        return digest_of(token)

    def _note(self, stored: StoredSession) -> None:
        by = self._accounts.load(stored.member).member.source
        self._accounts.note("signed_out", on=stored.member, by=by)
