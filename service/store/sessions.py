"""Sessions of staff in the store, each known by the digest of its token only.

A session is one hash that vanishes by itself. Its fields: ``m`` id of the member, ``e`` how often
all their sessions had been ended when it was started, ``at`` when that was and ``seen`` when it was
used last (machine ms), ``b`` the browser's name for the list of one's sessions, ``f`` what it is
for: ``s`` a session, ``b`` a sign-in that was begun and lacks a step.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Final, Literal, cast

import redis

from service.clock import MachineClock
from service.store.connection import store_errors
from service.store.keys import RandomBytes, StaffKeys
from service.store.scripts import Scripts, as_text

TOKEN_BYTES: Final = 32
IDLE_MS: Final = 30 * 60_000
"""A session that nobody uses is over then (OWASP ASVS 5.0, 7.3.1)."""
MOST_MS: Final = 12 * 3_600_000
"""Any session is over then, a long shift after sign-in (OWASP ASVS 5.0, 7.3.2)."""
BEGUN_MS: Final = 10 * 60_000
"""How long a sign-in may lack a step."""
NOTED_MS: Final = 60_000
"""How exactly it is known when a session was used last; spares a write for most pages."""

Kind = Literal["s", "b"]


@dataclass(frozen=True, slots=True)
class StoredSession:
    """What is on record of a session.

    Attributes:
        digest: of its token; names it, and opens nothing.
        member: id.
        ended: how often all sessions of the member had been ended when it was started.
        started_ms: machine ms UTC; ``seen_ms`` likewise, to the minute.
        browser: its name, such as ``Firefox``; empty where it is not known.
    """

    digest: str
    member: str
    ended: int
    started_ms: int
    seen_ms: int
    browser: str


class SessionStore:
    """Keeps sessions, on machine time."""

    def __init__(
        self, client: redis.Redis, scripts: Scripts, clock: MachineClock, random: RandomBytes
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._clock = clock
        self._random = random

    def start(self, member: str, *, ended: int, browser: str, kind: Kind = "s") -> str:
        """Start a session durably; its token of 256 random bits, told once and never kept.

        Args:
            member: id.
            ended: how often all sessions of the member have been ended.
            browser: its name.
            kind: ``b`` for a sign-in that lacks a step.
        """
        token = base64.urlsafe_b64encode(self._random(TOKEN_BYTES)).rstrip(b"=").decode()
        digest, now_ms = digest_of(token), self._clock.now_ms()
        names = (StaffKeys.session(digest), StaffKeys.sessions(member))
        lasts = min(_limits(kind))
        fields = ("m", member, "e", ended, "at", now_ms, "seen", now_ms, "b", browser, "f", kind)
        args = (digest, now_ms, lasts, MOST_MS, *fields)
        self._scripts.run_durably("start_session", [(names, args)])
        return token

    def find(self, token: str, kind: Kind = "s") -> StoredSession | None:
        """A session that goes on, None where it is over, or the text is none of ours.

        Raises:
            StoreUnavailable: the store does not answer; let nobody in.
        """
        digest = digest_of(token)
        idle_ms, most_ms = _limits(kind)
        args = (self._clock.now_ms(), idle_ms, most_ms, NOTED_MS, kind)
        flat = self._scripts.run("find_session", (StaffKeys.session(digest),), args)
        return _session(digest, flat, kind)

    def of(self, member: str) -> list[StoredSession]:
        """A member's sessions, newest first; those among them that were ended all at once too."""
        with store_errors(self._client):
            found = self._client.zrange(StaffKeys.sessions(member), 0, -1, desc=True)
        digests = [as_text(cast("bytes", digest)) for digest in found]
        records = self._scripts.read_hashes([StaffKeys.session(digest) for digest in digests])
        flats = [[part for pair in record.items() for part in pair] for record in records]
        each = (_session(digest, flat, "s") for digest, flat in zip(digests, flats, strict=True))
        return [session for session in each if session is not None]

    def end(self, member: str, digest: str) -> bool:
        """End a session durably; whether there was one.

        Raises:
            StoreUnavailable: it may go on; ask again.
        """
        names = (StaffKeys.session(digest), StaffKeys.sessions(member))
        return bool(self._scripts.run_durably("end_session", [(names, (digest,))])[0])


def digest_of(token: str) -> str:
    """The name of a token in the store; a token has too many bits to be guessed from it."""
    hashed = hashlib.sha256(token.encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def _limits(kind: Kind) -> tuple[int, int]:
    return (IDLE_MS, MOST_MS) if kind == "s" else (BEGUN_MS, BEGUN_MS)


def _session(digest: str, flat: list[bytes], kind: Kind) -> StoredSession | None:
    fields = {as_text(k): as_text(v) for k, v in zip(flat[::2], flat[1::2], strict=True)}
    if fields.get("f") != kind:
        return None
    return StoredSession(
        digest=digest,
        member=fields["m"],
        ended=int(fields["e"]),
        started_ms=int(fields["at"]),
        seen_ms=int(fields["seen"]),
        browser=fields["b"],
    )
