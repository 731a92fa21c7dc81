"""Who may sign in to the demonstration's console."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.accounts.roles import Right
from service.accounts.sign_in import Asker
from service.bootstrap import Core
from service.demo.staff import sample_member
from service.errors import ConfigurationError
from tests.integration.accounts.conftest import OpenCore, clinics_file


def test_the_demonstration_has_an_administrator_with_a_password_of_its_own(core: Core) -> None:
    sample = sample_member(core)
    step = core.sign_in.password(sample.email, sample.password, Asker("here"))
    assert step.next == "done"
    assert step.member is not None
    assert all(step.member.may(right) for right in Right)
    assert sample.address.endswith("/console/")
    assert sample.password not in repr(sample)


def test_there_is_none_where_real_patients_are_reached(opened: OpenCore, tmp_path: Path) -> None:
    (tmp_path / "clinics.toml").write_text(clinics_file(), encoding="utf-8")
    core = opened(
        smtp_url="smtp://mail.clinic.example:25",
        mail_from="tips@clinic.example",
        clinics=str(tmp_path / "clinics.toml"),
    )
    with pytest.raises(ConfigurationError):
        sample_member(core)
    assert core.accounts.all() == []
