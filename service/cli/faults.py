"""How every error becomes one line on stderr and an exit code."""

from __future__ import annotations

import os
import re
import traceback
from types import TracebackType

import click

from messages.errors import ContentError, UnknownLanguage, UnknownMessage
from schedules.errors import ScheduleError
from service.cli.output import emit
from service.errors import ConfigurationError, InvalidInput, NotFound, StoreUnavailable

FAILED = 1
WRONG_USE = 2
_ADDRESS = re.compile(r"[^\s'\"=]*@[^\s'\"]*|\d{5,}")
"""What might be a mailbox or a phone number among words that were typed in the wrong place."""
_CODES: dict[type[Exception], str] = {
    ConfigurationError: "configuration",
    NotFound: "not_found",
    StoreUnavailable: "store_unavailable",
    ContentError: "content",
    ScheduleError: "schedule",
}


def tell(error: Exception, *, in_json: bool) -> int:
    """Tell an error in one line on stderr, with ``in_json`` on stdout too; its exit code."""
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


def unexpected(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """The last resort, for a fault of our own: a line, and where it is, without any value."""
    if issubclass(kind, KeyboardInterrupt):  # between the command's end and the process's
        return
    frames = traceback.extract_tb(trace)
    where = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""  # noqa: PTH119
    click.echo(
        f"aftervisit: a fault of the program itself ({kind.__name__}{where}). "
        "Please report this line, and the command without its values.",
        err=True,
    )
    del error
