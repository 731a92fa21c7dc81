"""One SMTP conversation, with its stage known at every moment.

``smtplib.sendmail`` says what went wrong but not where, and whether a lost connection came before
or after the final dot is the difference between "try again" and "nobody knows". RFC 5321, 4.2.5
and 6.1: a server answers for a message from its reply to the final dot on; before the dot's last
byte has left us, it has none. ``sendall`` raises only while bytes remain, so that a message whose
``sendall`` raised was never complete.
"""

from __future__ import annotations

import contextlib
import select
import smtplib
import socket
import threading
from email import policy
from email.generator import BytesGenerator
from email.parser import BytesParser
from io import BytesIO
from typing import TYPE_CHECKING

from service.carriers.smtp_errand import Stage

if TYPE_CHECKING:
    from service.carriers.smtp_errand import Errand
    from service.carriers.smtp_url import MailServer

OK = range(200, 300)
GO_ON = 354


class Refused(Exception):
    """The server said no.

    Attributes:
        verb: what it said no to: ``greeting``, ``EHLO``, ``STARTTLS``, ``AUTH``, ``MAIL``,
            ``RCPT``, ``DATA``, or ``message`` for the reply to the final dot.
        code: its reply code.
        text: its words. They may name a patient's address: never log them.
    """

    def __init__(self, verb: str, code: int, text: bytes) -> None:
        super().__init__(f"{verb}: {code}")
        self.verb = verb
        self.code = code
        self.text = text


class Unsendable(Exception):
    """This server cannot take this message at all; the text says why."""


