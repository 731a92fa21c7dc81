from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from service.errors import ConfigurationError
from service.web.run import run_web
from tests.support.polling import until
from tests.support.servers import free_port, valkey_server
from tests.support.web import TOKEN, web_settings

RUN = """
from service.logging import configure_logging
from service.settings import load_settings
from service.web.run import run_web
configure_logging("info")
raise SystemExit(run_web(load_settings()))
"""


@contextmanager
def running(directory: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A web process of its own, and its address."""
    port = free_port()
    with valkey_server(directory / "store") as server:
        settings = {
            "REDIS_URL": server.url,
            "DATA_DIR": str(directory),
            "WEB_PORT": str(port),
            "PUBLIC_URL": "https://drip.clinic.example",
            "TWILIO_AUTH_TOKEN": TOKEN,
        }
        process = subprocess.Popen(
            [sys.executable, "-c", RUN],
            env={**os.environ, **{f"AFTERVISIT_{key}": value for key, value in settings.items()}},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield process, f"http://127.0.0.1:{port}"
            finally:
                process.kill()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_when_told_to_and_says_nothing_on_stdout(
    tmp_path: Path, number: signal.Signals
) -> None:
    with running(tmp_path) as (process, url):
        until(lambda: answers(url), "the web process answers", limit_s=30)
        httpx.get(f"{url}/u/secret-token?phone=5035550142", trust_env=False)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 0
    assert stdout == ""
    assert '"route": "/u/{token}"' in stderr
    assert "secret-token" not in stderr
    assert "5035550142" not in stderr
    assert "Traceback" not in stderr


def test_a_port_that_is_taken_is_told_with_the_remedy(tmp_path: Path) -> None:
    with valkey_server(tmp_path / "store", tcp=True) as server:
        settings = web_settings(server.url, tmp_path, web_port=server.port)
        with pytest.raises(ConfigurationError, match="AFTERVISIT_WEB_PORT"):
            run_web(settings)
