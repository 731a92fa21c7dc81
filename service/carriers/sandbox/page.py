"""The sandbox's page: each made-up patient's phone and mailbox, side by side.

Everything works without a script; the script only fetches what is new. Mails are shown in a frame
that may run nothing and load nothing.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import aiohttp
import jinja2
from aiohttp import web

from service.carriers.sandbox.roster import with_strangers
from service.carriers.sandbox.view import Desk, Shown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from service.carriers.sandbox.handset import Handset
    from service.carriers.sandbox.roster import Owner

__all__ = ["Page", "Shown"]
HERE = Path(__file__).parent
CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_UNSUBSCRIBE_S = 10.0


class Page:
    """The page's routes.

    Args:
        shown: what is on the phones and in the mailboxes.
        handset: how a patient texts back.
        business_ms: business time, ms UTC.
        roster: reads who has which phone and mailbox; asked anew each time.
    """

    def __init__(
        self,
        shown: Shown,
        handset: Handset,
        *,
        business_ms: Callable[[], int],
        roster: Callable[[], list[Owner]],
    ) -> None:
        self._shown = shown
        self._handset = handset
        self._business_ms = business_ms
        self._roster = roster
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def routes(self) -> list[web.AbstractRouteDef]:
        """The page's routes."""
        return [
            web.get("/", self.show),
            web.get("/live", self.live),
            web.post("/text", self.text),
            web.post("/reply", self.reply),
            web.post("/unsubscribe", self.unsubscribe),
            web.get("/mail/{key}", self.mail),
            web.static("/static", HERE / "static"),
        ]

    @web.middleware
    async def guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Keep other sites' pages away: from texting here, and by a name that points here."""
        of_browser = request.headers.get("Sec-Fetch-Site", "none")
        if request.method == "POST" and of_browser not in {"none", "same-origin"}:
            raise web.HTTPForbidden(text="This comes from another site.")
        if _loopback(_bound_to(request)) and not _loopback(urlsplit("//" + request.host).hostname):
            raise web.HTTPForbidden(text="Use http://127.0.0.1 or http://localhost.")
        answer = await handler(request)
        if not request.path.startswith("/2010-04-01/"):
            for name, value in HEADERS.items():
                answer.headers.setdefault(name, value)
            answer.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        return answer

    def _owners(self) -> list[Owner]:
        shown = self._shown
        return with_strangers(self._roster(), shown.texts.phones(), shown.letters.boxes())

    def _desk(self, request: web.Request) -> Desk:
        return Desk.of(
            self._owners(),
            self._shown,
            chosen=request.query.get("patient"),
            opened=request.query.get("mail"),
            as_text=request.query.get("as") == "text",
            now_ms=self._business_ms(),
        )

    async def show(self, request: web.Request) -> web.Response:
        """The whole page."""
        html = self._templates.get_template("page.html.jinja").render(
            desk=self._desk(request), note=request.query.get("note", "")
        )
        return web.Response(text=html, content_type="text/html")

    async def live(self, request: web.Request) -> web.Response:
        """What may have changed; 304 where the browser has it already."""
        desk = self._desk(request)
        tag = f'"{desk.version}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        html = self._templates.get_template("live.html.jinja").render(desk=desk)
        return web.Response(text=html, content_type="text/html", headers={"ETag": tag})

    async def text(self, request: web.Request) -> web.Response:
        """Text as a patient: the form on the page, or any program (``phone``, ``body``)."""
        form = await request.post()
        phone = str(form.get("phone", ""))
        body = str(form.get("quick") or form.get("body") or "").strip()
        if not phone or not body:
            raise web.HTTPBadRequest(text="Give phone and body.")
        self._handset.text(phone, body)
        raise web.HTTPSeeOther(self._back(form))

    async def reply(self, request: web.Request) -> web.Response:
        """Answer a mail as its patient (``mail``, ``body``)."""
        form = await request.post()
        letter = self._shown.letters.get(str(form.get("mail", "")))
        body = str(form.get("body") or "").strip()
        if letter is None or not self._shown.answers.takes(letter):
            raise web.HTTPNotFound(text="This mail takes no answer.")
        if not body:
            raise web.HTTPBadRequest(text="Give body.")
        await self._shown.answers.send(letter, letter.to[0], body.replace("\r\n", "\n"))
        raise web.HTTPSeeOther(self._back(form))

    async def unsubscribe(self, request: web.Request) -> web.Response:
        """Leave by one click, as a mail program does it (RFC 8058): a POST from a server."""
        form = await request.post()
        letter = self._shown.letters.get(str(form.get("mail", "")))
        if letter is None or letter.unsubscribe is None:
            raise web.HTTPNotFound(text="This mail has no one-click unsubscribing.")
        try:
            async with (
                aiohttp.ClientSession(
                    timeout=aiohttp.ClientTimeout(total=_UNSUBSCRIBE_S)
                ) as session,
                session.post(
                    letter.unsubscribe,
                    data={"List-Unsubscribe": "One-Click"},
                    allow_redirects=False,
                ) as answer,
            ):
                note = "left" if answer.ok else "refused"
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            note = "unanswered"
        raise web.HTTPSeeOther(self._back(form, note=note))

    @staticmethod
    def _back(form: Mapping[str, object], note: str = "") -> str:
        query = {name: str(form.get(name) or "") for name in ("patient", "mail")}
        return "/?" + urlencode({k: v for k, v in {**query, "note": note}.items() if v})

    async def mail(self, request: web.Request) -> web.Response:
        """One mail's HTML, or its text with ``?as=text``, for a frame that may do nothing."""
        letter = self._shown.letters.get(request.match_info["key"])
        if letter is None:
            raise web.HTTPNotFound(text="There is no such mail.")
        headers = {"Content-Security-Policy": MAIL_POLICY}
        if letter.html is None or request.query.get("as") == "text":
            html = self._templates.get_template("text_mail.html.jinja").render(text=letter.text)
        else:
            # Links open beside the frame: inside it they would be blocked.
            html = letter.html.replace("<head>", '<head><base target="_blank">', 1)
        return web.Response(text=html, content_type="text/html", headers=headers)


def _bound_to(request: web.Request) -> str | None:
    name = request.transport.get_extra_info("sockname") if request.transport else None
    return name[0] if name else None


def _loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
