"""A member of staff to look at the demonstration's console with."""

from __future__ import annotations

from dataclasses import dataclass, field

from service.accounts.roles import Role
from service.bootstrap import Core
from service.errors import ConfigurationError
from service.store.keys import letters, system_random

EMAIL = "nurse@riverside.example"
NAME = "Robin Vega"


@dataclass(frozen=True, slots=True)
class SampleMember:
    """Who may sign in, and how.

    Attributes:
        address: of the console.
    """

    address: str
    email: str
    password: str = field(repr=False)


def sample_member(core: Core) -> SampleMember:
    """Enter an administrator with a password made for this installation.

    Raises:
        ConfigurationError: real patients can be reached; a password is not to be printed there.
        InvalidInput: the sample member is there already.
    """
    if not core.settings.carriers_on_loopback:
        raise ConfigurationError("A sample member is for the demonstration alone.")
    drawn = letters(system_random(16))
    password = "-".join(drawn[at : at + 4] for at in range(0, len(drawn), 4))
    core.accounts.create(email=EMAIL, name=NAME, role=Role.ADMIN, password=password, source="demo")
    return SampleMember(f"{core.settings.public_base}/console/", EMAIL, password)
