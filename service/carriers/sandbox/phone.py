"""The sandbox's phones: Twilio's message API, and a page to look at them. Run with ``-m``."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from service.carriers.sandbox.answers import ANSWERS, Answers
from service.carriers.sandbox.callbacks import Callbacks
from service.carriers.sandbox.handset import Handset
from service.carriers.sandbox.letters import Letters
from service.carriers.sandbox.mailbox import MAILDIR, business_clock, until_told_to_end
from service.carriers.sandbox.page import Page, Shown
from service.carriers.sandbox.roster import load_roster
from service.carriers.sandbox.texts import TextLog
from service.carriers.sandbox.twilio_api import TwilioApi
from service.carriers.sandbox.why import JOURNAL, Journal

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXTS = "texts.jsonl"
ACCOUNT_SID = "AC" + "5a" * 16
AUTH_TOKEN = "sandbox"  # noqa: S105 - guards nothing: whatever it lets in reaches nobody
NUMBER = "+15005550006"


def application(options: argparse.Namespace) -> web.Application:
    """The API, the phones and the page, as `main` reads their options."""
    options.data_dir.mkdir(parents=True, exist_ok=True)
    texts = TextLog(options.data_dir / TEXTS)
    callbacks = Callbacks(options.account_sid, options.auth_token)
    business_ms = business_clock(options.clock_file)
    api = TwilioApi(
        options.account_sid,
        options.auth_token,
        texts,
        callbacks,
        business_ms=business_ms,
        receipts=not options.no_receipts,
        pool_number=options.number,
    )
    handset = Handset(
        texts,
        callbacks,
        inbound_url=options.inbound_url,
        number=options.number,
        keywords=options.opt_out_handling == "twilio_default",
        business_ms=business_ms,
    )
    shown = Shown(
        texts,
        Letters(options.data_dir / MAILDIR),
        Answers(options.data_dir / ANSWERS, options.mail_in, business_ms),
        Journal(options.data_dir / JOURNAL),
    )
    page = Page(shown, handset, business_ms=business_ms, roster=lambda: load_roster(options.roster))
    served = web.Application(middlewares=[page.guard])
    served.add_routes([*api.routes(), *page.routes()])

    async def close(_application: web.Application) -> None:
        await callbacks.aclose()
        texts.close()

    served.on_cleanup.append(close)
    return served


async def serve(options: argparse.Namespace) -> None:
    """Serve until told to end; the port that was bound is printed as one line of JSON."""
    runner = web.AppRunner(application(options), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, options.host, options.port).start()
    sys.stdout.write(json.dumps({"port": runner.addresses[0][1]}) + "\n")
    sys.stdout.flush()
    await until_told_to_end(follow_stdin=options.follow_stdin)
    await runner.cleanup()


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(description="The sandbox's phones (Twilio's message API).")
    options.add_argument("--data-dir", type=Path, required=True)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=0, help="0 takes any free one")
    options.add_argument(
        "--account-sid", default=os.environ.get("AFTERVISIT_TWILIO_ACCOUNT_SID", ACCOUNT_SID)
    )
    options.add_argument(
        "--auth-token", default=os.environ.get("AFTERVISIT_TWILIO_AUTH_TOKEN", AUTH_TOKEN)
    )
    options.add_argument("--inbound-url", help="our webhook for what patients text")
    options.add_argument("--mail-in", type=int, help="port here where we take mail by SMTP")
    options.add_argument("--number", default=NUMBER, help="the clinic's number")
    options.add_argument(
        "--opt-out-handling", choices=("twilio_default", "ours"), default="twilio_default"
    )
    options.add_argument("--no-receipts", action="store_true", help="texts stay queued")
    options.add_argument("--roster", type=Path, help="JSON file: who has which phone and mailbox")
    options.add_argument("--clock-file", type=Path, help="file with business time, ms UTC")
    options.add_argument(
        "--follow-stdin", action="store_true", help="end when standard input closes"
    )
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the phones."""
    asyncio.run(serve(parser().parse_args(arguments)))


if __name__ == "__main__":
    main()
