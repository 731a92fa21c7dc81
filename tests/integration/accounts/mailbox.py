"""What waits to be sent to members of staff, as whoever sends it will see it."""

from __future__ import annotations

from service.bootstrap import Core
from service.store.responses import Response


def mails(core: Core, to: str = "") -> list[Response]:
    """The queued messages, for one mailbox or all."""
    queued = [each for n in range(core.partitions) for each in core.responses.waiting(n, 100)]
    return [each.response for each in queued if not to or each.response.to == to]


def link_in(core: Core, to: str) -> str:
    """The token of the one link that is on its way to a mailbox."""
    (link,) = [mail.values["link"] for mail in mails(core, to) if "link" in mail.values]
    return link.rpartition("/")[2]
