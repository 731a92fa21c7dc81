"""What lint found, told the same way for messages and for series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import click

from service.cli.output import emit, note


class Problem(Protocol):
    """A finding of either lint."""

    @property
    def where(self) -> str:
        """The message, template, step or file."""

    @property
    def rule(self) -> str:
        """The rule's short name."""

    @property
    def detail(self) -> str:
        """What was found and what to do."""


def report(problems: Sequence[Problem], clean: str, *, as_json: bool) -> int:
    """Write the problems, one a line; the exit code.

    Args:
        problems: from lint.
        clean: the sentence for none at all.
        as_json: write ``{"problems": [{"where", "rule", "detail"}]}`` instead.
    """
    if as_json:
        emit(
            {
                "problems": [
                    {"where": problem.where, "rule": problem.rule, "detail": problem.detail}
                    for problem in problems
                ]
            }
        )
    else:
        for problem in problems:
            click.echo(f"{problem.where}: {problem.rule}: {problem.detail}")
    if not problems:
        note(clean)
        return 0
    count = len(problems)
    note(f"{count} {'problem' if count == 1 else 'problems'} to put right.")
    return 1
