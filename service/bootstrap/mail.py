"""What the listener for mail that comes back is built on."""

from __future__ import annotations

from service.bootstrap.core import Core
from service.errors import ConfigurationError
from service.inbox.mail.arrivals import Arrivals, InboundEmail
from service.store.mails import Mails


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
        core.inbox.receive_email(email)

    return Arrivals(paths, core.stores, core.receipts, mails, core.index, keep)
