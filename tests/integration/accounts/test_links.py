"""Invitations and new passwords: links that go to a mailbox, and are good once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.accounts.invitations import LinkDead
from service.accounts.roles import Role
from service.accounts.sign_in import Asker
from service.bootstrap import Core
from service.errors import InvalidInput, NotFound
from tests.integration.accounts.conftest import OpenCore
from tests.integration.accounts.mailbox import link_in, mails
from tests.integration.accounts.trail import audited
from tests.support.accounts import GOOD, add_member, add_second_factor

ANA = "ana@riverside.example"
NEW = "seven copper umbrellas"
HOUR_MS = 3_600_000


def invite(core: Core, email: str = ANA, language: str = "en") -> str:
    """Invite somebody; the token of the link."""
    sent = core.invitations.invite(
        email=email, name="Ana Lopez", role=Role.STAFF, language=language, source="staff:boss"
    )
    return sent.link.rpartition("/")[2]


def later(core: Core, milliseconds: int) -> None:
    core.machine.ms += milliseconds  # type: ignore[attr-defined]


def is_let_in(core: Core, password: str) -> bool:
    return core.sign_in.password(ANA, password, Asker("here")).next == "done"


def test_an_invitation_goes_by_mail_in_the_members_language_and_lets_them_choose(
    core: Core,
) -> None:
    token = invite(core, language="es")
    (mail,) = mails(core, ANA)
    assert (mail.message, mail.language, mail.alert) == ("staff-invite", "es", True)
    assert mail.values["link"].endswith(f"/console/invitation/{token}")
    assert core.invitations.open(token).purpose == "invite"
    assert core.invitations.open(token).account.member.standing == "invited", "looking changes it"
    member = core.invitations.choose_password(token, NEW)
    assert member.standing == "active"
    assert is_let_in(core, NEW)
    assert audited(core)[1] == ("invited", "staff:boss", "")


def test_a_link_is_good_once(core: Core) -> None:
    token = invite(core)
    core.invitations.choose_password(token, NEW)
    with pytest.raises(LinkDead):
        core.invitations.open(token)
    with pytest.raises(LinkDead):
        core.invitations.choose_password(token, GOOD)
    assert is_let_in(core, NEW)


def test_two_who_use_a_link_at_once_choose_one_password(core: Core) -> None:
    token, together = invite(core), threading.Barrier(4)

    def choose(number: int) -> bool:
        together.wait()
        try:
            core.invitations.choose_password(token, f"{NEW} {number}")
        except LinkDead:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(choose, range(4)))
    assert done.count(True) == 1
    assert is_let_in(core, f"{NEW} {done.index(True)}")


def test_a_password_that_is_not_good_enough_leaves_the_link_as_it_is(core: Core) -> None:
    token = invite(core)
    with pytest.raises(InvalidInput):
        core.invitations.choose_password(token, "AnaLopez2026!!")
    assert core.invitations.choose_password(token, NEW).standing == "active"


@pytest.mark.parametrize(("hours", "purpose"), [(72, "invite"), (1, "reset")])
def test_a_link_is_dead_when_its_time_is_over(core: Core, hours: int, purpose: str) -> None:
    if purpose == "invite":
        token = invite(core)
    else:
        add_member(core)
        core.invitations.ask(ANA)
        token = link_in(core, ANA)
    later(core, hours * HOUR_MS - 1)
    assert core.invitations.open(token).purpose == purpose
    later(core, 1)
    with pytest.raises(LinkDead):
        core.invitations.choose_password(token, NEW)


def test_a_new_link_makes_the_one_before_it_dead(core: Core) -> None:
    token = invite(core)
    ana = core.accounts.find_by_email(ANA)
    sent = core.invitations.send_again(ana.id, source="staff:boss")
    with pytest.raises(LinkDead):
        core.invitations.open(token)
    assert core.invitations.open(sent.link.rpartition("/")[2]).purpose == "invite"


@pytest.mark.parametrize("cut", [0, 5, 12, 30, -1])
def test_what_is_no_link_opens_nothing(core: Core, cut: int) -> None:
    token = invite(core)
    other = "A" if token[-1] != "A" else "B"
    for wrong in (token[:cut], token[:-1] + other, token + other, "0" * 12 + token[12:], "é" * 60):
        with pytest.raises(LinkDead):
            core.invitations.open(wrong)


def test_the_store_holds_no_link(core: Core) -> None:
    token = invite(core)
    stored = b"".join(core.client.dump(key) or b"" for key in core.client.scan_iter(match="*"))
    assert token[12:].encode() not in stored


def test_a_new_password_ends_the_sessions_and_leaves_the_second_factor(core: Core) -> None:
    ana = add_member(core)
    add_second_factor(core, ana)
    session = core.sessions.start(ana.id)
    core.invitations.ask(" ANA@riverside.example")
    core.invitations.choose_password(link_in(core, ANA), NEW)
    assert core.sessions.find(session) is None
    assert core.sign_in.password(ANA, NEW, Asker("here")).next == "code"
    assert core.sign_in.password(ANA, GOOD, Asker("here")).next == "refused"
    sent = sorted(mail.message for mail in mails(core, ANA))
    assert sent == ["staff-changed", "staff-changed", "staff-reset"]


def test_a_password_that_is_changed_makes_the_link_dead_that_somebody_has(core: Core) -> None:
    ana = add_member(core)
    core.invitations.ask(ANA)
    token = link_in(core, ANA)
    core.own_account.change_password(ana, GOOD, NEW, Asker("here"))
    with pytest.raises(LinkDead):
        core.invitations.open(token)
    assert is_let_in(core, NEW)


@pytest.mark.parametrize("typed", ["ben@riverside.example", "no address", "", "gone@x.example"])
def test_who_is_no_member_gets_nothing(core: Core, typed: str) -> None:
    gone = add_member(core, "gone@x.example")
    add_member(core, "another@x.example", Role.ADMIN)
    core.accounts.disable(gone.id, source="test")
    core.invitations.ask(typed)
    assert mails(core) == []


def test_who_was_invited_and_asks_for_a_link_is_invited_anew_for_three_days(core: Core) -> None:
    invite(core)
    later(core, 71 * HOUR_MS)
    core.invitations.ask(ANA)
    first, again = mails(core, ANA)
    assert (first.message, again.message) == ("staff-invite", "staff-invite")
    assert "/console/invitation/" in again.values["link"]
    assert audited(core)[-1] == ("invited", "console", "")
    later(core, 72 * HOUR_MS - 1)
    token = again.values["link"].rpartition("/")[2]
    assert core.invitations.choose_password(token, NEW).standing == "active"


@pytest.mark.parametrize("invited", [True, False])
def test_a_mailbox_is_not_flooded_by_who_types_it_in(core: Core, *, invited: bool) -> None:
    add_member(core, password=None if invited else GOOD)
    for _ in range(10):
        core.invitations.ask(ANA)
    assert len(mails(core, ANA)) == 3
    assert [core.invitations.may_ask("one-source") for _ in range(21)].count(True) == 20


def test_who_is_disabled_gets_no_link_and_the_one_they_have_is_dead(core: Core) -> None:
    token = invite(core)
    ana = core.accounts.find_by_email(ANA)
    core.accounts.disable(ana.id, source="test")
    with pytest.raises(LinkDead):
        core.invitations.open(token)
    with pytest.raises(InvalidInput, match="disabled"):
        core.invitations.send_again(ana.id, source="test")
    core.accounts.enable(ana.id, source="test")
    with pytest.raises(LinkDead):
        core.invitations.open(token)


def test_nobody_is_sent_a_link_who_is_no_member(core: Core) -> None:
    with pytest.raises(NotFound):
        core.invitations.send_again("0" * 12, source="test")


def test_where_no_e_mail_is_set_up_the_link_is_told_to_whoever_invites(opened: OpenCore) -> None:
    core = opened()
    sent = core.invitations.invite(email=ANA, name="Ana", role="admin", source="cli:ops")
    assert not sent.mailed
    assert mails(core) == []
    core.invitations.choose_password(sent.link.rpartition("/")[2], NEW)
    assert core.accounts.has_admin()


def test_a_rotation_of_keys_takes_the_accounts_with_it(core: Core) -> None:
    ana = add_member(core)
    add_second_factor(core, ana)
    old = core.keyring.current
    core.keyring.take_over(core.keyring.with_new_key())
    core.rotation.use_newest()
    moved = core.rotation.finish()
    assert moved.moved >= 3
    assert not moved.unreadable
    assert set(core.rotation.report().values) == {core.keyring.current}
    core.keyring.take_over(core.keyring.without(old))
    assert core.accounts.find_by_email(ANA).id == ana.id
    assert core.sign_in.password(ANA, GOOD, Asker("here")).next == "code"
