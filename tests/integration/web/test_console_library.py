"""The library, the series and the audit in the console, over real HTTP."""

from __future__ import annotations

from service.accounts.roles import Role
from tests.support.console import signed_in
from tests.support.web import Site


def test_every_message_is_listed_and_shown_in_each_language(web: Site) -> None:
    desk = signed_in(web, Role.AUTHOR)
    listed = desk.get("library")
    assert listed.status_code == 200
    for message in web.core.catalog:
        assert f"console/library/{message.name}" in listed.text
    shown = desk.get("library/walking")
    assert "Riverside Clinic" in shown.text
    assert "GSM-7" in shown.text
    assert desk.get("library/walking?language=es").text.count('lang="es"') >= 3
    assert desk.get("library/walking?language=fr").status_code == 404
    assert desk.get("library/nothing").status_code == 404