class Connection(smtplib.SMTP):
    """A connection to a mail server that another thread may shut, TLS or not."""

    def __init__(self, server: MailServer) -> None:
        super().__init__(local_hostname=server.greeting_name())
        self._host = server.host  # starttls() verifies the certificate against it
        self._server = server
        self._door: socket.socket | None = None
        self._door_lock = threading.Lock()
        self.idle_since = 0.0

    def open(self, errand: Errand, connect_s: float) -> None:
        """Connect, greet, secure, log in.

        Raises:
            Refused: the server said no to one of these.
            Unsendable: what is required of the server is not offered.
            Cut, OSError, smtplib.SMTPException: no connection.
        """
        errand.enter(Stage.CONNECTING)
        raw = socket.create_connection(
            (self._server.host, self._server.port), min(connect_s, errand.remaining_s())
        )
        raw.settimeout(errand.remaining_s())
        # A second handle of the same connection: wrapping a socket in TLS takes away the first.
        self._door = raw.dup()
        errand.ride(self.shut)
        self.sock = raw
        if self._server.tls == "implicit":
            self.sock = self._server.trust().wrap_socket(raw, server_hostname=self._server.host)
        _expect("greeting", self.getreply())
        self._greet()
        self._secure()
        self._log_in()

    def _greet(self) -> None:
        code, text = self.ehlo()
        if code not in OK:
            code, text = self.helo()
        _expect("EHLO", (code, text))

    def _secure(self) -> None:
        server = self._server
        offered = self.has_extn("starttls")
        if server.tls == "implicit" or (server.tls == "offered" and (server.local or not offered)):
            return
        if not offered:
            raise Unsendable(
                "The mail server offers no STARTTLS although AFTERVISIT_SMTP_URL requires it."
            )
        try:
            self.starttls(context=server.trust())
        except smtplib.SMTPResponseException as error:
            raise Refused("STARTTLS", error.smtp_code, _bytes(error.smtp_error)) from None
        self._greet()

    def _log_in(self) -> None:
        server = self._server
        if server.user is None or server.password is None:
            return
        encrypted = server.tls == "implicit" or hasattr(self.sock, "cipher")
        if not encrypted and not server.local:
            raise Unsendable(
                "The password was not sent, since the connection is not encrypted; "
                "use smtps:// or ?starttls=required in AFTERVISIT_SMTP_URL."
            )
        try:
            self.login(server.user, server.password)
        except smtplib.SMTPAuthenticationError as error:
            raise Refused("AUTH", error.smtp_code, _bytes(error.smtp_error)) from None
        except smtplib.SMTPServerDisconnected:
            raise
        except (smtplib.SMTPException, UnicodeEncodeError):
            raise Unsendable(
                "The mail server has no way to log in that this user and password fit "
                "(AFTERVISIT_SMTP_URL)."
            ) from None

    def deliver(self, errand: Errand, sender: str, to: str, content: bytes) -> None:
        """Hand over one message; returning means that the server has taken it.

        The envelope goes in one write where the server allows it (RFC 2920).

        Raises:
            Refused: the server said no; it does not have the message.
            Unsendable: the server lacks what the message needs.
            Cut, OSError, smtplib.SMTPException: ``errand.stage`` tells what that means.
        """
        errand.enter(Stage.ENVELOPE)
        content = self._fitting(content)
        commands = {
            "MAIL": f"MAIL FROM:<{sender}>{self._options(sender, to, content)}\r\n".encode(),
            "RCPT": f"RCPT TO:<{to}>\r\n".encode(),
            "DATA": b"DATA\r\n",
        }
        if self.has_extn("pipelining"):
            self.send(b"".join(commands.values()))
            replies = {verb: self.getreply() for verb in commands}
            for verb, reply in replies.items():
                if replies["DATA"][0] == GO_ON and verb != "DATA" and reply[0] not in OK:
                    self.close()  # it waits for a message that must not be sent
                self._take(verb, reply)
        else:
            for verb, command in commands.items():
                self.send(command)
                self._take(verb, self.getreply())
        errand.enter(Stage.BODY)
        self.send(stuffed(content))
        errand.stage = Stage.ENDED
        code, text = self.getreply()
        if code in OK:
            return
        if 400 <= code < 600:  # noqa: PLR2004 - SMTP's refusals
            raise Refused("message", code, text)
        self.close()
        raise smtplib.SMTPServerDisconnected("no SMTP reply")

    def _take(self, verb: str, reply: tuple[int, bytes]) -> None:
        if reply[0] in OK or (verb == "DATA" and reply[0] == GO_ON):
            return
        _expect(verb, reply)

    def _options(self, sender: str, to: str, content: bytes) -> str:
        options = ""
        limit = self.esmtp_features.get("size", "")
        if "size" in self.esmtp_features:
            if limit.isdigit() and 0 < int(limit) < len(content):
                raise Unsendable(f"The message is larger than the mail server takes ({limit} B).")
            options += f" SIZE={len(content)}"
        if not (sender + to).isascii():
            if not self.has_extn("smtputf8"):
                raise Unsendable("The mail server takes no addresses with letters beyond ASCII.")
            options += " SMTPUTF8"
        if not content.isascii():
            options += " BODY=8BITMIME"
        return options

    def _fitting(self, content: bytes) -> bytes:
        """The message as it is, or in seven bits for a server without 8BITMIME (RFC 6152)."""
        if content.isascii() or self.has_extn("8bitmime"):
            return content
        message = BytesParser(policy=policy.SMTP).parsebytes(content)
        out = BytesIO()
        BytesGenerator(out, policy=policy.SMTP.clone(cte_type="7bit")).flatten(message)
        return out.getvalue()

    def stale(self) -> bool:
        """Whether something has come in while nobody asked: the server has closed it, or will."""
        if self.sock is None:
            return True
        poll = select.poll()
        poll.register(self.sock.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def shut(self) -> None:
        """End the conversation from another thread; reads and writes there return at once."""
        with self._door_lock:
            if self._door is not None:
                with contextlib.suppress(OSError):  # closed by the other side already
                    self._door.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close without QUIT."""
        super().close()
        with self._door_lock:
            if self._door is not None:
                self._door.close()
                self._door = None


def _expect(verb: str, reply: tuple[int, bytes]) -> None:
    code, text = reply
    if code in OK:
        return
    if 400 <= code < 600:  # noqa: PLR2004 - SMTP's refusals
        raise Refused(verb, code, text)
    raise smtplib.SMTPServerDisconnected("no SMTP reply")


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "replace")


def stuffed(content: bytes) -> bytes:
    """The message as DATA wants it: CRLF line ends only, dots doubled, the final dot (4.5.2).

    A lone CR or LF is made CRLF: what servers differ about is how messages are smuggled
    (CVE-2023-51764).
    """
    lines = content.count(b"\r\n")
    if content.count(b"\n") != lines or content.count(b"\r") != lines:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    if content.startswith(b"."):
        content = b"." + content
    content = content.replace(b"\r\n.", b"\r\n..")
    return content + (b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n")
