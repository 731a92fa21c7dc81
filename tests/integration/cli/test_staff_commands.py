"""`aftervisit staff`: members from a shell."""

from __future__ import annotations

from typing import Any

import pytest

from service.accounts.roles import Role
from tests.integration.cli.conftest import Shell
from tests.support.accounts import GOOD, add_second_factor

ANA = "ana@riverside.example"


def invite(shell: Shell, email: str = ANA, role: str = "admin", *options: str) -> Any:  # noqa: ANN401
    ran = shell("staff", "invite", email, "--name", "Ana Lopez", "--role", role, *options, "--json")
    assert ran.code == 0, ran.err
    return ran.answer


def choose(shell: Shell, link: str) -> None:
    """Use a link, as its reader does."""
    with shell.core() as core:
        core.invitations.choose_password(link.rpartition("/")[2], GOOD)


def listed(shell: Shell) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = shell("staff", "list", "--json").answer
    return rows


def test_the_first_administrator_is_invited_from_a_shell(shell: Shell) -> None:
    assert "Nobody can sign in yet" in shell("staff", "list").out
    answer = invite(shell)
    assert (answer["standing"], answer["mailed"], answer["clinics"]) == ("invited", False, None)
    assert "/console/invitation/" in answer["link"]
    choose(shell, answer["link"])
    (row,) = listed(shell)
    assert (row["email"], row["role"], row["standing"]) == (ANA, "admin", "active")
    assert row["signed_in"] is None
    assert "Ana Lopez" in shell("staff", "list").out


def test_an_invitation_goes_by_mail_where_that_is_set_up(shell: Shell) -> None:
    shell.set(SMTP_URL="smtp://127.0.0.1:9", MAIL_FROM="tips@clinic.example")
    assert invite(shell)["mailed"]
    told = shell("staff", "reset", ANA)
    assert "by e-mail, too" in told.out


def test_a_link_for_a_new_password_makes_the_one_before_it_dead(shell: Shell) -> None:
    first = invite(shell)["link"]
    again = shell("staff", "reset", ANA, "--json").answer["link"]
    assert again != first
    choose(shell, again)
    assert "/console/reset/" in shell("staff", "reset", ANA).out


def test_a_second_factor_is_removed_only_when_that_is_asked_for(shell: Shell) -> None:
    choose(shell, invite(shell)["link"])
    with shell.core() as core:
        add_second_factor(core, core.accounts.find_by_email(ANA))
    assert shell("staff", "reset", ANA, "--json").answer["second_factor"]
    assert not shell("staff", "reset", ANA, "--second-factor", "--json").answer["second_factor"]


def test_a_role_and_clinics_are_changed_and_what_is_not_named_stays(shell: Shell) -> None:
    invite(shell)
    invite(shell, "ben@riverside.example", "viewer", "--clinic", "riverside")
    ben = ("staff", "roles", "ben@riverside.example")
    assert shell(*ben, "--role", "staff", "--json").answer["clinics"] == ["riverside"]
    answer = shell(*ben, "--every-clinic", "--json").answer
    assert (answer["role"], answer["clinics"]) == ("staff", None)
    assert "is staff for riverside" in shell(*ben, "--clinic", "riverside").out
    assert "not both" in shell(*ben, "--clinic", "riverside", "--every-clinic").failed(2)
    assert "No such clinic" in shell(*ben, "--clinic", "elsewhere").failed(2)


def test_who_is_disabled_is_let_in_again_by_id(shell: Shell) -> None:
    choose(shell, invite(shell)["link"])
    choose(shell, invite(shell, "ben@riverside.example", "staff")["link"])
    assert "cannot sign in any more" in shell("staff", "disable", "ben@riverside.example").out
    member = next(row for row in listed(shell) if row["standing"] == "disabled")
    assert "disabled" in shell("staff", "reset", member["member"]).failed(2)
    assert shell("staff", "enable", member["member"], "--json").answer["standing"] == "active"
    assert "only administrator" in shell("staff", "disable", ANA).failed(2)


@pytest.mark.parametrize("who", ["nobody@riverside.example", "000000000000", "x"])
def test_a_member_that_does_not_exist_is_told(shell: Shell, who: str) -> None:
    shell("staff", "disable", who).failed(1)


def test_roles_are_told_with_what_they_may(shell: Shell) -> None:
    told = {row["role"]: row["rights"] for row in shell("staff", "roles", "--json").answer}
    assert set(told) == {role.value for role in Role}
    assert "administer" in told["admin"]
    assert "see patients" in shell("staff", "roles").out


def test_doctor_says_whether_anybody_can_sign_in(shell: Shell) -> None:
    def console() -> dict[str, str]:
        found: list[dict[str, str]] = shell("doctor", "--json").answer["findings"]
        return next(each for each in found if each["name"] == "console")

    invite(shell)
    assert "Nobody can sign in" in console()["detail"]
    with shell.core() as core:
        ana = core.accounts.find_by_email(ANA)
        core.invitations.choose_password(
            core.invitations.send_again(ana.id, source="test").link.rpartition("/")[2], GOOD
        )
    assert console()["detail"] == "1 can sign in, 1 without a second factor."
