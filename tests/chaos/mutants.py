"""Faults planted in a copy of the service, to see that the checker finds them.

A copy of the packages is changed at one place and run instead of the installed ones; the service
itself knows nothing of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("messages", "schedules", "service")


@dataclass(frozen=True)
class Mutant:
    """A fault.

    Attributes:
        path: the file it is planted in.
        changes: text that stands there once -> what it becomes.
        rule: the promise that the checker must find broken.
    """

    path: str
    changes: Mapping[str, str]
    rule: str


NO_FENCING: Final = Mutant(
    "service/store/scripts/begin.lua",
    {
        "  if not flight then return 'lost' end\n": (
            "  flight = flight or (ARGV[at + 2] .. '|c|0')\n"
        ),
        "  if token ~= ARGV[at + 2] then return 'lost' end\n": "  token = ARGV[at + 2]\n",
        "  if state ~= 'c' then return 'lost' end\n": "",
    },
    "doubled",
)
NO_SUPPRESSION_CHECK: Final = Mutant(
    "service/store/scripts/begin.lua",
    {"  if copy and string.match(copy, '^%d+|1') then return 'suppressed' end\n": ""},
    "after opt-out",
)
RESEND_ON_AN_EMPTY_LIST: Final = Mutant(
    "service/dispatch/settle.py",
    {
        "            if settled is not None:\n": (
            "            if settled is None:\n"
            "                from service.store.dispatching import Conclusion\n"
            "                flight = question.flight\n"
            "                self._stores.dispatch.conclude([Conclusion(\n"
            "                    subscription.id, flight.token, 'bq', 'due', flight.due_ms,\n"
            "                    attempt=flight.attempt, frees_day=True)])\n"
            "            if settled is not None:\n"
        ),
    },
    "doubled",
)


def planted(mutant: Mutant, directory: Path) -> Path:
    """A tree of the service's packages with the fault in it.

    Raises:
        AssertionError: the place is no longer there: plant the fault where its code is now.
    """
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package,
            directory / package,
            ignore=shutil.ignore_patterns("__pycache__"),
            dirs_exist_ok=True,
        )
    path = directory / mutant.path
    text = path.read_text("utf-8")
    for sound, broken in mutant.changes.items():
        assert text.count(sound) == 1, f"{mutant.path} has changed; plant this elsewhere: {sound}"
        text = text.replace(sound, broken)
    path.write_text(text, "utf-8")
    return directory
