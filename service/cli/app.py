"""The command `aftervisit`: its overview, and how every error becomes one line and an exit code."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType

import click

from messages.errors import ContentError, UnknownLanguage, UnknownMessage
from schedules.errors import ScheduleError
from service.cli.lazy import Lazy, LazyGroup
from service.cli.output import emit, examples
from service.errors import (
    AftervisitError,
    ConfigurationError,
    InvalidInput,
    NotFound,
    StoreUnavailable,
)

FAILED = 1
WRONG_USE = 2
INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""
_ADDRESS = re.compile(r"[^\s'\"=]*@[^\s'\"]*|\d{5,}")
"""What might be a mailbox or a phone number among words that were typed in the wrong place."""
_CODES: dict[type[Exception], str] = {
    ConfigurationError: "configuration",
    NotFound: "not_found",
    StoreUnavailable: "store_unavailable",
    ContentError: "content",
    ScheduleError: "schedule",
}

aftervisit = LazyGroup(
    help=(
        "Patient education after a clinic visit, by text message and e-mail: on time, once, and "
        "only while wanted."
    ),
    epilog=examples(
        "aftervisit demo                      see it work, with made-up patients",
        "aftervisit up                        run the service on this machine",
        "aftervisit enroll --help             enrol a patient",
        "aftervisit explain PATIENT           what was sent, what comes, and why not",
    )
    + "\n\nSettings are environment variables that begin with AFTERVISIT_. "
    "Exit codes: 0 done, 1 failed, 2 wrong input.",
    sections={
        "Run": {
            "up": Lazy("service.cli.up:up", "Run everything on this machine"),
            "demo": Lazy("service.cli.demo:demo", "See it work: sample patients, fast clock"),
            "web": Lazy("service.cli.run:web", "Run the web process alone"),
            "worker": Lazy("service.cli.run:worker", "Run a worker alone"),
            "beat": Lazy("service.cli.run:beat", "Run the clock that starts due work alone"),
            "doctor": Lazy("service.cli.doctor:doctor", "Check this installation, with remedies"),
        },
        "Patients": {
            "enroll": Lazy("service.cli.enroll:enroll", "Enrol a patient in a series"),
            "patients": Lazy("service.cli.patients:patients", "Find, show, pause, resume, stop"),
            "explain": Lazy("service.cli.explain:explain", "What a patient got or gets, and why"),
        },
        "Content": {
            "messages": Lazy("service.cli.messages:messages", "List, show and check messages"),
            "series": Lazy("service.cli.series:series", "List, check and preview series"),
            "version": Lazy("service.cli.version:version", "Show the version"),
        },
    },
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code: 0, 1 for a failure, 2 for wrong input.

    Whatever goes wrong is told in one line on stderr, never by a traceback; with ``--json`` also
    as ``{"error": {"field", "code", "message"}}`` on stdout.

    Args:
        arguments: without the program's name; those of the process by default.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.excepthook = _unexpected
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that lacks a letter shows a question mark; it stops no command.
            stream.reconfigure(errors="replace")
    try:
        answer = aftervisit.main(given, prog_name="aftervisit", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return WRONG_USE
    except (click.ClickException, AftervisitError, ContentError, ScheduleError, OSError) as error:
        return _tell(error, in_json="--json" in given)
    return answer if isinstance(answer, int) else 0


def _tell(error: Exception, *, in_json: bool) -> int:
    field, code, message, status = _judged(error)
    line = " ".join(message.split())
    click.echo(f"aftervisit: {f'{field}: ' if field else ''}{line}", err=True)
    if in_json:
        emit({"error": {"field": field, "code": code, "message": line}})
    return status


def _judged(error: Exception) -> tuple[str | None, str, str, int]:
    """Field, code, sentence and exit code of an error."""
    if isinstance(error, InvalidInput):
        return error.field, error.code, str(error), WRONG_USE
    if isinstance(error, click.ClickException):
        sentence = _usage(error) if isinstance(error, click.UsageError) else error.format_message()
        return None, "usage", sentence, error.exit_code
    if isinstance(error, UnknownMessage | UnknownLanguage):
        field = "message" if isinstance(error, UnknownMessage) else "language"
        return field, f"{field}_unknown", str(error), WRONG_USE
    if isinstance(error, OSError):
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return None, "file", f"{what}. Check the path and its permissions.", FAILED
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), "failed")
    return None, code, str(error), FAILED


def _usage(error: click.UsageError) -> str:
    sentence = error.format_message()
    if sentence.startswith("Got unexpected extra argument"):
        # The words themselves may be half of a name or of a phone number: not repeated.
        sentence = "there is a word too many; put a value that has spaces in quotes."
    sentence = _ADDRESS.sub("...", sentence)
    path = error.ctx.command_path if error.ctx else "aftervisit"
    full_stop = "" if sentence.endswith((".", "?")) else "."
    return f"{sentence}{full_stop} See `{path} --help`."


def _unexpected(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """The last resort, for a fault of our own: a line, and where it is, without any value."""
    frames = traceback.extract_tb(trace)
    where = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""  # noqa: PTH119
    click.echo(
        f"aftervisit: a fault of the program itself ({kind.__name__}{where}). "
        "Please report this line, and the command without its values.",
        err=True,
    )
    del error
