"""`aftervisit inbox`: what comes back from patients."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import click

from service.cli.output import examples
from service.cli.staff_inbox import close, list_tasks, show, take
from service.inbox.understanding import Understanding, told, understand


@click.group()
def inbox() -> None:
    """What comes back from patients: what texts mean, and what waits for staff."""


@inbox.command(
    epilog=examples(
        "echo '7, please stop' | aftervisit inbox classify",
        "aftervisit inbox classify --explain < texts.txt",
    )
)
@click.option("--explain", is_flag=True, help="Answer for people: each text with the rules.")
def classify(explain: bool) -> None:
    """Say what texts mean, a text a line from stdin; a JSON line each.

    Needs no store and no keys, and changes nothing. A line is {"text", "intents", "check_in",
    "rules"}: the intents of opt_out, opt_in, help, affirm, decline, check_in, urgent and other, the
    answer from 0 to 10 or null, and the names of the rules that said so.
    """
    for text in _lines():
        meant = understand(text)
        click.echo(_explained(text, meant) if explain else _as_json(text, meant))
        sys.stdout.flush()


def _lines() -> Iterator[str]:
    """The lines of stdin, without their ends; bytes that are no UTF-8 are replaced."""
    for line in sys.stdin.buffer if sys.stdin else ():
        yield line.decode(errors="replace").removesuffix("\n").removesuffix("\r")


def _as_json(text: str, meant: Understanding) -> str:
    return json.dumps(
        {
            "text": text,
            "intents": list(meant.intents),
            "check_in": meant.check_in,
            "rules": list(meant.rules),
        }
    )


def _explained(text: str, meant: Understanding) -> str:
    answer = "" if meant.check_in is None else f" {meant.check_in}"
    rules = ", ".join(told(meant.rules, text)) or "no rule fired"
    return f"{text}\n  {', '.join(meant.intents)}{answer}  ({rules})"


for command in (list_tasks, show, take, close):
    inbox.add_command(command)
