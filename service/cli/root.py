"""The group `aftervisit`: its overview, and how a command line is run."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from importlib import metadata

import click

from messages.errors import ContentError
from schedules.errors import ScheduleError
from service.cli.faults import FAILED, WRONG_USE, tell, unexpected
from service.cli.lazy import Lazy, LazyGroup
from service.cli.output import examples
from service.cli.streams import fault_of_stdout, prepare
from service.errors import AftervisitError


def _show_version(context: click.Context, _option: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        click.echo(f"aftervisit {metadata.version('aftervisit')}")
        context.exit()


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
            "mail": Lazy("service.cli.run:mail", "Run the listener for mail that comes back"),
            "keys": Lazy("service.cli.keys:keys", "Change the keys that encrypt what is stored"),
            "doctor": Lazy("service.cli.doctor:doctor", "Check this installation, with remedies"),
        },
        "Patients": {
            "enroll": Lazy("service.cli.enroll:enroll", "Enrol a patient in a series"),
            "import": Lazy("service.cli.imports:import_", "Enrol the patients of a CSV file"),
            "join": Lazy("service.cli.join:join", "Print the poster for joining by oneself"),
            "patients": Lazy("service.cli.patients:patients", "Find, show, pause, stop, erase"),
            "explain": Lazy("service.cli.explain:explain", "What a patient got or gets, and why"),
        },
        "Inbox": {
            "inbox": Lazy("service.cli.inbox:inbox", "What waits for staff; what texts mean"),
        },
        "Staff": {
            "staff": Lazy("service.cli.staff:staff", "Who may sign in to the console"),
        },
        "Dispatch": {
            "dispatch": Lazy(
                "service.cli.dispatch:dispatch", "Senders, dead letters, what an outage left"
            ),
        },
        "Content": {
            "messages": Lazy("service.cli.messages:messages", "List, show and check messages"),
            "series": Lazy("service.cli.series:series", "List, check and preview series"),
            "wordings": Lazy("service.cli.join:wordings", "Show the wordings of consent"),
            "version": Lazy("service.cli.version:version", "Show the version"),
        },
    },
    options=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_version,
            help="Show the version and exit.",
        )
    ],
)


def run(given: Sequence[str]) -> int:
    """Run a command line; its exit code.

    Whatever goes wrong is told in one line on stderr, never by a traceback; with ``--json`` also
    as ``{"error": {"field", "code", "message"}}`` on stdout.

    Args:
        given: without the program's name.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    sys.excepthook = unexpected
    prepare()
    in_json = "--json" in given
    try:
        status = _answered(given, in_json=in_json)
        sys.stdout.flush()
    except OSError as error:
        lost = fault_of_stdout()
        return tell(error, in_json=in_json) if lost is None else _tell_lost(lost)
    return status


def _answered(given: Sequence[str], *, in_json: bool) -> int:
    try:
        answer = aftervisit.main(list(given), prog_name="aftervisit", standalone_mode=False)
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return WRONG_USE
    except (click.ClickException, AftervisitError, ContentError, ScheduleError) as error:
        return tell(error, in_json=in_json)
    return answer if isinstance(answer, int) else 0


def _tell_lost(fault: OSError) -> int:
    if fault.errno != errno.EPIPE:  # a reader that has seen enough, such as `head`
        click.echo(
            f"aftervisit: stdout cannot be written ({fault.strerror}). "
            "The answer is lost; what the command has done stays done.",
            err=True,
        )
    return FAILED
