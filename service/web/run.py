"""Run the web application in this process until it is told to stop."""

from __future__ import annotations

import signal
import socket
from types import FrameType
from typing import Final

import structlog
import uvicorn

from service import sockets
from service.bootstrap import Core, open_core
from service.collector import spare_the_collector
from service.settings import Settings
from service.web.app import create_app
from service.web.bodies import PACE, Pace
from service.web.connections import prompt

log = structlog.get_logger(__name__)

GRACE_S: Final = 20
"""How long requests under way may take to end after SIGTERM."""


def run_web(settings: Settings) -> int:
    """Serve on ``WEB_HOST`` and ``WEB_PORT`` until SIGTERM or SIGINT; 0.

    Raises:
        ConfigurationError: the address is taken, or a setting is not fit; says what to change.
        StoreUnavailable: the store does not answer at the start.
    """
    with (
        listening(settings.web_host, settings.web_port) as listener,
        open_core(settings, hold=True) as core,
    ):
        server = web_server(core)

        def stop(_signal: int, _frame: FrameType | None) -> None:
            server.should_exit = True

        # uvicorn ends in order on these, then raises them again for whoever had them before it:
        # without these two that would end the process before the store is let go.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        host, port = listener.getsockname()[:2]
        spare_the_collector()
        log.info("web_listening", host=host, port=port)
        server.run(sockets=[listener])
    return 0


def web_server(core: Core, pace: Pace = PACE) -> uvicorn.Server:
    """A server of the application; ``run`` it on a listening socket."""
    return uvicorn.Server(
        uvicorn.Config(
            create_app(core, pace),
            http=prompt(pace.head_s, pace.taken_s),
            log_config=None,
            access_log=False,  # its lines hold tokens; ours name the route
            proxy_headers=False,
            server_header=False,
            ws="none",
            lifespan="on",
            timeout_graceful_shutdown=GRACE_S,
        )
    )


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 for any that is free.

    Raises:
        ConfigurationError: the address is taken, or is not this machine's.
    """
    remedy = "Set AFTERVISIT_WEB_HOST and AFTERVISIT_WEB_PORT, or end what listens there."
    return sockets.listening(host, port, who="web", remedy=remedy)
