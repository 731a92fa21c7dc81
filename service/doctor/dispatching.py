"""Checks of what an open installation has on record: refused senders, and who may sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.bootstrap import Core
from service.doctor import staff
from service.doctor.sentences import ok, warning
from service.errors import AftervisitError

if TYPE_CHECKING:
    from service.findings import Finding
    from service.settings import Settings


def records(settings: Settings, url: str) -> list[Finding]:
    """What stands in an installation that has been begun and whose keys fit.

    Nothing where it cannot be opened for another reason, which another finding tells.
    """
    try:
        core = Core(settings, url)
    except AftervisitError:
        return []
    try:
        return [*_senders(core), staff.administrators(core)]
    finally:
        core.close()


def _senders(core: Core) -> list[Finding]:
    """Whether any sender is stopped."""
    name = "senders"
    stopped = core.sender_list.stopped()
    if not stopped:
        return [ok(name, "None is stopped by its provider.")]
    return [
        warning(
            name,
            f"{sender.address} is stopped since {sender.since:%Y-%m-%d %H:%M} UTC: "
            f"{sender.reason} {sender.code}".strip(),
            "Mend it at the provider; it goes on by itself within a minute, or at once by "
            f"aftervisit dispatch resume {sender.address}",
        )
        for sender in stopped
    ]
