from __future__ import annotations

import pytest

from service.accounts.members import Member, Standing
from service.accounts.roles import RIGHTS, Right, Role

PATIENTS = {Right.SEE_PATIENTS, Right.CHANGE_PATIENTS}


def member(role: Role, *, clinics: tuple[str, ...] = (), standing: Standing = "active") -> Member:
    return Member(
        id="m1", email="a@example.org", name="A", role=role, clinics=clinics, standing=standing
    )


def test_every_role_has_its_rights_and_an_administrator_has_all() -> None:
    assert set(RIGHTS) == set(Role)
    assert RIGHTS[Role.ADMIN] == set(Right)


def test_who_writes_messages_sees_no_patient() -> None:
    assert not RIGHTS[Role.AUTHOR] & PATIENTS
    assert member(Role.AUTHOR).may(Right.CHANGE_SERIES)


def test_staff_may_do_what_viewers_may_and_change_patients_besides() -> None:
    assert RIGHTS[Role.STAFF] - RIGHTS[Role.VIEWER] == {Right.CHANGE_PATIENTS}
    assert not member(Role.VIEWER).may(Right.CHANGE_PATIENTS)


@pytest.mark.parametrize("right", [Right.ADMINISTER, Right.SEE_AUDIT])
def test_only_administrators_see_the_audit_and_administer(right: Right) -> None:
    assert [role for role in Role if member(role).may(right)] == [Role.ADMIN]


@pytest.mark.parametrize("standing", ["invited", "disabled"])
def test_who_cannot_sign_in_has_no_right_left(standing: Standing) -> None:
    admin = member(Role.ADMIN, standing=standing)
    assert not any(admin.may(right) for right in Right)


def test_no_clinic_named_is_every_clinic_and_one_named_is_that_one() -> None:
    assert member(Role.STAFF).sees("riverside")
    assert member(Role.STAFF, clinics=("riverside",)).sees("riverside")
    assert not member(Role.STAFF, clinics=("riverside",)).sees("hillside")
