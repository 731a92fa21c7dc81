"""The console's pages with many patients in the store: how long the server takes for each.

Every page that can be asked for by its address alone is asked for; those that name something get a
patient, a message, a thread, an import or a series of the store. Before, some patients have texted.
A page is loaded over a kept connection by one reader.
"""

# ruff: noqa: T201

from __future__ import annotations

import asyncio
import re
import signal
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import httpx

from service.accounts.roles import Role
from service.bootstrap import Core
from service.enrolment.bulk.terms import Terms
from service.store.keys import new_attempt_id, system_random
from service.web.console.access import FORM_TOKEN, cookie_name
from tests.bench.goals.webhooks import burst, signed_posts, web_process
from tests.bench.installation import Installation, running_installation, text_settings
from tests.bench.report import Part, limit
from tests.bench.sinks import running_sink
from tests.bench.sizes import Sizes
from tests.support.patient_files import opens, patient, row, text
from tests.support.routes import routes_of

MEDIAN_MS = 50.0
MOST_BYTES = 200_000
OWN = {"Sec-Fetch-Site": "same-origin"}
"""What a browser sends with a form of the page's own site."""
REPLIES = 2_000
"""Texts that have come in, of which a fifth wait for staff."""
LOADS = 21
"""Of each page; the first has templates to compile, and its time counts as the others do."""


def console(part: Part, directory: Path, sizes: Sizes) -> None:
    """Fill a store, sign in, and load every page."""
    with (
        running_sink("twilio") as sink,
        running_installation(directory, sink, WEB_PORT="0", **text_settings(sink)) as installation,
    ):
        installation.enrol(sizes.console, "sms")
        url, web = web_process(installation)
        try:
            asyncio.run(burst(url, signed_posts(installation, min(REPLIES, sizes.console))))
            pages = dict(_load(installation, url))
        finally:
            web.send_signal(signal.SIGTERM)
            web.wait()
    for address, (median, size) in sorted(pages.items(), key=lambda each: -each[1][0]):
        print(f"console: {median:6.1f} ms {size:7,} bytes  {address}")
    slowest = max(median for median, _ in pages.values())
    largest = max(size for _, size in pages.values())
    what = f"the console's pages with {sizes.console:,} patients"
    part.rows += [
        limit("pages", f"{what}: the slowest one's median", slowest, MEDIAN_MS, "ms"),
        limit("pages", f"{what}: the largest", largest / 1000, MOST_BYTES / 1000, "kB"),
    ]


def _load(installation: Installation, url: str) -> Iterator[tuple[str, tuple[float, int]]]:
    """Each page's address, with its median time in ms and its size in bytes."""
    core = installation.core
    admin = core.accounts.create(
        email="admin@clinic.example",
        name="Admin",
        role=Role.ADMIN,
        password="a long enough pass phrase",
        source="bench",
    )
    token = core.sessions.start(admin.id)
    cookie = f"{cookie_name(core)}={token}"
    known = {
        "member": admin.id,
        "identifier": _checked_import(core),
        "patient": installation.newest[-1],
        "message": "walking",
        "series": "restless-legs",
        "name": "restless-legs",
        "version": "2",
        "language": "en",
        "number": "1",
        "kind": "phone",
    }
    with httpx.Client(base_url=url, headers={"cookie": cookie}, trust_env=False) as client:
        known["table"] = _named(client, "/console/insight", r"insight/(\w+)\.csv")
        known["thread"] = _named(client, "/console/inbox", r'inbox/([\w.-]+)"')
        known["reply"] = _named(client, f"/console/inbox/{known['thread']}", r'replies/([\w.-]+)"')
        for address in sorted(set(_addresses(installation, known))):
            found = client.get(address)
            if found.status_code == httpx.codes.SEE_OTHER:
                continue
            if found.status_code != httpx.codes.OK:
                print(f"console: {address} answers {found.status_code}, and is not measured")
                continue
            times = _times(partial(client.get, address))
            yield address, (statistics.median(times), len(found.content))
        session = core.sessions.find(token)
        assert session is not None
        someone = core.patients.contact(core.patients.load(known["patient"]))
        for what, typed in {"phone": someone.phone, "name": someone.given_name}.items():
            form = {FORM_TOKEN: session.csrf, "query": typed}
            search = partial(client.post, "/console/patients/search", data=form, headers=OWN)
            found = search()
            assert found.status_code == httpx.codes.OK, found.text
            yield f"a search by {what}", (statistics.median(_times(search)), len(found.content))


def _checked_import(core: Core) -> str:
    """The id of a file that was uploaded and checked, one row of it wrong."""
    people = [*(patient(number) for number in range(500)), row(phone="12")]
    terms = Terms(method="written", wording="2026-11")
    identifier = core.imports.receive(opens(text(*people)), terms, "patients.csv", "bench").id
    assert core.imports.check_kept(identifier, new_attempt_id(0, system_random))
    return identifier


def _named(client: httpx.Client, address: str, name: str) -> str:
    """The first name that a page leads on to."""
    found = re.search(name, client.get(address).text)
    assert found is not None, f"{address} leads to no {name}"
    return found[1]


def _addresses(installation: Installation, known: Mapping[str, str]) -> Iterator[str]:
    for route in routes_of(installation.core):
        if route.method == "GET" and route.needs and not route.path.endswith(":path}"):
            yield re.sub(r"\{(\w+)\}", lambda name: known.get(name[1], "-"), route.path)


def _times(ask: Callable[[], httpx.Response]) -> Iterator[float]:
    for _ in range(LOADS):
        began = time.perf_counter()
        ask()
        yield (time.perf_counter() - began) * 1000
