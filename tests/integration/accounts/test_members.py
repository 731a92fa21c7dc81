"""Who is a member of staff: entered, found, changed, disabled; nothing of them in clear text."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from service.accounts.roles import Right, Role
from service.accounts.sign_in import Asker
from service.bootstrap import Core
from service.errors import InvalidInput, NotFound
from service.store.accounts import Change
from service.store.keyring import Tampered
from service.store.keys import StaffKeys
from service.store.scripts import as_text
from tests.integration.accounts.trail import audited
from tests.support.accounts import GOOD, account_of, add_member


def test_a_member_is_found_by_id_and_by_address_however_it_is_typed(core: Core) -> None:
    ana = add_member(core, " Ana@Riverside.example ", Role.ADMIN, clinics=("riverside",))
    assert ana.email == "ana@riverside.example"
    assert (ana.role, ana.clinics, ana.standing) == (Role.ADMIN, ("riverside",), "active")
    assert core.accounts.find(ana.id) == core.accounts.find_by_email("ANA@riverside.example") == ana
    assert core.accounts.all() == [ana]
    assert core.accounts.find("0" * 12) is None
    assert core.accounts.find("../etc") is None
    with pytest.raises(NotFound):
        core.accounts.find_by_email("ben@riverside.example")


def test_who_has_no_password_yet_is_invited_and_may_nothing(core: Core) -> None:
    ana = add_member(core, role=Role.ADMIN, password=None)
    assert ana.standing == "invited"
    assert not ana.may(Right.SEE_PATIENTS)
    assert not core.accounts.has_admin()


def test_an_address_is_one_members_only_even_when_entered_at_once(core: Core) -> None:
    together = threading.Barrier(6)

    def enter(_: int) -> str:
        together.wait()
        try:
            return add_member(core).id
        except InvalidInput as error:
            return error.code

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(enter, range(6)))
    assert answers.count("email_taken") == 5
    assert len(core.accounts.all()) == 1


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("email", {"email": "no address"}),
        ("name", {"name": "  "}),
        ("name", {"name": "Ana\u202e"}),
        ("clinics", {"clinics": ("elsewhere",)}),
        ("language", {"language": "fr"}),
        ("password", {"password": "short"}),
        ("role", {"role": "root"}),
    ],
)
def test_what_cannot_be_used_is_refused_and_nobody_is_entered(
    core: Core, field: str, fields: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        add_member(core, **fields)  # type: ignore[arg-type]
    assert refused.value.field == field
    assert core.accounts.all() == []
    assert audited(core) == []


def test_nothing_of_a_member_stands_in_the_store_in_clear_text(core: Core) -> None:
    add_member(core, "ana@riverside.example", name="Ana Lopez")
    stored = b"".join(
        part
        for key in core.client.scan_iter(match="*")
        for part in (as_text(key).encode(), core.client.dump(key) or b"")
    )
    for told in (b"ana@", b"riverside.example", b"Lopez", b"argon2", GOOD.encode()):
        assert told not in stored


def test_what_was_moved_from_another_account_does_not_open(core: Core) -> None:
    boss, ana = add_member(core, "boss@riverside.example", Role.ADMIN), add_member(core)
    of_boss, of_ana = StaffKeys.member(boss.id), StaffKeys.member(ana.id)
    for field in ("c", "p"):
        kept = core.client.hget(of_ana, field)
        core.client.hset(of_ana, field, core.client.hget(of_boss, field) or b"")
        with pytest.raises(Tampered):
            core.sign_in.password(ana.email, GOOD, Asker("here"))
        core.client.hset(of_ana, field, kept or b"")
    assert core.sign_in.password(ana.email, GOOD, Asker("here")).next == "done"


def test_another_role_or_clinic_counts_at_once_and_ends_the_sessions(core: Core) -> None:
    add_member(core, "boss@riverside.example", Role.ADMIN)
    ana = add_member(core)
    token = core.sessions.start(ana.id)
    changed = core.accounts.change_access(
        ana.id, role="viewer", clinics=["riverside"], source="staff:boss"
    )
    assert (changed.role, changed.clinics) == (Role.VIEWER, ("riverside",))
    assert core.sessions.find(token) is None
    assert audited(core)[-1] == ("access_changed", "staff:boss", "staff,viewer")


def test_a_change_to_what_is_so_already_changes_nothing(core: Core) -> None:
    ana = add_member(core)
    token, before = core.sessions.start(ana.id), audited(core)
    core.accounts.change_access(ana.id, role="staff", clinics=[], source="test")
    core.accounts.change_language(ana.id, "en", source="test")
    core.accounts.enable(ana.id, source="test")
    assert audited(core) == before
    assert core.sessions.find(token) is not None


def test_who_is_disabled_has_no_session_and_may_come_back_with_the_same_password(
    core: Core,
) -> None:
    ana = add_member(core)
    token = core.sessions.start(ana.id)
    assert core.accounts.disable(ana.id, source="test").standing == "disabled"
    assert core.sessions.find(token) is None
    assert core.accounts.enable(ana.id, source="test").standing == "active"
    assert core.sessions.find(token) is None, "a session that was ended does not come back"


def test_the_last_administrator_stays_one(core: Core) -> None:
    boss = add_member(core, "boss@riverside.example", Role.ADMIN)
    add_member(core, "invited@riverside.example", Role.ADMIN, password=None)
    with pytest.raises(InvalidInput, match="only administrator"):
        core.accounts.disable(boss.id, source="test")
    with pytest.raises(InvalidInput, match="only administrator"):
        core.accounts.change_access(boss.id, role="staff", clinics=[], source="test")
    add_member(core, "second@riverside.example", Role.ADMIN)
    assert core.accounts.disable(boss.id, source="test").standing == "disabled"


def _disable(core: Core, identifier: str) -> str:
    try:
        return core.accounts.disable(identifier, source="test").standing
    except InvalidInput as error:
        return error.code


def _demote(core: Core, identifier: str) -> str:
    try:
        return core.accounts.change_access(identifier, role="staff", clinics=[], source="test").role
    except InvalidInput as error:
        return error.code


@pytest.mark.parametrize(
    ("one", "other"), [(_disable, _disable), (_demote, _demote), (_disable, _demote)]
)
def test_administrators_who_shut_each_other_out_at_once_leave_one(
    core: Core, one: Callable[[Core, str], str], other: Callable[[Core, str], str]
) -> None:
    ana = add_member(core, "ana@riverside.example", Role.ADMIN)
    ben = add_member(core, "ben@riverside.example", Role.ADMIN)
    together = threading.Barrier(8)

    def shut_out(number: int) -> str:
        together.wait()
        return one(core, ben.id) if number % 2 else other(core, ana.id)

    with ThreadPoolExecutor(8) as pool:
        for _ in range(30):
            answers = list(pool.map(shut_out, range(8)))
            assert core.accounts.has_admin(), answers
            assert "last_admin" in answers
            for each in (ana, ben):
                core.accounts.enable(each.id, source="test")
                core.accounts.change_access(each.id, role="admin", clinics=[], source="test")


def test_who_was_invited_and_has_come_in_meanwhile_is_not_demoted_by_what_was_read_before(
    core: Core,
) -> None:
    """Nobody was asked for in their place: they could not administer when they were read."""
    ana = add_member(core, role=Role.ADMIN, password=None)
    read = account_of(core, ana)
    core.credentials.put(ana, GOOD, by="test", reason="test")
    demoted = replace(read.member, role=Role.STAFF)
    assert not core._account_store.amend(read, demoted, Change(what="access_changed", by="test"))
    assert core.accounts.load(ana.id).role is Role.ADMIN


def test_a_language_is_changed_and_sessions_go_on(core: Core) -> None:
    ana = add_member(core)
    token = core.sessions.start(ana.id)
    core.accounts.change_language(ana.id, "es", source=ana.source)
    session = core.sessions.find(token)
    assert session is not None
    assert session.member.language == "es"
