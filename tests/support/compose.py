"""docker-compose.yml without Docker: its commands as plain processes, its hosts rewritten."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from service.store.embedded_server import server_binary
from tests.support.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
PARTS = ("web", "worker", "beat")
SERVERS = ("store", "broker")


def compose_file() -> dict[str, Any]:
    """The file, with its anchors resolved."""
    parsed: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
    return parsed


def example_variables() -> dict[str, str]:
    """What stands in the example of ``aftervisit.env``."""
    lines = (ROOT / "docs/how-to/compose/aftervisit.env").read_text("utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


@dataclass
class Composition:
    """The services of the file on this machine; ``close`` ends them.

    Attributes:
        directory: where the servers keep their files, and the processes their logs.
        extra: variables that stand for what a container has and a plain process has not: the
            secrets, and providers on loopback.
    """

    directory: Path
    extra: Mapping[str, str]
    services: dict[str, Any] = field(default_factory=lambda: compose_file()["services"])
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ports: dict[str, int] = field(
        default_factory=lambda: {name: free_port() for name in (*SERVERS, "web")}
    )

    @property
    def work(self) -> Path:
        """The directory that the parts run in; they are to leave nothing in it."""
        return self.directory / "work"

    def _rewritten(self, text: str) -> str:
        """A text of the file with this machine's ports and paths."""
        for name in SERVERS:
            text = text.replace(f"{name}:6379", f"127.0.0.1:{self.ports[name]}")
        text = text.replace("0.0.0.0", "127.0.0.1").replace("127.0.0.1:8000", self.web)
        text = text.replace(
            "/etc/aftervisit/clinics.toml", str(ROOT / "docs/how-to/compose/clinics.toml")
        )
        return text.replace("$$", "$")

    @property
    def web(self) -> str:
        """Host and port of the web part."""
        return f"127.0.0.1:{self.ports['web']}"

    def environment(self, service: str) -> dict[str, str]:
        """What a part's process is given: nothing of our own environment but what runs programs."""
        variables = {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOSTNAME": socket.gethostname(),
            "HOME": "/nonexistent",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        given = self.services[service]["environment"]
        variables |= example_variables()
        variables |= {name: self._rewritten(str(value)) for name, value in given.items()}
        if service == "web":
            variables["AFTERVISIT_WEB_PORT"] = str(self.ports["web"])
        return {**variables, **self.extra}

    def start_server(self, service: str) -> None:
        """Run the bundled valkey-server with the very arguments of the file."""
        home = self.directory / service
        home.mkdir()
        program, *arguments = self.services[service]["command"]
        assert program == "valkey-server"
        arguments[arguments.index("--port") + 1] = str(self.ports[service])
        arguments[arguments.index("--dir") + 1] = str(home)
        self._launch(service, [str(server_binary()), *arguments, "--bind", "127.0.0.1"], {})

    def start(self, service: str) -> None:
        """Run a part: the image's entry point with the file's command."""
        self.work.mkdir(exist_ok=True)
        command = ["aftervisit", *self.services[service]["command"]]
        self._launch(service, command, self.environment(service))

    def _launch(self, service: str, command: list[str], environment: dict[str, str]) -> None:
        program = Path(command[0])
        if not program.is_absolute():
            program = Path(sys.executable).parent / program
        with (self.directory / f"{service}.log").open("ab") as log:
            self.processes[service] = subprocess.Popen(
                [str(program), *command[1:]],
                env=environment,
                cwd=self.work if self.work.exists() else self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def healthy(self, service: str) -> bool:
        """Whether the file's own health check passes."""
        kind, *words = self.services[service]["healthcheck"]["test"]
        words = [self._rewritten(word) for word in words]
        command = ["/bin/sh", "-c", words[0]] if kind == "CMD-SHELL" else words
        if command[0] == "python":
            command[0] = sys.executable
        checked = subprocess.run(
            command,
            env=self.environment(service),
            cwd=self.work,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return checked.returncode == 0

    def log(self, service: str) -> str:
        """What a process has written."""
        return (self.directory / f"{service}.log").read_text("utf-8", errors="replace")

    def stop(self, service: str, limit_s: float) -> int:
        """SIGTERM, as Compose does; the exit code."""
        process = self.processes[service]
        process.terminate()
        return process.wait(limit_s)

    def close(self) -> None:
        """End everything, whatever has become of it."""
        for process in reversed(self.processes.values()):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
