"""`aftervisit version`."""

from __future__ import annotations

from importlib import metadata

import click

from service.cli.output import as_json, emit


@click.command()
@as_json
def version(as_json: bool) -> None:
    """Show the installed version."""
    found = metadata.version("aftervisit")
    if as_json:
        emit({"version": found})
    else:
        click.echo(f"aftervisit {found}")
