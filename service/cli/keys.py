"""`aftervisit keys`: see and change the keys that encrypt what is stored of patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from service.cli.output import as_json, emit, examples, note
from service.errors import InvalidInput

if TYPE_CHECKING:
    from service.bootstrap import Core
    from service.keys.rotation import KeyReport, Moved


@click.group()
def keys() -> None:
    """Change the keys that encrypt what is stored, while the service runs."""


@keys.command(epilog=examples("aftervisit keys status", "aftervisit keys status --json"))
@as_json
def status(as_json: bool) -> int:
    """Tell which key encrypts, and how many values are under each.

    It reads the whole store, a little at a time. Exits with 1 where a key is missing.
    """
    from service.cli.opening import opened  # noqa: PLC0415 - --help needs none of it

    with opened() as core:
        report = core.rotation.report()
    if as_json:
        emit(
            {
                "in_use": report.in_use,
                "ring": report.ring,
                "values": report.values,
                "missing": report.missing,
            }
        )
    else:
        _tell(report)
    return 1 if report.missing else 0


def _tell(report: KeyReport) -> None:
    for key_id in dict.fromkeys((*report.ring, *report.values)):
        words = [f"{report.values.get(key_id, 0):,} values"]
        words += ["encrypts"] if key_id == report.in_use else []
        words += ["MISSING from the ring: put it back"] if key_id in report.missing else []
        click.echo(f"{key_id}  {', '.join(words)}")


@keys.command(epilog=examples("aftervisit keys rotate", "aftervisit keys rotate --finish"))
@click.option("--finish", is_flag=True, help="Every part knows the new key: use it.")
@as_json
def rotate(finish: bool, as_json: bool) -> int:
    """Make a new key, use it, and encrypt everything anew, while the service runs.

    On one machine with the embedded store this is one step. Elsewhere every part has to know the
    new key before anything is under it: the first step makes it and says where to put it; the
    second, with --finish, uses it. A step that was cut off is simply run again.
    """
    from service.cli.opening import opened  # noqa: PLC0415

    with opened() as core:
        if not finish and not _all_know_the_new_key(core, in_json=as_json):
            return 0
        in_use = core.rotation.use_newest()
        moved = core.rotation.finish(lambda count: note(f"{count:,} values encrypted anew"))
    if as_json:
        emit({"in_use": in_use, "moved": moved.moved, "unreadable": dict(moved.unreadable)})
    else:
        click.echo(f"{in_use} encrypts. {moved.moved:,} values were encrypted anew.")
    _note_unreadable(moved)
    return 1 if moved.unreadable else 0


def _all_know_the_new_key(core: Core, *, in_json: bool) -> bool:
    """Make a new key where there is none yet; False after saying where else to put it."""
    from service.store.keyfile import add_key  # noqa: PLC0415
    from service.store.keyring import KEYS_FILE  # noqa: PLC0415

    settings, ring = core.settings, core.keyring
    is_new = ring.ids[0] == ring.current
    if settings.secret_keys is not None:
        text = (ring.with_new_key() if is_new else ring).text()
        if in_json:
            emit({"in_use": ring.current, "secret_keys": text})
        else:
            click.echo(text)
        note(
            "That line is secret. Set AFTERVISIT_SECRET_KEYS to it for every part, restart them "
            "all, then run `aftervisit keys rotate --finish`."
        )
        return False
    if is_new:
        ring.take_over(add_key(settings.data_dir))
    if settings.redis_url is None:
        return True
    if in_json:
        emit({"in_use": ring.current, "added": ring.ids[0]})
    note(
        f"The key {ring.ids[0]} is in {settings.data_dir / KEYS_FILE} and encrypts nothing yet. "
        "Copy that file to every machine that runs a part of the service (none has to be "
        "restarted), then run `aftervisit keys rotate --finish`."
    )
    return False


def _note_unreadable(moved: Moved) -> None:
    for key_id, count in sorted(moved.unreadable.items()):
        note(
            f"{count:,} values are under {key_id}, which does not open them, and were left as they "
            f"are. Put that key back into the ring, then run this again."
        )


@keys.command(epilog=examples("aftervisit keys retire 3f9a1c"))
@click.argument("key")
@click.option("--break-links", is_flag=True, help="Though links in recent e-mails need it.")
@as_json
def retire(key: str, break_links: bool, as_json: bool) -> None:
    """Take an old key out of the ring, once nothing is under it any more."""
    from service.cli.opening import opened  # noqa: PLC0415
    from service.store.keyfile import remove_key  # noqa: PLC0415

    with opened() as core:
        if key not in core.keyring.ids:
            known = ", ".join(core.keyring.ids)
            raise InvalidInput("key", "key_unknown", f"There is no such key; the ring has {known}.")
        core.rotation.require_idle(key, break_links=break_links)
        in_file = core.settings.secret_keys is None
        if in_file:
            remove_key(core.settings.data_dir, key)
    if as_json:
        emit({"retired": key, "removed": in_file})
    elif in_file:
        click.echo(f"{key} is out of the ring.")
    else:
        click.echo(f"Take {key} out of AFTERVISIT_SECRET_KEYS of every part; nothing needs it.")
