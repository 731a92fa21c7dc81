"""What commands write: the answer to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console

_Command = TypeVar("_Command", bound=Callable[..., Any])

WIDEST = 100
"""Lines longer than this are hard to read, however wide the terminal is."""


def as_json(command: _Command) -> _Command:
    """The option ``--json``, which every command that answers has."""
    return click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")(command)


def examples(*lines: str) -> str:
    """An epilog that shows commands as they are typed."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


def emit(value: object) -> None:
    """Write an answer as JSON: UTF-8 where stdout takes it, escaped where it does not."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    click.echo(json.dumps(value, indent=2, ensure_ascii=not unicode))


def note(text: str) -> None:
    """Write a line of progress to stderr."""
    click.echo(text, err=True)


def terminal() -> Console:
    """A console on stdout for tables and cards; plain text where stdout is no terminal."""
    from rich.console import Console  # noqa: PLC0415 - a tenth of a second that --json never needs

    console = Console(highlight=False, markup=False, emoji=False)
    console.width = min(console.width, WIDEST)
    return console
