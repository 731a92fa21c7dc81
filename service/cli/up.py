"""`aftervisit up`: the whole service on one machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from service.cli.output import examples

if TYPE_CHECKING:
    from service.settings import Settings

WATCH_S = 0.5
PORT_S = 5.0


@click.command(epilog=examples("aftervisit up", "AFTERVISIT_WEB_PORT=8080 aftervisit up"))
def up() -> int:
    """Run everything on this machine: web, worker and beat, and the store where none is named.

    With AFTERVISIT_MAIL_LISTEN the listener for mail that comes back, too.

    A part that ends is started again, and so is the embedded store. It runs until it is told to
    stop (Ctrl-C, SIGTERM).
    """
    from service.logging import configure_logging  # noqa: PLC0415
    from service.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    configure_logging(settings.log_level)
    return run_up(settings)


def run_up(settings: Settings) -> int:
    """Supervise the parts until SIGTERM or SIGINT; 0."""
    import structlog  # noqa: PLC0415

    from service.bootstrap import require_fit_to_send, store_urls  # noqa: PLC0415
    from service.supervisor import (  # noqa: PLC0415
        PARTS,
        Interrupted,
        Supervisor,
        own_command,
        raise_on_signals,
    )

    log = structlog.get_logger(__name__)
    parts = (*PARTS, "mail") if settings.mail_listen else PARTS
    with _alone(settings), store_urls(settings, hold=True) as urls:
        require_fit_to_send(settings, urls.store)
        _await_port(settings)
        undo = raise_on_signals()
        try:
            with Supervisor() as supervisor:
                for part in parts:
                    supervisor.add(part, own_command(part), {})
                log.info("up", web=f"http://{settings.web_host}:{settings.web_port}")
                while True:
                    time.sleep(WATCH_S)
                    _revive(settings)
                    supervisor.watch()
        except Interrupted:
            log.info("stopped")
        finally:
            undo()
    return 0


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Be the only ``up`` on the data directory."""
    from filelock import FileLock, Timeout  # noqa: PLC0415

    from service.errors import ConfigurationError  # noqa: PLC0415

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.data_dir / "up.lock", timeout=0):
            yield
    except Timeout:
        raise ConfigurationError(
            f"`aftervisit up` runs on {settings.data_dir} already; end that one, or set "
            f"AFTERVISIT_DATA_DIR and AFTERVISIT_WEB_PORT."
        ) from None


def _await_port(settings: Settings) -> None:
    """Wait until the web part can listen: those of an ``up`` that was killed are still ending."""
    from service.errors import ConfigurationError  # noqa: PLC0415
    from service.web.run import listening  # noqa: PLC0415

    deadline = time.monotonic() + PORT_S
    while True:
        try:
            listening(settings.web_host, settings.web_port).close()
        except ConfigurationError:
            if time.monotonic() > deadline:
                raise
            time.sleep(WATCH_S)
        else:
            return


def _revive(settings: Settings) -> None:
    """Bring the embedded store back if it died."""
    import structlog  # noqa: PLC0415

    from service.errors import StoreUnavailable  # noqa: PLC0415
    from service.store.embedded import revive  # noqa: PLC0415

    try:
        if settings.redis_url is None and revive(settings.data_dir):
            structlog.get_logger(__name__).error("store_restarted")
    except StoreUnavailable as error:
        structlog.get_logger(__name__).error("store_unavailable", fault=str(error))
