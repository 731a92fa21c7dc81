"""Moves the wall clock of a Python process by what a file says, as somebody who sets it would.

Python imports this module at its start where its directory is on ``PYTHONPATH``; the service knows
nothing of it. ``CHAOS_CLOCK`` names a file that holds seconds. The monotonic clock goes on as it
was: that is what a machine whose clock is set sees. (libfaketime 0.9.10 cannot do that: where it
leaves the monotonic clock alone, ``time.sleep`` fails with EINVAL.)
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import time_machine

LOOK_S = 0.05
DRIFT_S = 0.02
"""A process that is frozen or starved while it sets its clock sets it late, and once more then."""
_FILE = Path(os.environ["CHAOS_CLOCK"])


class _Clock:
    """Follows the file for as long as the process lives."""

    offset_s: int = 0
    travel: time_machine.travel | None = None
    started_at: float = time.time() - time.monotonic()
    """The true time is this much ahead of the monotonic clock, which nobody moves."""

    def follow(self) -> None:
        while True:
            try:
                wanted = int(_FILE.read_text())
            except (OSError, ValueError):
                wanted = self.offset_s
            if wanted != self.offset_s or abs(self.drift()) > DRIFT_S:
                self.move(wanted)
            time.sleep(LOOK_S)

    def now(self) -> float:
        """The true time."""
        return self.started_at + time.monotonic()

    def drift(self) -> float:
        """How far the moved clock is from where it should be."""
        return time.time() - self.offset_s - self.now()

    def move(self, wanted: int) -> None:
        travel = time_machine.travel(self.now() + wanted, tick=True)
        if self.travel is not None:
            self.travel.stop()
        travel.start()
        time.time_ns()  # it counts from the first question
        self.offset_s, self.travel = wanted, travel


_clock = _Clock()


def _watch() -> None:
    threading.Thread(target=_clock.follow, name="moved-clock", daemon=True).start()


os.register_at_fork(after_in_child=_watch)
_watch()
