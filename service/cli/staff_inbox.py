"""`aftervisit inbox list`, `show`, `take`, `close`: what waits for staff, from a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from service.cli.output import as_json, emit, examples, terminal
from service.errors import InvalidInput

if TYPE_CHECKING:
    from service.bootstrap import Core
    from service.reporting.tasks import Waiting

_TASK = click.argument("task")


@click.command("list", epilog=examples("aftervisit inbox list", "aftervisit inbox list --json"))
@as_json
def list_tasks(as_json: bool) -> None:
    """List what waits for staff: urgent replies first, then whom to call, then what to read.

    What patients wrote is patient data: mind who sees your screen.
    """
    from service.cli.opening import opened  # noqa: PLC0415 - --help needs none of it
    from service.reporting.tasks import waiting  # noqa: PLC0415

    with opened() as core:
        found, now_ms = waiting(core.tasks), core.machine.now_ms()
    if as_json:
        emit([each.row() for each in found])
        return
    from service.cli.task_cards import table  # noqa: PLC0415

    terminal().print(table(found, now_ms))


@click.command(epilog=examples("aftervisit inbox show 0k3mxq7r2vbt"))
@_TASK
@as_json
def show(task: str, as_json: bool) -> None:
    """Show one task: what was written, what was understood of it and why, and whom it is about."""
    from service.cli.opening import opened  # noqa: PLC0415

    with opened() as core:
        found, now_ms = _found(core, task), core.machine.now_ms()
    if as_json:
        emit(found.row())
        return
    from service.cli.task_cards import card  # noqa: PLC0415

    terminal().print(card(found, now_ms))


@click.command(epilog=examples("aftervisit inbox take 0k3mxq7r2vbt"))
@_TASK
@as_json
def take(task: str, as_json: bool) -> None:
    """Say that you see to a task; nobody is alerted of it any more."""
    from service.cli.opening import opened, operator  # noqa: PLC0415

    with opened() as core:
        core.tasks.take(task, operator())
        found = _found(core, task)
    _told(found, f"The task {task} is yours.", as_json=as_json)


@click.command(epilog=examples("aftervisit inbox close 0k3mxq7r2vbt --note called"))
@_TASK
@click.option("--note", default="", metavar="WORD", help="One word for the audit, such as called.")
@as_json
def close(task: str, note: str, as_json: bool) -> None:
    """Say that nothing is left to do about a task."""
    from service.cli.opening import opened, operator  # noqa: PLC0415

    if note and not (note.isascii() and note.replace("-", "").replace("_", "").isalnum()):
        raise InvalidInput(
            "note", "note_bad", "Give one word without patient data, such as called."
        )
    with opened() as core:
        core.tasks.close(task, operator(), note)
        found = _found(core, task)
    _told(found, f"The task {task} is closed.", as_json=as_json)


def _found(core: Core, task: str) -> Waiting:
    from service.reporting.tasks import with_content  # noqa: PLC0415

    return with_content(core.tasks, core.tasks.find(task))


def _told(found: Waiting, sentence: str, *, as_json: bool) -> None:
    if as_json:
        emit(found.row())
    else:
        click.echo(sentence)
