"""How far one e-mail has come, told to the thread that sends it and the loop that watches it."""

from __future__ import annotations

import threading
import time
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Stage(IntEnum):
    """How far a message has come; only from ``ENDED`` on may the server have it."""

    WAITING = 0
    CONNECTING = 1
    ENVELOPE = 2
    BODY = 3
    ENDED = 4


class Cut(Exception):
    """The deadline has passed; nothing further was begun."""


class Errand:
    """One message on its way; shared by the thread that sends it and the loop that watches it.

    Args:
        total_s: seconds from now until it is cut.
    """

    def __init__(self, total_s: float) -> None:
        self.stage = Stage.WAITING
        self._until = time.monotonic() + total_s
        self._lock = threading.Lock()
        self._cut = False
        self._shut: Callable[[], None] | None = None

    def enter(self, stage: Stage) -> None:
        """Begin the next stage.

        Raises:
            Cut: the deadline has passed; the stage stays what it was.
        """
        with self._lock:
            if self._cut or time.monotonic() > self._until:
                raise Cut
            self.stage = stage

    def ride(self, shut: Callable[[], None] | None) -> None:
        """Say what is to be shut when the deadline passes: the connection now in use, or none."""
        with self._lock:
            self._shut = shut
            if self._cut and shut is not None:
                shut()

    def remaining_s(self) -> float:
        """Seconds left, at least a hundredth (a socket takes zero for "do not block")."""
        return max(self._until - time.monotonic(), 0.01)

    @property
    def over(self) -> bool:
        """Whether it was cut; what broke the conversation then is that."""
        return self._cut

    def cut(self) -> bool:
        """End it now; whether there was a connection to shut, so that the thread ends at once."""
        with self._lock:
            self._cut = True
            if self._shut is None:
                return False
            self._shut()
            return True
