"""A group of commands that imports a command only when it is asked for.

``aftervisit messages list`` must not pay for Celery, nor ``--help`` for anything at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

import click


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command is, and what the overview says of it.

    Attributes:
        target: ``module:name`` of a ``click.Command``.
        summary: one short sentence without its full stop.
    """

    target: str
    summary: str


class LazyGroup(click.Group):
    """The root of the command line: its commands stand in sections, in the order given."""

    def __init__(
        self,
        *,
        sections: Mapping[str, Mapping[str, Lazy]],
        help: str,  # noqa: A002 - click's word for it
        epilog: str,
        options: Sequence[click.Option],
    ) -> None:
        super().__init__(
            "aftervisit", help=help, epilog=epilog, params=list(options), no_args_is_help=True
        )
        self._sections = sections
        self._lazy = {name: lazy for section in sections.values() for name, lazy in section.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order of the overview."""
        return list(self._lazy)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """Import one command; None where there is none of that name."""
        lazy = self._lazy.get(cmd_name)
        if lazy is None:
            return None
        module, _, name = lazy.target.partition(":")
        command = getattr(import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{lazy.target} is not a click command")
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the overview without importing a single command."""
        for title, commands in self._sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, lazy.summary) for name, lazy in commands.items()])
