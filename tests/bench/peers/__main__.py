"""``make bench-peers``: django-post-office on PostgreSQL beside us, e-mail into the same sink.

Its packages are in an environment of their own, ``build/peers``; PostgreSQL's server is the
machine's (``apt-get install postgresql``), on a directory of its own, as it is delivered: each
commit is synced.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from messages.catalog import Catalog
from messages.render import Renderer
from messages.sample import sample_context
from tests.bench.installation import mail_settings, running_installation
from tests.bench.report import BUILD, Run, new_part, rates, show, tell
from tests.bench.sinks import running_smtp_sink
from tests.bench.sizes import QUICK, Sizes
from tests.fakes.launch import launched
from tests.support.polling import until

HERE = Path(__file__).parent
ENVIRONMENT = BUILD / "peers"
TARGET = 4.0
WARM_UP = 200


def main() -> int:
    """Measure, show, and keep the rows for the page of benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller counts")
    asked = parser.parse_args()
    sizes = QUICK if asked.quick else Sizes()
    BUILD.mkdir(exist_ok=True)
    python = _environment()
    ours: list[Run] = []
    theirs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as folder:
        directory = Path(folder)
        command = shlex.join([".venv/bin/python", "-m", "tests.bench.peers", *sys.argv[1:]])
        part = new_part("peers", command, directory)
        with (
            running_smtp_sink() as sink,
            running_postgres(directory / "postgres") as (socket, version),
            running_installation(directory / "ours", sink, **mail_settings(sink)) as installation,
            running_peer(python, sink.port, socket) as send,
        ):
            installation.warm_up("email")
            send(WARM_UP)
            for _ in range(sizes.repeats):
                ours.append(tell("ours", installation.run(sizes.mails, "email")))
                theirs.append(tell("django-post-office", send(sizes.mails)))
    what = (
        f"e-mail into {sink.name}, two processes, beside django-post-office {_pinned()} "
        f"on {version}, two processes"
    )
    part.rows.append(rates("P3 peer", what, ours, theirs, TARGET))
    part.notes.append(
        "django-post-office sends rows that stand ready in its table: queueing them is not "
        "counted. Ours plans, decides, renders and records each e-mail in that time."
    )
    show(part)
    part.save(BUILD)
    return 0


def _pinned() -> str:
    lines = (HERE / "requirements.in").read_text().splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith("django-post-office"))


def _environment() -> Path:
    """Make the peers' environment unless it is there; its interpreter."""
    python, wanted = ENVIRONMENT / "bin" / "python", HERE / "requirements.txt"
    stamp = ENVIRONMENT / "requirements.txt"
    if not stamp.exists() or stamp.read_bytes() != wanted.read_bytes():
        uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
        trusting = {**os.environ, "UV_SYSTEM_CERTS": "true"}
        new = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT)]
        subprocess.run(new, check=True, env=trusting)
        install = [uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes"]
        subprocess.run([*install, "-r", str(wanted)], check=True, env=trusting)
        shutil.copyfile(wanted, stamp)
    return python


@contextmanager
def running_postgres(directory: Path) -> Iterator[tuple[Path, str]]:
    """A PostgreSQL server of our own: the directory of its socket, and its version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name)
    if not found:
        raise SystemExit("There is no PostgreSQL server here: apt-get install postgresql")
    directory.mkdir()
    user = None
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = "postgres"
        shutil.chown(directory, user)
        directory.parent.chmod(0o755)
    with tempfile.TemporaryDirectory(prefix="av-") as folder:  # a socket's path has to be short
        socket = Path(folder)
        socket.chmod(0o777)
        base = directory / "base"
        make = [str(found[-1] / "initdb"), "-D", str(base), "-U", "postgres", "--auth=trust"]
        subprocess.run(make, check=True, user=user, stdout=subprocess.DEVNULL, cwd=directory)
        with (directory.parent / "postgres.log").open("ab") as log:
            process = subprocess.Popen(
                [found[-1] / "postgres", "-D", base, "-k", socket, "-c", "listen_addresses="],
                user=user,
                stdout=log,
                stderr=log,
                cwd=directory,
            )
        try:
            ready = [str(found[-1] / "pg_isready"), "--quiet", "--host", str(socket)]
            until(
                lambda: subprocess.run(ready, check=False).returncode == 0, "PostgreSQL", limit_s=30
            )
            version = subprocess.check_output([found[-1] / "postgres", "--version"], text=True)
            yield socket, " ".join(version.replace("(PostgreSQL) ", "PostgreSQL ").split()[1:3])
        finally:
            process.terminate()
            process.wait()


@contextmanager
def running_peer(python: Path, port: int, socket: Path) -> Iterator[Callable[[int], Run]]:
    """The peer, ready to send: called with a number of e-mails it tells how fast they went out."""
    command = [str(python), str(HERE / "post_office_loop.py"), str(port), str(socket)]
    with launched(command) as (process, _):
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout
        stdin.write(json.dumps(_letter()) + "\n")

        def send(count: int) -> Run:
            stdin.write(f"{count}\n")
            stdin.flush()
            return Run(count / float(json.loads(stdout.readline())["took_s"]), {})

        yield send


def _letter() -> dict[str, str]:
    content = Renderer(Catalog.load()).email("welcome", "en", sample_context("en"))
    return {
        "sender": "Riverside Clinic <tips@clinic.example>",
        "subject": content.subject,
        "text": content.text,
        "html": content.html,
        "unsubscribe": "<https://drip.example.org/u/" + "t" * 80 + ">",
    }


if __name__ == "__main__":
    sys.exit(main())
