"""Our command line, told another time of day: the machine's, shifted by what a file says.

It stands in for a machine whose clock is set. (``libfaketime`` cannot be used: under it Python's
``time.sleep`` fails with EINVAL.) The monotonic clock goes on as it is, as it does on a machine.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

SHIFT_FILE = "TEST_CLOCK_SHIFT_FILE"
"""Environment variable: a file with the seconds to add."""
_real_ns = time.time_ns


def _shifted_ns() -> int:
    return _real_ns() + int(Path(os.environ[SHIFT_FILE]).read_text()) * 10**9


if __name__ == "__main__":
    time.time_ns = _shifted_ns
    time.time = lambda: _shifted_ns() / 1e9

    from service.cli.app import main

    sys.exit(main())
