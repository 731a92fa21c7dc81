"""The audit of what was done to accounts."""

from __future__ import annotations

from service.bootstrap import Core
from service.store.keys import StaffKeys
from service.store.scripts import as_text


def audited(core: Core) -> list[tuple[str, str, str]]:
    """What was done, by whom, with what reason; oldest first."""
    rows = core.client.xrange(StaffKeys.audit) or []
    return [(as_text(f[b"what"]), as_text(f[b"by"]), as_text(f[b"reason"])) for _, f in rows if f]
