"""A command line whose process dies at once when it composes a message for a certain patient.

It stands in for whatever kills a process without a word: a fault in a C extension, the kernel's
out-of-memory killer.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TypeVar

from service.cli.app import main
from service.dispatch.compose import Composer

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.dispatch.compose import Delivery

POISON = "Mallory"
"""The given name of that patient."""
T = TypeVar("T")


def deadly(compose: Callable[[Composer, Delivery], T]) -> Callable[[Composer, Delivery], T]:
    """The same method, but for the one patient."""

    def composed(composer: Composer, delivery: Delivery) -> T:
        if delivery.patient.given_name == POISON:
            os._exit(1)
        return compose(composer, delivery)

    return composed


if __name__ == "__main__":
    for method in ("text", "email"):
        setattr(Composer, method, deadly(getattr(Composer, method)))
    sys.exit(main())
