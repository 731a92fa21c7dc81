"""Sessions of staff: how long they last, what ends them, and what the store knows of them."""

from __future__ import annotations

import os

import pytest

from service.accounts.members import Member
from service.accounts.roles import Role
from service.accounts.sessions import Sessions
from service.store.accounts import AccountStore, Change
from service.store.keyring import Index, KeyRing
from service.store.sessions import IDLE_MS, MOST_MS, SessionStore
from tests.contract.store.installation import Installed

MINUTE = 60_000


class Staff:
    """The accounts of an installation."""

    def __init__(self, store: Installed) -> None:
        self.installed = store
        index = Index(b"k" * 32)
        parts = (store.client, store.scripts, KeyRing.generate(), index, store.business)
        self.accounts = AccountStore(*parts, os.urandom)
        self.store = SessionStore(store.client, store.scripts, store.machine, os.urandom)
        self.sessions = Sessions(self.store, self.accounts, index)

    def member(self, email: str = "ana@example.org") -> str:
        member = Member(id="", email=email, name="Ana", role=Role.STAFF)
        identifier = self.accounts.create(member, by="test")
        assert identifier is not None
        sealed = self.accounts.sealed(identifier, "p", b"a hash")
        self.accounts.change(identifier, Change(what="password_set", by="test", sets={"p": sealed}))
        return identifier


@pytest.fixture
def staff(store: Installed) -> Staff:
    return Staff(store)


def test_a_session_is_found_by_its_token_and_by_nothing_else(staff: Staff) -> None:
    ana = staff.member()
    token = staff.sessions.start(ana, "Firefox")
    session = staff.sessions.find(token)
    assert session is not None
    assert (session.member.id, session.browser) == (ana, "Firefox")
    assert len(token) == 43, "256 bits"
    for other in ("", token[:-1], token + "A", token.swapcase(), session.id, session.csrf):
        assert staff.sessions.find(other) is None


def test_the_store_holds_no_token_and_no_secret_of_forms(staff: Staff) -> None:
    token = staff.sessions.start(staff.member())
    session = staff.sessions.find(token)
    assert session is not None
    dump = staff.installed.dump()
    stored = b"".join(name.encode() + value for name, value in dump.items())
    assert token.encode() not in stored
    assert session.csrf.encode() not in stored


def test_two_sessions_have_different_tokens_and_secrets(staff: Staff) -> None:
    ana = staff.member()
    tokens = {staff.sessions.start(ana) for _ in range(3)}
    found = [staff.sessions.find(token) for token in tokens]
    assert len({session.csrf for session in found if session}) == 3


def test_a_session_that_nobody_uses_is_over_after_half_an_hour(staff: Staff) -> None:
    used, idle = (staff.sessions.start(staff.member(f"{n}@example.org")) for n in range(2))
    staff.installed.machine.ms += IDLE_MS - 1
    assert staff.sessions.find(used) is not None
    staff.installed.machine.ms += 1
    assert staff.sessions.find(idle) is None
    assert staff.sessions.find(used) is not None


def test_a_session_is_over_after_twelve_hours_however_it_is_used(staff: Staff) -> None:
    token = staff.sessions.start(staff.member())
    for _ in range(MOST_MS // (20 * MINUTE) - 1):
        staff.installed.machine.ms += 20 * MINUTE
        assert staff.sessions.find(token) is not None
    staff.installed.machine.ms += 20 * MINUTE
    assert staff.sessions.find(token) is None


def test_what_the_store_keeps_of_a_session_vanishes_by_itself(staff: Staff) -> None:
    token = staff.sessions.start(staff.member())
    (key,) = staff.installed.keys("{staff}:s:*")
    assert IDLE_MS - MINUTE < int(staff.installed.client.pttl(key)) <= IDLE_MS
    staff.installed.machine.ms += MOST_MS - 20 * MINUTE
    staff.store.find(token)
    assert staff.installed.keys("{staff}:s:*") == []


def test_ending_one_leaves_the_others_and_ending_all_leaves_none(staff: Staff) -> None:
    ana = staff.member()
    first, second, third = (staff.sessions.start(ana) for _ in range(3))
    staff.sessions.end(first)
    assert staff.sessions.find(first) is None
    assert staff.sessions.find(second) is not None
    assert len(staff.sessions.of(ana)) == 2
    staff.sessions.end_all(ana)
    assert staff.sessions.find(second) is staff.sessions.find(third) is None
    assert staff.sessions.of(ana) == []
    assert staff.sessions.find(staff.sessions.start(ana)) is not None


def test_nobody_ends_a_session_of_somebody_else(staff: Staff) -> None:
    ana, ben = staff.member(), staff.member("ben@example.org")
    token = staff.sessions.start(ana, "Firefox")
    (listed,) = staff.sessions.of(ana)
    assert listed.browser == "Firefox"
    assert not staff.sessions.end_one(ben, listed.id)
    assert staff.sessions.find(token) is not None
    assert staff.sessions.end_one(ana, listed.id)
    assert staff.sessions.find(token) is None


def test_a_sign_in_that_lacks_a_step_is_no_session(staff: Staff) -> None:
    ana = staff.member()
    begun = staff.store.start(ana, ended=0, browser="", kind="b")
    assert staff.sessions.find(begun) is None
    assert staff.sessions.of(ana) == []
    assert staff.store.find(begun, "b") is not None
    assert staff.store.find(staff.sessions.start(ana), "b") is None
    staff.installed.machine.ms += 10 * MINUTE
    assert staff.store.find(begun, "b") is None


def test_a_change_that_rests_on_what_is_not_so_any_more_is_not_made(staff: Staff) -> None:
    ana = staff.member()
    change = Change(what="code_used", by="test", rests_on={"n": b""}, sets={"n": 5})
    assert staff.accounts.change(ana, change)
    before = staff.installed.client.xlen("{staff}:audit")
    assert not staff.accounts.change(ana, change)
    assert staff.installed.client.xlen("{staff}:audit") == before
    assert staff.accounts.load(ana).number("n") == 5


def test_recovery_codes_are_removed_all_at_once_and_nothing_else_is(staff: Staff) -> None:
    ana = staff.member()
    codes = {"k1": 1, "k2": 1}
    staff.accounts.change(ana, Change(what="codes_made", by="test", sets=codes))
    staff.accounts.change(
        ana, Change(what="codes_made", by="test", sets={"k3": 1}, removes=("k*",))
    )
    assert {name for name in staff.accounts.load(ana).fields if name[0] == "k"} == {"k3"}
    assert staff.accounts.load(ana).member.standing == "active"
