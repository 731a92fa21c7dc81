"""What members change of their own accounts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from service.accounts.members import Member
from service.accounts.sign_in import Asker
from service.bootstrap import Core
from service.errors import InvalidInput
from tests.integration.accounts.conftest import Counting, OpenCore, clinics_file
from tests.integration.accounts.mailbox import mails
from tests.integration.accounts.trail import audited
from tests.support.accounts import GOOD, add_member, add_second_factor, code_of

HERE = Asker("here", "Firefox")
NEW = "seven copper umbrellas"


def test_a_new_password_ends_all_sessions_but_a_new_one_here(core: Core) -> None:
    ana = add_member(core)
    others = [core.sessions.start(ana.id) for _ in range(2)]
    token = core.own_account.change_password(ana, GOOD, NEW, HERE)
    assert [core.sessions.find(other) for other in others] == [None, None]
    session = core.sessions.find(token)
    assert session is not None
    assert session.browser == "Firefox"
    assert core.sign_in.password(ana.email, NEW, HERE).next == "done"
    assert [mail.message for mail in mails(core)] == ["staff-changed"]


def test_a_second_factor_is_replaced_and_taken_away(core: Core) -> None:
    ana = add_member(core)
    add_second_factor(core, ana)
    proposal = core.second_factor.propose(ana)
    code = code_of(core, proposal.secret)
    token, codes = core.own_account.set_second_factor(ana, GOOD, proposal.sealed, code, HERE)
    assert core.sessions.find(token) is not None
    assert len(codes) == 10
    assert core.own_account.renew_codes(core.accounts.load(ana.id), GOOD, HERE) != codes
    token = core.own_account.remove_second_factor(ana, GOOD, HERE)
    session = core.sessions.find(token)
    assert session is not None
    assert not session.member.second_factor


CHANGES: dict[str, Callable[[Core, Member, str], object]] = {
    "password": lambda core, ana, said: core.own_account.change_password(ana, said, NEW, HERE),
    "factor": lambda core, ana, said: core.own_account.set_second_factor(
        ana, said, core.second_factor.propose(ana).sealed, "000000", HERE
    ),
    "none": lambda core, ana, said: core.own_account.remove_second_factor(ana, said, HERE),
    "codes": lambda core, ana, said: core.own_account.renew_codes(ana, said, HERE),
}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_changes_for_who_does_not_know_the_password(core: Core, change: str) -> None:
    ana = add_member(core)
    _, codes = add_second_factor(core, ana)
    token = core.sessions.start(ana.id)
    with pytest.raises(InvalidInput) as refused:
        CHANGES[change](core, core.accounts.load(ana.id), "wrong lantern over moss")
    assert refused.value.code == "password_wrong"
    assert core.sessions.find(token) is not None
    begun = core.sign_in.password(ana.email, GOOD, HERE)
    assert core.sign_in.code(begun.token, codes[0], HERE).next == "done"


def test_where_it_is_required_nobody_does_without_a_second_factor(
    opened: OpenCore, tmp_path: Path
) -> None:
    (tmp_path / "clinics.toml").write_text(clinics_file(), encoding="utf-8")
    core = opened(
        smtp_url="smtp://mail.clinic.example:25",
        mail_from="tips@clinic.example",
        clinics=str(tmp_path / "clinics.toml"),
    )
    ana = add_member(core)
    add_second_factor(core, ana)
    with pytest.raises(InvalidInput, match="required"):
        core.own_account.remove_second_factor(ana, GOOD, HERE)
    assert core.accounts.load(ana.id).second_factor


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_changes_for_who_knew_the_password_until_it_was_changed(
    core: Core, hasher: Counting, change: str
) -> None:
    """Checking takes a while, and whoever has an old password tries to be the last."""
    ana = add_member(core)
    add_second_factor(core, ana)

    def meanwhile() -> None:
        core.credentials.put(ana, NEW, by="test", reason="reset")

    proposal = core.second_factor.propose(ana)
    attempts: dict[str, Callable[[Core, Member, str], object]] = {
        **CHANGES,
        "factor": lambda core, ana, said: core.own_account.set_second_factor(
            ana, said, proposal.sealed, code_of(core, proposal.secret), HERE
        ),
    }
    hasher.meanwhile = meanwhile
    before = core.second_factor.codes_left(ana.id)
    with pytest.raises(InvalidInput):
        attempts[change](core, ana, GOOD)
    assert core.sessions.of(ana.id) == []
    assert core.sign_in.password(ana.email, NEW, HERE).next == "code"
    assert core.second_factor.codes_left(ana.id) == before
    assert [what for what, _, _ in audited(core)].count("second_factor_set") == 1
    assert "recovery_codes_made" not in [what for what, _, _ in audited(core)]
