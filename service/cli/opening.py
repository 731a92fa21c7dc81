"""The open store for a command that needs it, and who is at the keyboard."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator
from contextlib import contextmanager

from service.bootstrap import Core, open_core
from service.logging import configure_logging
from service.settings import Settings, load_settings

_UNUSUAL = re.compile(r"[^\w.-]")


def settings() -> Settings:
    """The settings, with logs set up as they say.

    Raises:
        ConfigurationError: a setting is wrong.
    """
    found = load_settings()
    configure_logging(found.log_level)
    return found


@contextmanager
def opened() -> Iterator[Core]:
    """The use cases on the store; a short command, which starts and ends an embedded one itself.

    Raises:
        ConfigurationError: a setting or the server is not fit.
        StoreUnavailable: the store does not answer.
    """
    with open_core(settings()) as core:
        yield core


def operator() -> str:
    """Who the audit names: ``cli:`` and the account's name."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in a bare container
        return "cli"
    return f"cli:{_UNUSUAL.sub('-', name)[:32]}"
