"""`aftervisit web`, `worker`, `beat` and `mail`: the parts of the service, one process each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from service.cli.output import examples

if TYPE_CHECKING:
    from service.settings import Settings


def _prepared() -> Settings:
    from service.logging import configure_logging  # noqa: PLC0415
    from service.settings import load_settings  # noqa: PLC0415
    from service.supervisor import follow_parent  # noqa: PLC0415

    follow_parent()
    settings = load_settings()
    configure_logging(settings.log_level)
    return settings


@click.command(epilog=examples("AFTERVISIT_WEB_PORT=8080 aftervisit web"))
def web() -> int:
    """Run the web process: pages for patients and staff, the API, and Twilio's webhooks.

    It listens on AFTERVISIT_WEB_HOST and AFTERVISIT_WEB_PORT until it is told to stop
    (Ctrl-C, SIGTERM).
    """
    settings = _prepared()
    from service.web.run import run_web  # noqa: PLC0415 - after the settings are known to be right

    return run_web(settings)


@click.command(epilog=examples("AFTERVISIT_WORKER_PROCESSES=4 aftervisit worker"))
def worker() -> int:
    """Run a worker: it sends what is due and settles what was cut off.

    Run as many, on as many machines, as you like. Stop it with Ctrl-C or SIGTERM: it
    finishes what it has begun.
    """
    settings = _prepared()
    from service.worker.run import run_worker  # noqa: PLC0415

    return run_worker(settings)


@click.command(epilog=examples("aftervisit beat"))
def beat() -> int:
    """Run the beat: every second it looks for what is due and calls the workers.

    One is enough; a second one on another machine takes over when the first is gone.
    """
    settings = _prepared()
    from service.worker.run import run_beat  # noqa: PLC0415

    return run_beat(settings)


@click.command(epilog=examples("AFTERVISIT_MAIL_LISTEN=lmtp://127.0.0.1:8025 aftervisit mail"))
def mail() -> int:
    """Take mail that comes back: bounces, complaints, answers, and mail to leave.

    It listens at AFTERVISIT_MAIL_LISTEN, by SMTP or LMTP, for addresses of the domain of
    AFTERVISIT_RETURN_ADDRESS, until it is told to stop (Ctrl-C, SIGTERM).
    """
    settings = _prepared()
    from service.mail.run import run_mail  # noqa: PLC0415

    return run_mail(settings)
