from __future__ import annotations

import pytest

from service.web.source import networks, source

PROXIES = networks("127.0.0.0/8, ::1/128,10.0.0.0/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.1.2.3", "203.0.113.7, 10.9.9.9", "203.0.113.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("127.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
    ],
)
def test_a_source_is_the_last_address_that_is_no_proxy_of_ours(
    peer: str, forwarded: str, expected: str
) -> None:
    assert source(peer, forwarded, PROXIES) == expected


def test_nobody_writes_a_source_of_their_own_into_the_header() -> None:
    assert source("203.0.113.7", "198.51.100.1", PROXIES) == "203.0.113.7"
    assert source("127.0.0.1", "198.51.100.1, 203.0.113.7", PROXIES) == "203.0.113.7"


def test_what_is_no_address_is_one_source_together() -> None:
    assert source("testclient", "", PROXIES) == source("127.0.0.1", "<script>", PROXIES)
