"""Checks of who may sign in to the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.doctor.sentences import ok, warning

if TYPE_CHECKING:
    from service.bootstrap import Core
    from service.findings import Finding


def administrators(core: Core) -> Finding:
    """Whether anybody can sign in who may invite others."""
    name = "console"
    members = core.accounts.all()
    active = [member for member in members if member.standing == "active"]
    if core.accounts.has_admin():
        bare = sum(not member.second_factor for member in active)
        how = "all with a second factor" if not bare else f"{bare} without a second factor"
        return ok(name, f"{len(active)} can sign in, {how}.")
    found = "Nobody can sign in to the console as administrator."
    if core.settings.carriers_on_loopback:
        return ok(name, found)
    return warning(
        name,
        found,
        "Run `aftervisit staff invite EMAIL --name NAME --role admin` "
        "(docs/how-to/console-accounts.md).",
    )
