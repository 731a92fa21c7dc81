"""Sign-in: who gets in, and that who does not learns nothing by it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from service.accounts.members import Member
from service.accounts.passwords import Passwords
from service.accounts.sign_in import ACCOUNT_MOST, CODE_MOST, SOURCE_MOST, WINDOW_S, Asker
from service.bootstrap import Core
from service.errors import InvalidInput
from tests.integration.accounts.conftest import Counting, OpenCore, clinics_file
from tests.integration.accounts.mailbox import mails
from tests.integration.accounts.trail import audited
from tests.support.accounts import GOOD, account_of, add_member, add_second_factor, code_of

ANA = "ana@riverside.example"
HERE = Asker("source-1", "Firefox")
ELSEWHERE = Asker("source-2", "Chrome")
WRONG = "wrong lantern over moss"


def later(core: Core, seconds: float) -> None:
    core.machine.ms += int(seconds * 1000)  # type: ignore[attr-defined]


def test_the_right_password_opens_a_session_of_ones_own(core: Core) -> None:
    ana = add_member(core)
    step = core.sign_in.password(" ANA@riverside.example", GOOD, HERE)
    session = core.sessions.find(step.token)
    assert step.next == "done"
    assert session is not None
    assert (session.member.id, session.browser) == (ana.id, "Firefox")
    assert audited(core)[-1] == ("signed_in", ana.source, "password")


@pytest.mark.parametrize("email", [ANA, "nobody@riverside.example", "no address", "", "a" * 5000])
def test_whoever_gets_in_or_not_costs_one_hash(core: Core, hasher: Counting, email: str) -> None:
    add_member(core)
    core.sign_in.password(email, WRONG, HERE)
    hasher.count = 0
    step = core.sign_in.password(email, WRONG, HERE)
    assert (step.next, step.token, step.member, step.device) == ("refused", "", None, "")
    assert hasher.count == 1


def test_a_locked_disabled_or_invited_member_is_answered_like_a_stranger(
    core: Core, hasher: Counting
) -> None:
    add_member(core)
    add_member(core, "invited@riverside.example", password=None)
    gone = add_member(core, "gone@riverside.example")
    core.accounts.disable(gone.id, source="test")
    for _ in range(ACCOUNT_MOST):
        core.sign_in.password(ANA, WRONG, HERE)
    stranger = core.sign_in.password("nobody@riverside.example", GOOD, HERE)
    for email in (ANA, "invited@riverside.example", "gone@riverside.example"):
        hasher.count = 0
        step = core.sign_in.password(email, GOOD, HERE)
        assert (step.next, step.token, step.member) == (stranger.next, "", None)
        assert hasher.count == 1


def test_a_locked_account_opens_by_itself_and_its_owner_is_told_once(core: Core) -> None:
    add_member(core)
    for _ in range(3 * ACCOUNT_MOST):
        core.sign_in.tell(core.sign_in.password(ANA, WRONG, HERE))
    assert core.sign_in.password(ANA, GOOD, HERE).next == "refused"
    (mail,) = mails(core)
    assert (mail.to, mail.message, mail.alert) == (ANA, "staff-locked", True)
    assert [what for what, _, reason in audited(core) if reason == "locked"] == ["sign_in_failed"]
    later(core, WINDOW_S)
    assert core.sign_in.password(ANA, GOOD, HERE).next == "done"


def test_nobody_is_told_of_an_account_that_does_not_exist(core: Core) -> None:
    for _ in range(2 * ACCOUNT_MOST):
        core.sign_in.tell(core.sign_in.password("nobody@riverside.example", WRONG, HERE))
    assert mails(core) == []


def test_who_has_signed_in_with_a_browser_is_not_locked_out_of_it_by_others(core: Core) -> None:
    add_member(core)
    device = core.sign_in.password(ANA, GOOD, HERE).device
    known = Asker(HERE.source, "Firefox", device)
    for _ in range(2 * ACCOUNT_MOST):
        core.sign_in.password(ANA, WRONG, ELSEWHERE)
    assert core.sign_in.password(ANA, GOOD, HERE).next == "refused"
    assert core.sign_in.password(ANA, GOOD, known).next == "done"
    for _ in range(ACCOUNT_MOST):
        core.sign_in.password(ANA, WRONG, known)
    assert core.sign_in.password(ANA, GOOD, known).next == "refused"


def test_a_browser_of_somebody_else_has_no_limit_of_its_own(core: Core) -> None:
    add_member(core)
    add_member(core, "ben@riverside.example")
    device = core.sign_in.password("ben@riverside.example", GOOD, HERE).device
    for _ in range(ACCOUNT_MOST):
        core.sign_in.password(ANA, WRONG, Asker(HERE.source, "", device))
    assert core.sign_in.password(ANA, GOOD, Asker(HERE.source, "", device)).next == "refused"
    assert core.sign_in.password(ANA, GOOD, Asker(HERE.source, "", "forged")).next == "refused"


def test_a_source_that_tries_too_often_is_shut_and_locks_nobody_out(core: Core) -> None:
    add_member(core)
    for number in range(SOURCE_MOST):
        core.sign_in.password(f"guess{number}@riverside.example", WRONG, ELSEWHERE)
    for _ in range(2 * ACCOUNT_MOST):
        assert core.sign_in.password(ANA, GOOD, ELSEWHERE).next == "refused"
    assert core.sign_in.password(ANA, GOOD, HERE).next == "done"
    assert [reason for _, _, reason in audited(core)].count("source") == 1


def test_who_has_signed_in_with_a_browser_gets_in_where_the_shared_address_is_shut(
    core: Core,
) -> None:
    add_member(core)
    device = core.sign_in.password(ANA, GOOD, HERE).device
    for number in range(SOURCE_MOST):
        core.sign_in.password(f"guess{number}@riverside.example", WRONG, HERE)
    assert core.sign_in.password(ANA, GOOD, HERE).next == "refused"
    assert core.sign_in.password(ANA, GOOD, Asker(HERE.source, "", device)).next == "done"


def test_guesses_that_come_at_once_are_counted_one_by_one(core: Core) -> None:
    add_member(core)
    together = threading.Barrier(ACCOUNT_MOST * 2)

    def guess(number: int) -> str:
        together.wait()
        return core.sign_in.password(ANA, f"{WRONG} {number}", HERE).next

    with ThreadPoolExecutor(ACCOUNT_MOST * 2) as pool:
        assert set(pool.map(guess, range(ACCOUNT_MOST * 2))) == {"refused"}
    failed = [reason for what, _, reason in audited(core) if what == "sign_in_failed"]
    assert failed.count("password") == ACCOUNT_MOST
    assert failed.count("locked") == 1


def test_a_hash_of_older_parameters_is_replaced_at_the_next_sign_in(core: Core) -> None:
    add_member(core)
    core.__dict__["passwords"] = Passwords(
        PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    )
    for name in ("credentials", "sign_in"):
        core.__dict__.pop(name, None)
    assert core.sign_in.password(ANA, GOOD, HERE).next == "done"
    assert core.sign_in.password(ANA, GOOD, HERE).next == "done"
    assert [what for what, _, _ in audited(core)].count("password_rehashed") == 1


def test_a_second_factor_is_asked_for_and_its_code_is_good_once(core: Core) -> None:
    ana = add_member(core)
    secret, _ = add_second_factor(core, ana)
    later(core, 60)
    begun = core.sign_in.password(ANA, GOOD, HERE)
    assert begun.next == "code"
    assert core.sessions.find(begun.token) is None, "a password alone opens nothing"
    code = code_of(core, secret)
    done = core.sign_in.code(begun.token, f" {code[:3]} {code[3:]}", HERE)
    assert done.next == "done"
    assert core.sessions.find(done.token) is not None
    assert done.token != begun.token
    again = core.sign_in.password(ANA, GOOD, HERE)
    assert core.sign_in.code(again.token, code, HERE).next == "code"
    assert core.sign_in.code(again.token, code_of(core, secret, 1), HERE).next == "done"
    assert audited(core)[-1] == ("signed_in", ana.source, "code")


def test_one_code_at_once_from_many_places_lets_one_in(core: Core) -> None:
    ana = add_member(core)
    secret, _ = add_second_factor(core, ana)
    later(core, 60)
    tokens = [core.sign_in.password(ANA, GOOD, HERE).token for _ in range(CODE_MOST)]
    code, together = code_of(core, secret), threading.Barrier(CODE_MOST)

    def enter(token: str) -> str:
        together.wait()
        return core.sign_in.code(token, code, HERE).next

    with ThreadPoolExecutor(CODE_MOST) as pool:
        assert sorted(pool.map(enter, tokens)) == ["code"] * (CODE_MOST - 1) + ["done"]
    assert len(core.sessions.of(ana.id)) == 1


@pytest.mark.parametrize(("steps", "is_taken"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_phones_clock_may_be_off_by_half_a_minute(
    core: Core, steps: int, *, is_taken: bool
) -> None:
    ana = add_member(core)
    secret, _ = add_second_factor(core, ana)
    later(core, 300)
    begun = core.sign_in.password(ANA, GOOD, HERE)
    step = core.sign_in.code(begun.token, code_of(core, secret, steps), HERE)
    assert (step.next == "done") == is_taken


@pytest.mark.parametrize("typed", ["", "000000", "abcdef", "\u0660" * 6, "1" * 5000, "\0", "-" * 9])
def test_what_is_no_code_lets_nobody_in(core: Core, typed: str) -> None:
    add_second_factor(core, add_member(core))
    begun = core.sign_in.password(ANA, GOOD, HERE)
    assert core.sign_in.code(begun.token, typed, HERE).next == "code"


def test_codes_may_be_guessed_a_few_times_only_and_the_owner_is_told(core: Core) -> None:
    secret, _ = add_second_factor(core, add_member(core))
    later(core, 60)
    begun = core.sign_in.password(ANA, GOOD, HERE)
    for _ in range(CODE_MOST + 2):
        core.sign_in.tell(core.sign_in.code(begun.token, "000000", HERE))
    assert core.sign_in.code(begun.token, code_of(core, secret), HERE).next == "code"
    assert sorted(mail.message for mail in mails(core)) == ["staff-changed", "staff-locked"]


def test_a_recovery_code_is_good_once_however_it_is_typed(core: Core) -> None:
    ana = add_member(core)
    _, codes = add_second_factor(core, ana)
    assert len(set(codes)) == 10
    typed = codes[0].upper().replace("-", " ").replace("0", "O").replace("1", "l")
    begun = core.sign_in.password(ANA, GOOD, HERE)
    assert core.sign_in.code(begun.token, typed, HERE).next == "done"
    assert audited(core)[-1] == ("signed_in", ana.source, "recovery_code")
    again = core.sign_in.password(ANA, GOOD, HERE)
    assert core.sign_in.code(again.token, codes[0], HERE).next == "code"
    assert core.second_factor.codes_left(ana.id) == 9
    assert core.sign_in.code(again.token, codes[1], HERE).next == "done"


def test_a_code_of_one_member_is_nothing_to_another(core: Core) -> None:
    _, codes = add_second_factor(core, add_member(core))
    add_second_factor(core, add_member(core, "ben@riverside.example"))
    begun = core.sign_in.password("ben@riverside.example", GOOD, HERE)
    assert core.sign_in.code(begun.token, codes[0], HERE).next == "code"


def test_a_sign_in_that_was_begun_is_over_after_ten_minutes_or_when_sessions_are_ended(
    core: Core,
) -> None:
    ana = add_member(core)
    secret, _ = add_second_factor(core, ana)
    begun = core.sign_in.password(ANA, GOOD, HERE)
    assert core.sign_in.lacking(begun.token).next == "code"
    core.sessions.end_all(ana.id)
    assert core.sign_in.lacking(begun.token).next == "refused"
    begun = core.sign_in.password(ANA, GOOD, HERE)
    later(core, 600)
    assert core.sign_in.code(begun.token, code_of(core, secret), HERE).next == "refused"
    assert core.sign_in.lacking("").next == "refused"


@pytest.fixture
def real(opened: OpenCore, tmp_path: Path) -> Core:
    """An installation whose mail server is not on this machine: it reaches real patients."""
    clinics = tmp_path / "clinics.toml"
    clinics.write_text(clinics_file(), encoding="utf-8")
    real_one = {"smtp_url": "smtp://mail.clinic.example:25", "mail_from": "tips@clinic.example"}
    return opened(clinics=str(clinics), **real_one)


def test_where_real_patients_are_reached_a_second_factor_is_set_up_before_anything(
    real: Core,
) -> None:
    ana = add_member(real)
    begun = real.sign_in.password(ANA, GOOD, HERE)
    assert begun.next == "enrol"
    assert real.sessions.find(begun.token) is None
    assert real.sign_in.code(begun.token, "000000", HERE).next == "code"
    proposal = real.second_factor.propose(ana)
    code = code_of(real, proposal.secret)
    done, codes = real.sign_in.enrol(begun.token, proposal.sealed, code, HERE)
    assert (done.next, len(codes)) == ("done", 10)
    session = real.sessions.find(done.token)
    assert session is not None
    assert session.member.second_factor
    assert real.sign_in.lacking(begun.token).next == "refused"
    assert real.sign_in.password(ANA, GOOD, HERE).next == "code"


def test_a_wrong_code_sets_nothing_up_and_the_same_secret_may_be_tried_again(real: Core) -> None:
    ana = add_member(real)
    begun = real.sign_in.password(ANA, GOOD, HERE)
    proposal = real.second_factor.propose(ana)
    with pytest.raises(InvalidInput) as refused:
        real.sign_in.enrol(begun.token, proposal.sealed, "000000", HERE)
    assert refused.value.code == "code_wrong"
    assert not real.accounts.load(ana.id).second_factor
    assert real.second_factor.proposed(ana, proposal.sealed) == proposal
    code = code_of(real, proposal.secret)
    assert real.sign_in.enrol(begun.token, proposal.sealed, code, HERE)[0].next == "done"


def test_who_has_a_second_factor_cannot_put_another_in_its_place_with_a_password(
    real: Core,
) -> None:
    ana = add_member(real)
    add_second_factor(real, ana)
    begun = real.sign_in.password(ANA, GOOD, HERE)
    other = real.second_factor.propose(ana)
    code = code_of(real, other.secret)
    assert real.sign_in.enrol(begun.token, other.sealed, code, HERE)[0].next == "refused"


def test_of_two_who_set_up_a_second_factor_at_once_one_does(real: Core) -> None:
    ana, together = add_member(real), threading.Barrier(4)
    begun = [real.sign_in.password(ANA, GOOD, HERE).token for _ in range(4)]

    def enrol(token: str) -> str:
        proposal = real.second_factor.propose(ana)
        code = code_of(real, proposal.secret)
        together.wait()
        try:
            return real.sign_in.enrol(token, proposal.sealed, code, HERE)[0].next
        except InvalidInput as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(enrol, begun))
    assert answers.count("done") == 1
    assert len(real.sessions.of(ana.id)) == 1
    assert [what for what, _, _ in audited(real)].count("second_factor_set") == 1


ENDS: dict[str, Callable[[Core, Member], object]] = {
    "another password": lambda core, ana: core.credentials.put(
        ana, "seven copper umbrellas", by="test", reason="reset"
    ),
    "disabled and back": lambda core, ana: (
        core.accounts.disable(ana.id, source="test"),
        core.accounts.enable(ana.id, source="test"),
    ),
    "signed out": lambda core, ana: core.sessions.end_all(ana.id),
    "a second factor": add_second_factor,
}


@pytest.mark.parametrize("ends", ENDS)
def test_a_password_that_is_checked_while_the_sessions_are_ended_opens_none(
    core: Core, hasher: Counting, ends: str
) -> None:
    ana = add_member(core)
    hasher.meanwhile = lambda: ENDS[ends](core, ana)
    assert core.sign_in.password(ANA, GOOD, HERE).next == "refused"
    assert core.sessions.of(ana.id) == []


def test_a_sign_in_that_was_begun_while_the_sessions_are_ended_goes_no_further(
    core: Core, hasher: Counting
) -> None:
    ana = add_member(core)
    secret, _ = add_second_factor(core, ana)
    hasher.meanwhile = lambda: ENDS["another password"](core, ana)
    begun = core.sign_in.password(ANA, GOOD, HERE)
    assert core.sign_in.code(begun.token, code_of(core, secret, 1), HERE).next == "refused"


def test_a_proposed_secret_is_for_one_member_and_for_an_hour(core: Core) -> None:
    ana, ben = add_member(core), add_member(core, "ben@riverside.example")
    proposal = core.second_factor.propose(ana)
    assert "Aftervisit:ana%40riverside.example" in proposal.uri
    for member, sealed in ((ben, proposal.sealed), (ana, proposal.sealed[:-2]), (ana, "")):
        with pytest.raises(InvalidInput, match="too long"):
            core.second_factor.confirm(account_of(core, member), sealed, "000000", by="test")
    later(core, 3600)
    with pytest.raises(InvalidInput, match="too long"):
        core.second_factor.proposed(ana, proposal.sealed)


def test_setting_up_or_taking_away_a_second_factor_ends_the_sessions(core: Core) -> None:
    ana = add_member(core)
    token = core.sessions.start(ana.id)
    secret, codes = add_second_factor(core, ana)
    assert core.sessions.find(token) is None
    token = core.sessions.start(ana.id)
    core.second_factor.remove(ana, by="staff:boss")
    assert core.sessions.find(token) is None
    assert core.sign_in.password(ANA, GOOD, HERE).next == "done"
    assert core.second_factor.codes_left(ana.id) == 0
    stored = b"".join(core.client.dump(key) or b"" for key in core.client.scan_iter(match="*"))
    assert secret.encode() not in stored
    assert codes[0].encode() not in stored


def test_new_recovery_codes_make_the_old_ones_worthless(core: Core) -> None:
    ana = add_member(core)
    _, old = add_second_factor(core, ana)
    new = core.own_account.renew_codes(ana, GOOD, HERE)
    begun = core.sign_in.password(ANA, GOOD, HERE)
    assert core.sign_in.code(begun.token, old[0], HERE).next == "code"
    assert core.sign_in.code(begun.token, new[0], HERE).next == "done"
    with pytest.raises(InvalidInput, match="second factor first"):
        core.own_account.renew_codes(add_member(core, "ben@riverside.example"), GOOD, HERE)


def test_who_is_signed_in_shows_that_it_is_them_by_their_password(core: Core) -> None:
    ana = add_member(core)
    assert core.sign_in.proven(ana.id, GOOD, HERE)
    for _ in range(ACCOUNT_MOST):
        assert not core.sign_in.proven(ana.id, WRONG, HERE)
    assert not core.sign_in.proven(ana.id, GOOD, HERE)
