from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tests.support.listener import Post, post

_numbers = count(1)


@pytest.fixture(scope="module", params=["smtp", "lmtp"])
def mail(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Post]:
    """One listener of each protocol for the tests of a file, which use mailboxes of their own."""
    with post(tmp_path_factory.mktemp("mail"), request.param) as running:
        yield running


@pytest.fixture
def email() -> str:
    """A mailbox that no other test has."""
    return f"patient{next(_numbers)}@example.com"
