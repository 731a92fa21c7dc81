"""What the listener for mail that comes back is built on."""

from __future__ import annotations

from service.bootstrap.core import Core
from service.errors import ConfigurationError
from service.inbox.heard import heard
from service.inbox.mail.arrivals import Arrivals, InboundEmail
from service.store.mails import Mails
from service.store.reply_records import NewReply


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
        """Record it as understood; the sweep of what is open follows it within the minute."""
        core.replies.record(
            NewReply(
                message_id=email.message_id,
                address=email.mailbox,
                channel="email",
                heard=heard(email.body),
                word="",
                opt_out_type="",
                clinic="",
                via="webhook",
                at_ms=core.machine.now_ms(),
                content={
                    "from": email.sender,
                    "to": "",
                    "service": "",
                    "body": email.body,
                    "media": "0",
                },
            )
        )

    return Arrivals(paths, core.stores, core.receipts, mails, core.index, keep)
