"""`aftervisit series`: list, check, preview and compare; to move patients see ``migrate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from schedules.series import list_series
from service.cli.migrate import diff, migrate
from service.cli.output import as_json, emit, examples, terminal

if TYPE_CHECKING:
    from service.authoring.preview import Preview


@click.group()
def series() -> None:
    """List, check and preview the series that patients are enrolled in; move those under way."""


for command in (diff, migrate):
    series.add_command(command)


@series.command("list", epilog=examples("aftervisit series list --json"))
@as_json
def list_all(as_json: bool) -> None:
    """List every version of every series.

    Patients under way keep the version that they began with.
    """
    found = list_series()
    if as_json:
        emit(
            [
                {
                    "series": each.name,
                    "version": each.version,
                    "steps": len(each.steps),
                    "title": each.title,
                    "frequency": each.frequency,
                    "nightly": each.nightly,
                    "catch_up": each.catch_up,
                }
                for each in found
            ]
        )
        return
    from service.cli.timeline import overview  # noqa: PLC0415 - Rich is not for --json

    terminal().print(overview(found))


@series.command(epilog=examples("aftervisit series lint"))
@as_json
def lint(as_json: bool) -> int:
    """Check every series against the rules.

    Order, times, caps, how long a step is useful, and that each message exists. Exits with 1
    where something is to be put right.
    """
    from messages.catalog import Catalog  # noqa: PLC0415 - the list needs no messages
    from schedules.lint import lint_all  # noqa: PLC0415
    from service.cli.problems import report  # noqa: PLC0415

    problems = lint_all(Catalog.load())
    return report(problems, "The series keep all rules.", as_json=as_json)


@series.command(
    epilog=examples(
        "aftervisit series preview sleep-hygiene --start 2026-03-02 \\",
        "    --timezone America/New_York --bedtime 22:30",
        "aftervisit series preview restless-legs --start 2026-03-02 \\",
        "    --timezone America/Los_Angeles --state CA --channels email --json",
    )
)
@click.argument("series")
@click.option("--start", required=True, metavar="DATE", help="First day, such as 2026-03-02.")
@click.option("--timezone", required=True, metavar="ZONE", help="Such as America/New_York.")
@click.option(
    "--bedtime", default="22:30", show_default=True, metavar="HH:MM", help="The patient's bedtime."
)
@click.option("--language", default="en", show_default=True, help="Language, such as en or es.")
@click.option(
    "--state", default="", metavar="CODE", help="US state; unknown: hours that suit every state."
)
@click.option("--country", default="US", show_default=True, metavar="CODE", help="Country.")
@click.option(
    "--channels",
    default="sms,email",
    show_default=True,
    help="How the patient may be written to: sms, email or both.",
)
@click.option(
    "--enrolled-at",
    default="",
    metavar="INSTANT",
    help="When they join, with offset. [default: before the first day]",
)
@click.option("--version", type=int, default=None, help="Version of the series. [default: newest]")
@as_json
def preview(as_json: bool, **options: str | int | None) -> None:
    """Show a series as one patient would get it.

    Every message with its time, on the patient's clock and in UTC, and its words. Daily caps and
    other series of the same patient are left out.
    """
    from service.cli import preview as previews  # noqa: PLC0415

    found = previews.preview_of(options)  # type: ignore[arg-type]
    if as_json:
        emit(previews.as_json(found))
        return
    _print_timeline(found)


def _print_timeline(found: Preview) -> None:
    from service.cli.timeline import timeline  # noqa: PLC0415

    terminal().print(timeline(found))
