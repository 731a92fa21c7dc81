"""`aftervisit join` and `wordings`: what a clinic prints for those who join. Needs no store."""

from __future__ import annotations

from pathlib import Path

import click

from service.cli.output import as_json, emit, examples
from service.enrolment.wordings import LANGUAGES, versions, wording

_language = click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="Of the words.",
)
_clinic = click.option(
    "--clinic", default="", metavar="ID", help="Id of the clinic; not needed where there is one."
)


@click.group()
def join() -> None:
    """Let patients join by themselves."""


@join.command(
    epilog=examples(
        "aftervisit join poster --clinic riverside --format pdf -o poster.pdf",
        "aftervisit join poster --language es --format svg -o poster-es.svg",
    )
)
@_clinic
@click.option(
    "--format", "kind", type=click.Choice(("svg", "pdf")), default="pdf", help="Of the file."
)
@_language
@click.option(
    "--paper", type=click.Choice(("a4", "letter")), help="Of the printer. [default: its country's]"
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="File to write.",
)
@as_json
def poster(
    clinic: str, kind: str, language: str, paper: str | None, output: Path, as_json: bool
) -> None:
    """Write a poster with a code to scan, an address to type and a word to text.

    Set AFTERVISIT_PUBLIC_URL first: the code holds it.
    """
    from service.bootstrap import clinics_of  # noqa: PLC0415 - --help needs none of it
    from service.cli.opening import settings  # noqa: PLC0415
    from service.dispatch.senders import Senders  # noqa: PLC0415
    from service.enrolment.form import read_clinic  # noqa: PLC0415
    from service.enrolment.reachable import number_of  # noqa: PLC0415
    from service.poster.posters import poster as made  # noqa: PLC0415

    configured = settings()
    clinics = clinics_of(configured)
    found = read_clinic(clinic, clinics)
    output.write_bytes(
        made(
            found,
            "svg" if kind == "svg" else "pdf",
            language=language,
            base=configured.public_base,
            number=number_of(found, Senders(configured, clinics)),
            paper=paper or "",
        )
    )
    url = f"{configured.public_base}/join/{found.id}"
    if as_json:
        emit({"clinic": found.id, "language": language, "url": url, "file": str(output)})
        return
    click.echo(f"Wrote {output}: it leads to {url}")


@click.group()
def wordings() -> None:
    """Show what people read before they agree, version by version."""


@wordings.command("list", epilog=examples("aftervisit wordings list"))
@as_json
def list_wordings(as_json: bool) -> None:
    """List the versions, the newest last; new forms show that one."""
    if as_json:
        emit([{"version": version, "languages": list(LANGUAGES)} for version in versions()])
        return
    for version in versions():
        click.echo(f"{version}  {', '.join(LANGUAGES)}")


@wordings.command(epilog=examples("aftervisit wordings show 2026-11 --language es"))
@click.argument("version", default="")
@_language
@_clinic
@as_json
def show(version: str, language: str, clinic: str, as_json: bool) -> None:
    """Show a version as a clinic's patients read it; the newest where none is named.

    Evidence of consent names it as VERSION/LANGUAGE, and so may `enroll --wording`.
    """
    from service.bootstrap import clinics_of  # noqa: PLC0415
    from service.cli.opening import settings  # noqa: PLC0415
    from service.enrolment.form import read_clinic  # noqa: PLC0415
    from service.enrolment.joining_form import shown_wording  # noqa: PLC0415

    wording(language, version)  # before settings are looked at: a slip is told first
    found = shown_wording(read_clinic(clinic, clinics_of(settings())), language, version)
    if as_json:
        emit(
            {
                "wording": found.name,
                "version": found.version,
                "language": found.language,
                "sms": found.sms,
                "email": found.email,
                "title": found.title,
                "disclosures": list(found.disclosures),
            }
        )
        return
    click.echo(f"Wording {found.name}\n")
    click.echo(f"[ ] {found.sms}\n[ ] {found.email}\n\n{found.title}")
    for text in found.disclosures:
        click.echo(f"- {text}")
