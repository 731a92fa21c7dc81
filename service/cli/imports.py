"""`aftervisit import`: many patients, from a file."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final

import click

from service.cli.output import as_json, examples, note

if TYPE_CHECKING:
    from service.bootstrap import Core
    from service.enrolment.bulk.findings import Rejected, Tally
    from service.enrolment.bulk.table import Survey
    from service.enrolment.bulk.terms import Terms
    from service.store.import_records import Import

SHOWN: Final = 100
"""Rejected rows that are shown; all of them are in ``--json`` and ``--rejected``."""
PROGRESS_S: Final = 2.0
HELD_S: Final = 15.0
"""A run that was killed a moment ago still holds its import for at most ten seconds."""
_AGAIN_S: Final = 0.2


@click.command(
    "import",
    epilog=examples(
        "aftervisit import march.csv --dry-run",
        "aftervisit import march.csv --method written --wording 2026-11 \\",
        "    --rejected march-rejected.csv",
        "aftervisit import march.csv --series restless-legs --dates mdy \\",
        "    --timezone America/New_York --json",
    ),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check every row; enrol nobody.")
@click.option("--method", default="", metavar="METHOD", help="How they agreed: written, verbal.")
@click.option("--wording", default="", metavar="VERSION", help="Consent wording they saw or heard.")
@click.option("--clinic", default="", metavar="ID", help="Of rows that name none.")
@click.option("--series", default="", metavar="NAME", help="Of rows that name none.")
@click.option("--language", default="", metavar="CODE", help="The same. [default: en]")
@click.option("--timezone", default="", metavar="ZONE", help="The same: America/New_York.")
@click.option("--state", default="", metavar="CODE", help="The same: OR.")
@click.option(
    "--dates",
    default="iso",
    show_default=True,
    type=click.Choice(["iso", "mdy", "dmy"]),
    help="How days are written: 2026-03-02, 3/2/2026, 2/3/2026.",
)
@click.option("--encoding", default="", metavar="NAME", help="Such as cp1252; seldom needed.")
@click.option(
    "--rejected",
    "rejected_to",
    default=None,
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the rejected rows there, to be put right and imported.",
)
@as_json
def import_(
    file: Path,
    dry_run: bool,
    rejected_to: Path | None,
    as_json: bool,
    **told: Any,  # noqa: ANN401 - texts, as `Terms` has them
) -> None:
    """Enrol the patients of a CSV file, and say of each bad row what is wrong.

    The first row names the columns, in any order: given_name, phone, email, language, timezone,
    bedtime, visit_date, series, clinic, consent (sms, email or both).

    Whoever is in a series already is not enrolled in it again, so that the same file may be
    imported again: after it was put right, or to go on where an import was cut off.
    """
    from messages.catalog import Catalog  # noqa: PLC0415 - --help needs none of it
    from service.bootstrap import clinics_of, open_core  # noqa: PLC0415
    from service.cli.opening import settings  # noqa: PLC0415
    from service.enrolment.bulk.imports import look_over  # noqa: PLC0415
    from service.enrolment.bulk.terms import Terms  # noqa: PLC0415

    terms, configured = Terms(**told), settings()
    # Before the store is even opened: a file that is none leaves no trace on a new machine.
    clinics = clinics_of(configured)
    surveyed = look_over(_opens(file), terms, clinics, Catalog.load(), configured.import_rows)
    for name in surveyed.header.unknown:
        note(f"The column {name} is not read.")
    if not terms.evidence_told and not dry_run:
        note(
            f"How the patients agreed was not told: the evidence will say "
            f'"{terms.filled().method}", wording "{terms.filled().wording}". '
            f"Give --method and --wording."
        )
    with open_core(configured) as core:
        desk = _Desk(core, file, surveyed, terms)
        desk.warn()
        with tempfile.TemporaryFile("w+", encoding="utf-8") as faults:
            tally, one = desk.check(faults) if dry_run else desk.enrol(faults)
            if rejected_to is not None:
                desk.write_rejected(rejected_to, one)
            faults.seek(0)
            if as_json:
                beside = {"dry_run": dry_run, "import": one.id if one else None}
                _emit(tally, {**beside, "unknown_columns": surveyed.header.unknown}, faults)
            else:
                _show(tally, faults, dry_run=dry_run)


class _Desk:
    """One file, on an open store."""

    def __init__(self, core: Core, file: Path, surveyed: Survey, terms: Terms) -> None:
        self._core = core
        self._file = file
        self._surveyed = surveyed
        self._terms = terms
        self._told_at = time.monotonic()

    def warn(self) -> None:
        """Say that the very same file was imported before."""
        from service.clock import from_ms  # noqa: PLC0415

        before = self._core.imports.earlier(self._surveyed.scanned.digest)
        if before is not None and before.over:
            note(
                f"This very file was imported on {from_ms(before.at_ms):%Y-%m-%d} ({before.id}): "
                f"whoever was enrolled then is a duplicate now."
            )

    def check(self, faults: IO[str]) -> tuple[Tally, None]:
        """Check every row."""
        from service.enrolment.bulk.findings import Tally  # noqa: PLC0415

        tally = Tally()
        opened = _opens(self._file)
        for outcome in self._core.imports.check(opened, self._surveyed, self._terms):
            tally.add(outcome.tally)
            _keep(outcome.rejected, faults)
            self._tell(tally, "checked")
        return tally, None

    def enrol(self, faults: IO[str]) -> tuple[Tally, Import]:
        """Enrol whoever can be; goes on where an earlier run of the same file was cut off."""
        from service.cli.opening import operator  # noqa: PLC0415
        from service.enrolment.bulk.findings import Tally  # noqa: PLC0415

        imports = self._core.imports
        one = imports.here(self._surveyed, self._terms, self._file.name, operator())
        if one.done_to:
            note(f"Going on behind row {one.done_to:,}, where this import was cut off.")
        tally = Tally.of(one.tally)
        try:
            for tally in self._run(one):
                self._tell(tally, "done")
        except KeyboardInterrupt:
            note("Stopped. The same command goes on where it was.")
            raise
        one = imports.load(one.id)
        for rejected, _ in imports.not_enrolled(one):
            _keep(rejected, faults)
        return tally, one

    def _run(self, one: Import) -> Iterator[Tally]:
        from service.enrolment.bulk.imports import ImportHeld  # noqa: PLC0415
        from service.store.keys import new_attempt_id, system_random  # noqa: PLC0415

        token, until = new_attempt_id(0, system_random), time.monotonic() + HELD_S
        while True:
            try:
                yield from self._core.imports.run_here(
                    one, _opens(self._file), self._surveyed, token
                )
            except ImportHeld:
                if time.monotonic() > until:
                    raise
                time.sleep(_AGAIN_S)
            else:
                return

    def write_rejected(self, path: Path, one: Import | None) -> None:
        """Write the rejected rows as a file."""
        from service.enrolment.bulk.sheet import sheet  # noqa: PLC0415

        imports, opened = self._core.imports, _opens(self._file)
        if one is None:
            outcomes = imports.check(opened, self._surveyed, self._terms)
            rejected = (each for outcome in outcomes for each in outcome.rejected)
        else:
            rejected = (each for some, _ in imports.not_enrolled(one) for each in some)
        with path.open("w", encoding="utf-8", newline="") as out:
            out.writelines(sheet(self._surveyed.header.names, rejected))

    def _tell(self, tally: Tally, word: str) -> None:
        now = time.monotonic()
        if now - self._told_at >= PROGRESS_S:
            self._told_at = now
            note(f"{tally.rows:,} of {self._surveyed.rows:,} rows {word}")


def _opens(file: Path) -> Any:  # noqa: ANN401 - a function that opens the file
    def opened() -> BinaryIO:
        return file.open("rb")

    return opened


def _keep(rejected: Iterable[Rejected], faults: IO[str]) -> None:
    """Note rows and what is wrong with them, a line each; nothing of their cells."""
    for each in rejected:
        first = each.problems[0]
        problems = [
            {"column": problem.column, "code": problem.code, "message": problem.message}
            for problem in each.problems
        ]
        told = {"row": each.row, "column": first.column, "code": first.code}
        json.dump({**told, "message": first.message, "problems": problems}, faults)
        faults.write("\n")


def _emit(tally: Tally, beside: dict[str, Any], faults: Iterable[str]) -> None:
    """Write the answer as JSON, the rejected rows one by one: there may be a million of them."""
    counts = {name: count for name, count in tally.counts().items() if name != "rejected"}
    head = json.dumps({**counts, "rejected_rows": tally.rejected, **beside}, indent=2)
    click.echo(head.removesuffix("\n}") + ",")
    click.echo('  "rejected": [', nl=False)
    for turn, line in enumerate(faults):
        click.echo(("," if turn else "") + f"\n    {line.rstrip()}", nl=False)
    click.echo("\n  ]\n}")


def _show(tally: Tally, faults: Iterable[str], *, dry_run: bool) -> None:
    """Write the answer for a person."""
    verb = "to be enrolled" if dry_run else "enrolled"
    click.echo(
        f"{tally.rows:,} rows: {tally.accepted:,} {verb}, {tally.duplicates:,} duplicates, "
        f"{tally.rejected:,} rejected."
    )
    if tally.duplicates:
        before = tally.duplicates - tally.repeated
        click.echo(
            f"Of the duplicates {tally.repeated:,} repeat a row of this file, and {before:,} are "
            f"in that series already."
        )
    if tally.shared:
        click.echo(f"{tally.shared:,} share a phone or mailbox with somebody in the same series.")
    if tally.silent:
        click.echo(f"{tally.silent:,} have opted out before by an address, which stays silent.")
    for turn, line in enumerate(faults):
        if turn == SHOWN:
            click.echo(f"... and {tally.rejected - SHOWN:,} more: --rejected FILE writes them all.")
            break
        told = json.loads(line)
        for problem in told["problems"]:
            column = f"{problem['column']}: " if problem["column"] else ""
            click.echo(f"row {told['row']}  {column}{problem['message']}")
