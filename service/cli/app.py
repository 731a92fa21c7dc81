"""The command `aftervisit`. Loads next to nothing itself, so Ctrl-C is heeded from the start."""

from __future__ import annotations

import _thread
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""
_AGAIN_S = 0.05


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code: 0, 1 for a failure, 2 for wrong input, 130 for Ctrl-C.

    Args:
        arguments: without the program's name; those of the process by default.
    """
    try:
        sys.unraisablehook = _heed
        from service.cli.root import run  # noqa: PLC0415 - takes its time, in which Ctrl-C may come

        return run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        return INTERRUPTED


def _heed(dropped: UnraisableHookArgs) -> None:
    """Raise Ctrl-C once more where it came in a callback or a ``__del__``.

    Python drops what is raised there, such as in a callback of the import machinery, and a command
    that is still loading would go on.
    """
    if issubclass(dropped.exc_type, KeyboardInterrupt):
        _thread.start_new_thread(_interrupt_again, ())
    else:
        sys.__unraisablehook__(dropped)


def _interrupt_again() -> None:
    time.sleep(_AGAIN_S)  # by then the callback is over
    _thread.interrupt_main()
