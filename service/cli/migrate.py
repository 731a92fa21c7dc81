"""`aftervisit series diff` and `migrate`: compare versions, and move patients who are under way."""

from __future__ import annotations

import os
import secrets
import time
from typing import TYPE_CHECKING, Final

import click

from service.cli.options import WholeNumber
from service.cli.output import as_json, emit, examples, note
from service.errors import InvalidInput

if TYPE_CHECKING:
    from schedules.versions import Difference, StepChange
    from service.store.migrations import Migration

LAST_VERSION: Final = 9999
_VERSION: Final = WholeNumber(1, LAST_VERSION)
_FROM = click.option(
    "--from", "old", type=_VERSION, required=True, metavar="V", help="Version they are in."
)
_TO = click.option(
    "--to", "new", type=_VERSION, default=None, metavar="V", help="Other version. [default: newest]"
)


@click.command(epilog=examples("aftervisit series diff restless-legs --from 1 --to 2"))
@click.argument("series")
@_FROM
@_TO
@as_json
def diff(series: str, old: int, new: int | None, as_json: bool) -> None:
    """Show what differs between two versions of a series."""
    from schedules.series import load_series  # noqa: PLC0415 - --help needs none of it
    from schedules.versions import difference  # noqa: PLC0415

    found = difference(load_series(series, old), load_series(series, new))
    if as_json:
        emit(described(found))
        return
    for setting in found.settings:
        click.echo(f"{setting.name}: {setting.old} -> {setting.new}")
    for change in found.steps:
        words = ", ".join(change.changes)
        click.echo(f"{change.step}: {words}{_sides(change)}")
    if not found.settings and not found.steps:
        click.echo("Nothing differs.")


def described(found: Difference) -> dict[str, object]:
    """The difference, for ``--json``."""
    return {
        "series": found.new.name,
        "from": found.old.version,
        "to": found.new.version,
        "settings": [
            {"setting": each.name, "from": each.old, "to": each.new} for each in found.settings
        ],
        "steps": [
            {
                "step": each.step,
                "changes": [str(change) for change in each.changes],
                "from": _step(each, newer=False),
                "to": _step(each, newer=True),
            }
            for each in found.steps
        ],
    }


def _step(change: StepChange, *, newer: bool) -> dict[str, object] | None:
    from schedules.versions import span  # noqa: PLC0415

    step = change.new if newer else change.old
    if step is None:
        return None
    return {
        "step": step.id,
        "message": step.message,
        "day": step.day,
        "at": str(step.at),
        "channel": step.channel,
        "kind": step.kind,
        "expires_after": span(step.expires_after),
        "unless": None if step.unless is None else str(step.unless),
    }


def _sides(change: StepChange) -> str:
    """What changed, on both sides: ``  (day 4 -> 6)``."""
    old, new = _step(change, newer=False), _step(change, newer=True)
    if old is None or new is None:
        step = new or old or {}
        return f"  (day {step['day']} {step['at']}, {step['channel']})"
    told = [f"{name} {old[name]} -> {new[name]}" for name in old if old[name] != new[name]]
    return f"  ({'; '.join(told)})" if told else ""


@click.command(
    epilog=examples(
        "aftervisit series migrate restless-legs --from 1 --to 2 --dry-run",
        "aftervisit series migrate restless-legs --from 1 --to 2 --clinic riverside --json",
    )
)
@click.argument("series")
@_FROM
@_TO
@click.option("--dry-run", is_flag=True, help="Only tell what would change, and for how many.")
@click.option(
    "--clinic", "clinics", multiple=True, metavar="CLINIC", help="Patients of this clinic only."
)
@click.option(
    "--patience",
    type=WholeNumber(0, 86_400),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for those in flight.",
)
@as_json
def migrate(
    series: str,
    old: int,
    new: int | None,
    dry_run: bool,
    clinics: tuple[str, ...],
    patience: int,
    as_json: bool,
) -> int:
    """Move patients who are under way to another version of their series.

    Nothing they had is sent again, and nothing still to come is lost; what is late goes as the
    series' catch-up policy has it. Cut off, run it again: it goes on, and nobody is moved twice.
    Exits with 1 where somebody is left: in flight just then, or not readable.
    """
    from schedules.series import load_series  # noqa: PLC0415 - --help needs none of it
    from service.cli.opening import opened, operator  # noqa: PLC0415
    from service.store.migrations import Order  # noqa: PLC0415

    token = f"{os.getpid()}-{secrets.token_hex(4)}"
    version = new or load_series(series).version
    with opened() as core:
        unknown = sorted(set(clinics) - set(core.clinics))
        if unknown:
            known = ", ".join(sorted(core.clinics))
            raise InvalidInput("clinic", "clinic_unknown", f"No clinic {unknown[0]}: {known}.")
        order = Order(series, old, version, tuple(sorted(set(clinics))), dry_run)
        started = core.series_migrations.start(order, by=operator())
        found = core.series_migrations.finish(
            started.id, token=token, patience_s=patience, sleep=time.sleep, told=_told
        )
    if as_json:
        emit(outcome(found))
    else:
        _print(found)
    counts = found.progress.counts
    return 1 if found.is_open or counts.get("unreadable") else 0


def _told(migration: Migration) -> None:
    counts = migration.progress.counts
    note(f"{counts.get('patients', 0):,} patients seen, {counts.get('left', 0):,} in flight")


def outcome(found: Migration) -> dict[str, object]:
    """How a migration stands, for ``--json``."""
    order, progress = found.order, found.progress
    zeros = dict.fromkeys(("patients", "moved", "left", "unreadable", "unchanged", "over"), 0)
    counts = {**zeros, **progress.counts}
    if order.dry:
        counts["moved"] = 0
    return {
        "migration": found.id,
        "series": order.series,
        "from": order.old,
        "to": order.new,
        "clinics": list(order.clinics),
        "dry_run": order.dry,
        "state": found.state,
        **counts,
        "steps": progress.steps,
        "examples": list(progress.examples),
    }


_LINES: Final = (
    ("unchanged", "get the same messages at the same times"),
    ("gets", "get messages that they would not have got"),
    ("loses", "no longer get some messages"),
    ("shifted", "get some at another time"),
    ("changed", "get some with another message, channel or branch"),
    ("late", "have messages whose time has passed"),
    ("over", "have nothing left to get"),
)


def _print(found: Migration) -> None:
    order, counts = found.order, found.progress.counts
    would = "would be" if order.dry else "were"
    done = counts.get("moved", 0) + (counts.get("left", 0) if order.dry else 0)
    click.echo(f"{done:,} patients {would} moved from version {order.old} to {order.new}.")
    for word, sentence in _LINES:
        if counts.get(word):
            click.echo(f"  {counts[word]:,} {sentence}{_which(found, word)}")
    if counts.get("late"):
        click.echo(
            f"  Of the late messages {counts.get('late_sent', 0):,} go out, one a day at most, and "
            f"{counts.get('late_passed', 0):,} are passed over."
        )
    if counts.get("unreadable"):
        note(f"{counts['unreadable']:,} could not be read: see the log.")
    if found.is_open:
        note(f"{counts.get('left', 0):,} are in flight just now: run it again to move them.")


def _which(found: Migration, kind: str) -> str:
    steps = found.progress.steps.get(kind)
    if not steps:
        return "."
    most = sorted(steps.items(), key=lambda each: (-each[1], each[0]))
    return ": " + ", ".join(f"{name} ({count:,})" for name, count in most[:8]) + "."
