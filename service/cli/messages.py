"""`aftervisit messages`: the library as authors and lint see it. Needs no store and no keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, get_args

import click

from messages.catalog import Catalog, Strand
from service.cli.output import as_json, emit, examples, terminal

if TYPE_CHECKING:
    from messages.catalog import Message


@click.group()
def messages() -> None:
    """List, show and check the messages that patients get."""


@messages.command(
    "list",
    epilog=examples("aftervisit messages list", "aftervisit messages list --strand sleep --json"),
)
@click.option("--strand", type=click.Choice(get_args(Strand)), help="Only this part.")
@as_json
def list_messages(strand: str | None, as_json: bool) -> None:
    """List the messages with their source and review date."""
    found = [message for message in Catalog.load() if strand in {None, message.strand}]
    if as_json:
        emit([_described(message) for message in found])
        return
    from service.cli.cards import library  # noqa: PLC0415 - Rich is not for --json

    terminal().print(library(found))


@messages.command(
    epilog=examples(
        "aftervisit messages show walking",
        "aftervisit messages show sleep-wind-down --language es --json",
    )
)
@click.argument("message")
@click.option("--language", default="en", show_default=True, help="Language, such as en or es.")
@as_json
def show(message: str, language: str, as_json: bool) -> None:
    """Show a message as the phone and the mailbox do.

    Clinic and patient are made up; MESSAGE is a name from `aftervisit messages list`.
    """
    from messages.render import Renderer  # noqa: PLC0415 - the list needs no templates
    from messages.sample import sample_context  # noqa: PLC0415
    from messages.script import reading  # noqa: PLC0415

    catalog = Catalog.load()
    renderer, context = Renderer(catalog), sample_context(language)
    described = catalog[message]
    text = renderer.sms(message, language, context)
    email = renderer.email(message, language, context)
    measured = reading(catalog, message, language)
    if as_json:
        emit(
            {
                **_described(described),
                "language": language,
                "sms": {
                    "text": text.text,
                    "encoding": text.encoding,
                    "segments": text.segments,
                    "characters": len(text.text),
                },
                "email": {"subject": email.subject, "text": email.text, "html": email.html},
                "grade": measured.grade,
                "ease": measured.ease,
                "longest_sentence": measured.longest_sentence,
            }
        )
        return
    from service.cli.cards import mailbox, phone, provenance  # noqa: PLC0415

    out = terminal()
    out.print(provenance(described, measured))
    out.print(phone(text, context["clinic_name"]))
    out.print(mailbox(email, context["clinic_name"]))


@messages.command(epilog=examples("aftervisit messages lint"))
@as_json
def lint(as_json: bool) -> int:
    """Hold every message to the rules of the library.

    Length, segments, plain words, safety, sources and review dates. Exits with 1 where something
    is to be put right.
    """
    from messages.lint import lint_library  # noqa: PLC0415
    from service.cli.problems import report  # noqa: PLC0415

    problems = lint_library(today=datetime.now(UTC).date())
    return report(problems, "The messages keep all rules.", as_json=as_json)


def _described(message: Message) -> dict[str, object]:
    return {
        "message": message.name,
        "strand": message.strand,
        "topic": message.topic,
        "languages": list(message.languages),
        "sources": list(message.sources),
        "policy": message.policy or None,
        "reviewed": message.reviewed.isoformat(),
    }
