"""What the listener for mail that comes back is built on."""

from __future__ import annotations

from service.bootstrap.core import Core
from service.errors import ConfigurationError
from service.inbox.mail.arrivals import Arrivals, InboundEmail
from service.store.mails import Mails
from service.store.replies import NewReply


def arrivals_of(core: Core) -> Arrivals:
    """Reads and follows mail that came back.

    Raises:
        ConfigurationError: no return address is set.
    """
    paths = core.return_paths
    if paths is None:
        raise ConfigurationError(
            "Nothing comes back without a return address: set AFTERVISIT_RETURN_ADDRESS, "
            "such as bounces@mail.clinic.example."
        )
    mails = Mails(core.scripts, core.suppressions.keys, core.business)

    def keep(email: InboundEmail) -> None:
        content = {"from": email.sender, "attempt": email.attempt, "body": email.body}
        core.replies.record(
            NewReply(
                message_id=email.message_id,
                address=email.mailbox,
                keyword="",
                word="",
                opt_out_type="",
                clinic="",
                via="webhook",
                at_ms=core.machine.now_ms(),
                content=content,
            )
        )

    return Arrivals(paths, core.stores, core.receipts, mails, core.index, keep)
