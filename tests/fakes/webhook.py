"""Our own side of the provider's callbacks, for tests of the far ends: takes and keeps posts."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Post:
    """One request as it came."""

    target: str
    body: bytes
    headers: dict[str, str]

    @property
    def form(self) -> dict[str, str]:
        """The fields, as text."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


class Webhook:
    """What came, and what to answer: the statuses in ``answers`` first, then 204."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.posts: list[Post] = []
        self.answers: list[int] = []


@contextlib.contextmanager
def running_webhook() -> Iterator[Webhook]:
    """Take posts on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        webhook: ClassVar[Webhook]

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.webhook.posts.append(Post(self.path, body, dict(self.headers.items())))
            self.send_response(self.webhook.answers.pop(0) if self.webhook.answers else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.webhook = Webhook(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Handler.webhook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
