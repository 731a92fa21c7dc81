"""The repository keeps its own promises: lock files, queues, layering, sizes, targets, paths."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from service.worker import queues
from service.worker.app import make_app

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGES = ("messages", "schedules", "service")
LOCKS = sorted(ROOT.glob("requirements*.lock"))
MODULES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
MODULE_LINES = 300
FUNCTION_LINES = 40
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
# Written so that this file does not hold what it looks for.
BUILD_PATHS = re.compile(r"(?<![\w.])/(?:wor" r"k|roo" r"t|hom" r"e/\w+|Use" r"rs/\w+|tmp/[a-z])/")
NO_CODE = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE),
    *(tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER),
}
WORDS_NOT_USED = frozenset({"manager", "helper", "helpers", "utils", "util", "data", "handler"})


def tracked() -> list[Path]:
    """Files under version control, without those that were removed and not yet committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def source(path: Path) -> str:
    return path.read_text("utf-8")


def identity(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("lock", LOCKS, ids=identity)
def test_a_lock_file_names_no_host_and_holds_a_hash_for_each_package(lock: Path) -> None:
    text = source(lock)
    assert "://" not in text
    assert not re.search(r"^\s*--?(i|index|extra-index|find-links|trusted)\b", text, re.MULTILINE)
    joined = text.replace("\\\n", " ")
    pins = [
        line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    assert pins
    for pin in pins:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==\S+", pin), pin
        assert "--hash=sha256:" in pin, pin


def test_every_dependency_is_locked() -> None:
    locked = set(re.findall(r"^([a-z0-9._-]+)==", source(ROOT / "requirements.lock"), re.MULTILINE))
    for requirement in PROJECT["project"]["dependencies"]:
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        assert name
        assert name[0].lower() in locked


def test_the_two_lock_files_agree() -> None:
    pin = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)
    runtime = dict(pin.findall(source(ROOT / "requirements.lock")))
    develop = dict(pin.findall(source(ROOT / "requirements-dev.lock")))
    shared = runtime.keys() & develop.keys()
    assert {name: runtime[name] for name in shared} == {name: develop[name] for name in shared}


def test_every_queue_has_a_worker_and_every_task_a_queue() -> None:
    declared = {
        value for name, value in vars(queues).items() if name.isupper() and isinstance(value, str)
    }
    assert set(queues.QUEUES) == declared
    app = make_app("memory://")
    assert {queue.name for queue in app.conf.task_queues} == declared
    assert app.conf.task_default_queue in declared
    routed = {route["queue"] for route in (app.conf.task_routes or {}).values()}
    assert routed <= declared


def test_no_tracked_file_holds_a_path_of_the_machine_it_was_written_on() -> None:
    found = []
    for path in tracked():
        try:
            lines = source(path).splitlines()
        except UnicodeDecodeError:
            continue  # a picture
        found += [
            f"{identity(path)}:{number}"
            for number, line in enumerate(lines, 1)
            if BUILD_PATHS.search(line)
        ]
    assert found == []


def test_nothing_that_tells_patients_apart_or_secrets_is_tracked() -> None:
    names = {identity(path) for path in tracked()}
    assert not [name for name in names if name.startswith(("var/", ".venv/", "build/"))]
    assert not [name for name in names if Path(name).name in {".env", "secret_keys"}]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/how-to/run-on-one-box.md"])
def test_each_make_target_that_a_page_names_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", source(ROOT / "Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", source(ROOT / page), re.MULTILINE))
    assert named
    assert named <= targets


def test_make_help_lists_every_target() -> None:
    makefile = source(ROOT / "Makefile")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony
    told = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert told == set(phony[1].split())


def test_the_ci_script_runs_the_test_command_of_the_readme() -> None:
    script = source(ROOT / ".ci/run")
    assert "\nmake test " in script
    assert "make test" in source(ROOT / "README.md")
    assert "set -euo pipefail" in script
    assert "export CI=true " in script
    assert "://" not in script
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_the_commit_hooks_fetch_nothing_and_run_what_make_lint_runs() -> None:
    config = YAML(typ="safe").load(ROOT / ".pre-commit-config.yaml")
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    tools = set(re.findall(r"\$\(BIN\)/([a-z-]+)", source(ROOT / "Makefile")))
    for hook in hooks:
        assert hook["entry"].split()[0].removeprefix(".venv/bin/") in tools


def test_the_layers_are_under_contract() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    layers = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    assert layers == [["service", "schedules", "messages"]]
    pure = next(c for c in contracts if c.get("source_modules") == ["messages", "schedules"])
    assert {"redis", "celery", "twilio", "fastapi"} <= set(pure["forbidden_modules"])


@pytest.mark.parametrize("path", MODULES, ids=identity)
def test_a_module_and_each_function_of_it_is_short(path: Path) -> None:
    text = source(path)
    tree = ast.parse(text)
    code = _code_lines(text, tree)
    assert len(code) < MODULE_LINES
    too_long = {
        function.name
        for function in _functions(tree)
        if len(code & _span(function)) >= FUNCTION_LINES
    }
    assert too_long == set()


@pytest.mark.parametrize("path", MODULES, ids=identity)
def test_a_module_is_named_for_what_it_is(path: Path) -> None:
    assert path.stem not in WORDS_NOT_USED
    tree = ast.parse(source(path))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    ends = re.compile(r"[A-Z]\w*(Manager|Helper|Utils?|Handler|Data)")
    assert not [name for name in names if ends.fullmatch(name)]


@pytest.mark.parametrize("name", ["messages", "schedules"])
def test_a_pure_package_reads_no_clock_and_draws_no_randomness(name: str) -> None:
    asked = re.compile(r"\b(?:time\.time|monotonic|datetime\.now|date\.today|utcnow)\(|\brandom\.")
    found = []
    for path in (ROOT / name).rglob("*.py"):
        tree = ast.parse(source(path))
        imported = {alias.name for node in ast.walk(tree) for alias in _imported(node)}
        assert not imported & {"random", "secrets", "uuid", "os", "socket"}, path
        found += [identity(path) for node in ast.walk(tree) if asked.search(_called(node))]
    assert found == []


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _span(node: ast.stmt) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))


def _code_lines(text: str, tree: ast.Module) -> set[int]:
    """Lines that hold more than a comment or a docstring."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines -= _span(node)  # a docstring, or one of an attribute
    return lines


def _imported(node: ast.AST) -> list[ast.alias]:
    return node.names if isinstance(node, ast.Import) else []


def _called(node: ast.AST) -> str:
    return ast.unparse(node) if isinstance(node, ast.Call) else ""
