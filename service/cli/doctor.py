"""`aftervisit doctor`: what is wrong with this installation, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from service.cli.output import as_json, emit, examples, note, terminal

if TYPE_CHECKING:
    from service.findings import Finding

_MARKS = {"ok": ("ok", "green"), "warning": ("warn", "yellow"), "problem": ("FAIL", "bold red")}


@click.command(epilog=examples("aftervisit doctor", "aftervisit doctor --connect --json"))
@click.option("--connect", is_flag=True, help="Greet the mail servers, too; nothing is sent.")
@as_json
def doctor(connect: bool, as_json: bool) -> int:
    """Check settings, store, clocks, keys and senders, and say what to do.

    It changes nothing, sends nothing, and shows no secret and no patient. Exits with 1
    where something keeps the service, or one of its promises, from working.
    """
    from service.cli.opening import settings  # noqa: PLC0415 - --help needs none of it
    from service.doctor.diagnose import diagnose  # noqa: PLC0415

    findings = diagnose(settings(), connect=connect)
    problems = [finding for finding in findings if finding.status == "problem"]
    if as_json:
        emit({"healthy": not problems, "findings": [asdict(finding) for finding in findings]})
    else:
        _print(findings)
        note(_summary(findings))
    return 1 if problems else 0


def _print(findings: Sequence[Finding]) -> None:
    from rich.table import Table  # noqa: PLC0415 - Rich is not for --json
    from rich.text import Text  # noqa: PLC0415

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for finding in findings:
        mark, style = _MARKS[finding.status]
        told = Text(finding.detail)
        if finding.remedy:
            told.append(f"\n{finding.remedy}", style="italic")
        table.add_row(Text(mark, style=style), finding.name, told)
    terminal().print(table)


def _summary(findings: Sequence[Finding]) -> str:
    count = {
        status: sum(finding.status == status for finding in findings)
        for status in ("problem", "warning")
    }
    if not any(count.values()):
        return "All is well."
    told = [f"{n} {word}{'s' if n != 1 else ''}" for word, n in count.items() if n]
    return f"{' and '.join(told)}; what to do stands below each."
