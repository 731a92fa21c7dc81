"""How often a text asks the store: most of what it costs is that."""

from __future__ import annotations

import pytest

from service.inbox.receive import InboundText
from tests.support.web import SENDER, Site, new_sid


def asked(web: Site) -> int:
    """How often the server has read from a connection, this call included."""
    return int(web.core.client.info("stats")["total_reads_processed"])


@pytest.mark.parametrize(
    ("body", "most"),
    [
        ("help please", 3),
        ("what about magnesium?", 4),
        ("start please", 4),
        ("7", 6),
        ("please stop texting me", 6),
    ],
)
def test_a_text_asks_the_store_no_more_often_than_it_must(web: Site, body: str, most: int) -> None:
    """Its record, who uses the phone, each effect by itself, and that all is done."""
    found = []
    for number in range(3):  # the web process asks, too, now and then
        phone = f"+150355{most}{len(body) % 10}{number}00"
        web.enrol(phone=phone)
        before = asked(web)
        web.core.inbox.receive(InboundText(new_sid(), phone, SENDER, body))
        found.append(asked(web) - before - 1)
    assert min(found) <= most
