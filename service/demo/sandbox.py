"""The sandbox beside the demonstration: the phones and the mailbox, each a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.carriers.sandbox.letters import Letter, Letters
from service.carriers.sandbox.mailbox import MAILDIR
from service.carriers.sandbox.phone import ACCOUNT_SID, AUTH_TOKEN, NUMBER
from service.errors import AftervisitError

ANSWER_S = 10


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The running far end.

    Attributes:
        page: URL of the page that shows every phone and mailbox.
        smtp_port: where the mailbox takes mail.
    """

    directory: Path
    page: str
    smtp_port: int

    def variables(self) -> dict[str, str]:
        """The carriers' settings that lead here, without their prefix."""
        return {
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "TWILIO_FROM": NUMBER,
            "TWILIO_API_BASE_URL": self.page.rstrip("/"),
            "SMTP_URL": f"smtp://127.0.0.1:{self.smtp_port}",
            "MAIL_FROM": "Riverside Clinic <tips@riverside.example>",
        }

    def text(self, phone: str, body: str) -> None:
        """Text the clinic, as a patient would."""
        self._post("text", {"phone": phone, "body": body})

    def reply(self, mailbox: str, body: str) -> None:
        """Answer the newest mail in a mailbox that takes an answer, if there is one."""
        letters = [each for each in self._letters(mailbox) if each.reply_to]
        if letters:
            self._post("reply", {"mail": letters[0].key, "body": body})

    def unsubscribe(self, mailbox: str) -> None:
        """Press the one-click button of the newest mail in a mailbox, if there is one."""
        letters = [each for each in self._letters(mailbox) if each.unsubscribe]
        if letters:
            self._post("unsubscribe", {"mail": letters[0].key})

    def _letters(self, mailbox: str) -> list[Letter]:
        return [each for each in Letters(self.directory / MAILDIR).all() if mailbox in each.to]

    def _post(self, what: str, fields: dict[str, str]) -> None:
        data = urllib.parse.urlencode(fields).encode()
        url = self.page + what
        with urllib.request.urlopen(url, data, timeout=ANSWER_S):  # noqa: S310 - our own loopback
            pass


@contextmanager
def running_sandbox(directory: Path, *, inbound_url: str, mail_in: int) -> Iterator[Sandbox]:
    """Run both processes until the block ends; they end with this process, however it ends.

    Args:
        directory: what was sent is kept here, ``clock`` and ``roster.json`` are read here.
        inbound_url: our webhook for what patients text.
        mail_in: port of our listener for what they answer by mail.
    """
    directory.mkdir(parents=True, exist_ok=True)
    clock = ("--clock-file", str(directory / "clock"))
    phones = [
        *("--inbound-url", inbound_url, *clock),
        *("--roster", str(directory / "roster.json"), "--mail-in", str(mail_in)),
    ]
    with ExitStack() as stack:
        smtp = stack.enter_context(_listening("mailbox", directory, clock))
        http = stack.enter_context(_listening("phone", directory, phones))
        yield Sandbox(directory, f"http://127.0.0.1:{http}/", smtp)


@contextmanager
def _listening(module: str, directory: Path, options: Sequence[str]) -> Iterator[int]:
    command = [
        *(sys.executable, "-m", f"service.carriers.sandbox.{module}"),
        *("--data-dir", str(directory), "--follow-stdin", *options),
    ]
    process = subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    if process.stdin is None or process.stdout is None:
        raise AftervisitError("The sandbox could not be started; try again.")
    try:
        line = process.stdout.readline()
        if not line:
            raise AftervisitError(f"The sandbox's {module} did not start; see the lines above.")
        yield int(json.loads(line)["port"])
    finally:
        process.stdin.close()
        process.terminate()
        process.wait()
        process.stdout.close()
