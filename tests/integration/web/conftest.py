from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tests.support.web import Site, site

_numbers = count(1)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One running application for the tests of a file, which use numbers of their own."""
    with site(tmp_path_factory.mktemp("web")) as running:
        yield running


@pytest.fixture
def phone() -> str:
    """A number that no other test has."""
    return f"+1503555{next(_numbers):04d}"


@pytest.fixture
def email() -> str:
    """A mailbox that no other test has."""
    return f"patient{next(_numbers)}@example.com"
