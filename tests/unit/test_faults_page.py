"""The page of faults names tests that exist, and every test of faults is on it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/faults.md").read_text("utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and "|---" not in line]


def names_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        node.name
        for node in tree.body
        if isinstance(node, functions) and node.name.startswith("test_")
    }


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_each_test_that_the_page_names_exists(path: str, name: str) -> None:
    assert name in names_of(ROOT / path)


def test_every_fault_has_a_test() -> None:
    faults = [row for row in ROWS if not row.startswith("| what goes wrong")]
    assert len(faults) > 30
    assert all("::test_" in row for row in faults)


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "tests/integration/faults").glob("test_*.py")),
    ids=lambda path: path.stem,
)
def test_every_file_of_faults_is_on_the_page(path: Path) -> None:
    assert f"`{path.relative_to(ROOT)}::" in PAGE
