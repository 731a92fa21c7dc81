"""`aftervisit demo`: the service at work on made-up patients."""

from __future__ import annotations

import time
from dataclasses import asdict

import click

from service.cli.options import WholeNumber
from service.cli.output import as_json, emit, examples, note, terminal

INTERRUPTED = 130
REST_S = 0.25


@click.command(epilog=examples("aftervisit demo", "aftervisit demo --once --days 14 --json"))
@click.option(
    "--days", type=WholeNumber(1, 90), default=14, show_default=True, help="Days to pass."
)
@click.option("--once", is_flag=True, help="End when the days are over, and print what went out.")
@as_json
def demo(days: int, once: bool, as_json: bool) -> int:
    """See it work: sample patients in several time zones, with the clock run fast.

    Texts and e-mails take the same way as in earnest, through Twilio's SDK and SMTP, and end in a
    sandbox on this machine: the page that is named shows each patient's phone and mailbox. Nothing
    leaves this machine. Without --once the page stays up until Ctrl-C: write back as a
    patient there, and see what the service makes of it, and why.
    """
    from service.demo.display import Display, report  # noqa: PLC0415
    from service.demo.run import running_demo  # noqa: PLC0415
    from service.logging import configure_logging  # noqa: PLC0415
    from service.settings import load_settings  # noqa: PLC0415
    from service.supervisor import Interrupted, raise_on_signals  # noqa: PLC0415

    settings = load_settings()
    configure_logging("error")
    undo = raise_on_signals()
    try:
        with running_demo(settings, days) as running:
            member = running.member
            note(f"Phones and mailboxes: {running.sandbox.page}")
            if not once:
                note(f"The clinic's console: {member.address} as {member.email}, {member.password}")
            with Display() as display:
                figures = running.run(display.watch)
            if as_json:
                emit(asdict(figures))
            else:
                terminal().print(report(figures, running.refused))
            if not once:
                note(f"The days are over; {running.sandbox.page} stays up until Ctrl-C.")
                running.rest()
                while True:
                    running.attend()
                    time.sleep(REST_S)
    except Interrupted:
        return 0 if not once else INTERRUPTED
    finally:
        undo()
    return 0
