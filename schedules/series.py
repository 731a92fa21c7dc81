"""Read series from their files. Strict: a file that is not exactly a series is an error."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeVar

from schedules.check_ins import Trend
from schedules.errors import SeriesError
from schedules.steps import CATCH_UPS, CHANNELS, KINDS, At, Series, Step, Wording

__all__ = ["Series", "Step", "list_series", "load_series"]

_T = TypeVar("_T", bound=str)

PACKAGED: Final = Path(__file__).parent / "series"

_FILE: Final = re.compile(r"(?P<name>[a-z][a-z0-9]*(-[a-z0-9]+)*)\.v(?P<version>[1-9]\d*)\.toml")
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LANGUAGE: Final = re.compile(r"[a-z]{2}")
_SPAN: Final = re.compile(r"(?P<count>[1-9]\d{0,3})(?P<unit>[mhd])")
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_SERIES_KEYS: Final = frozenset(
    {
        "series", "version", "title", "frequency", "nightly", "catch_up", "expires_after",
        "wording", "step",
    }
)  # fmt: skip
_STEP_KEYS: Final = frozenset(
    {"id", "message", "day", "at", "channel", "kind", "expires_after", "unless"}
)
_TRENDS: Final = tuple(trend.value for trend in Trend)
_WORDING_KEYS: Final = frozenset({"language", "title", "frequency"})


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of a TOML file, with where it stands, so that each error names file and key."""

    where: str
    values: Mapping[str, object]

    def allow(self, known: frozenset[str]) -> None:
        for key in self.values:
            if key not in known:
                raise SeriesError(
                    f"{self.where}: unknown key {key!r}: take it out, or use one of "
                    f"{', '.join(sorted(known))}"
                )

    def fault(self, key: str, wanted: str) -> SeriesError:
        if key not in self.values:
            return SeriesError(f"{self.where}: {key!r} is missing: give {wanted}")
        return SeriesError(f"{self.where}: {key} = {self.values[key]!r}: give {wanted}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str) or not value.strip():
            raise self.fault(key, "a text in quotes that is not empty")
        return value

    def slug(self, key: str) -> str:
        value = self.text(key)
        if not _NAME.fullmatch(value):
            raise self.fault(key, "lower-case words joined by hyphens")
        return value

    def whole(self, key: str, least: int) -> int:
        value = self.values.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.fault(key, f"a whole number, {least} or more")
        return value

    def truth(self, key: str) -> bool:
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.fault(key, "true or false")
        return value

    def choice(self, key: str, choices: tuple[_T, ...], default: _T | None = None) -> _T:
        value = self.values.get(key, default)
        for choice in choices:
            if value == choice:
                return choice
        raise self.fault(key, f"one of {', '.join(choices)}")

    def span(self, key: str, default: timedelta | None = None) -> timedelta:
        if key not in self.values and default is not None:
            return default
        value = self.values.get(key)
        found = _SPAN.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise self.fault(key, 'a span such as "90m", "2h" or "21d"')
        return int(found["count"]) * _UNITS[found["unit"]]

    def tables(self, key: str) -> list["_Table"]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.fault(key, f"tables, each begun with [[{key}]]")
        return [
            _Table(f"{self.where}, {key} {number}", item) for number, item in enumerate(value, 1)
        ]


def load_series(name: str, version: int | None = None, root: Path | None = None) -> Series:
    """Return a version of a series, the newest where none is named. Read once per process.

    Args:
        name: The series' name, as in its file name `<name>.v<version>.toml`.
        version: The version wanted; published versions stay for the patients who are under way.
        root: The directory to read from; the packaged one where not given.

    Raises:
        SeriesError: There is no such series or version, or its file is not a series.
    """
    return _load(name, version, root or PACKAGED)


def list_series(root: Path | None = None) -> tuple[Series, ...]:
    """Return every version of every series, by name and version.

    Raises:
        SeriesError: A file in the directory is not a series.
    """
    root = root or PACKAGED
    return tuple(_load(name, version, root) for name, version in _published(root))


def series_files(root: Path | None = None) -> tuple[Path, ...]:
    """Return the paths of all series files, by name, readable or not."""
    return tuple(sorted((root or PACKAGED).glob("*.toml")))


@lru_cache(maxsize=256)
def _load(name: str, version: int | None, root: Path) -> Series:
    versions = [number for other, number in _published(root) if other == name]
    if not versions:
        names = ", ".join(sorted({other for other, _ in _published(root)})) or "none"
        raise SeriesError(f"there is no series {name!r}; there are: {names}")
    if version is not None and version not in versions:
        known = ", ".join(map(str, versions))
        raise SeriesError(f"series {name!r} has no version {version}; it has: {known}")
    return read_series(root / f"{name}.v{version or versions[-1]}.toml")


def _published(root: Path) -> list[tuple[str, int]]:
    found = [_parse_file_name(path) for path in series_files(root)]
    return sorted(found)


def _parse_file_name(path: Path) -> tuple[str, int]:
    found = _FILE.fullmatch(path.name)
    if found is None:
        raise SeriesError(f"{path.name}: name the file <series>.v<version>.toml, in lower case")
    return found["name"], int(found["version"])


def read_series(path: Path) -> Series:
    """Read one series file.

    Raises:
        SeriesError: It cannot be read, is not TOML, has an unknown key or a wrong value, or its
            name and version are not those of the file name. The message names file and key.
    """
    name, version = _parse_file_name(path)
    try:
        top = _Table(path.name, tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as fault:
        raise SeriesError(
            f"{path.name}: cannot be read ({fault.strerror}): it has to be a file, and readable"
        ) from fault
    except UnicodeDecodeError as fault:
        raise SeriesError(f"{path.name}: cannot be read as UTF-8 text: {fault}") from fault
    except tomllib.TOMLDecodeError as fault:
        raise SeriesError(f"{path.name}: not TOML: {fault}") from fault
    top.allow(_SERIES_KEYS)
    if top.text("series") != name:
        raise top.fault("series", f"{name!r}, as in the file name")
    if top.whole("version", 1) != version:
        raise top.fault("version", f"{version}, as in the file name")
    spare = top.span("expires_after") if "expires_after" in top.values else None
    steps = tuple(_read_step(table, spare) for table in top.tables("step"))
    if not steps:
        raise top.fault("step", "at least one [[step]]")
    return Series(
        name=name,
        version=version,
        title=top.text("title"),
        frequency=top.text("frequency"),
        nightly=top.truth("nightly"),
        catch_up=top.choice("catch_up", CATCH_UPS),
        steps=steps,
        wording=tuple(_read_wording(table) for table in top.tables("wording")),
    )


def _read_step(table: _Table, expires_after: timedelta | None) -> Step:
    table.allow(_STEP_KEYS)
    try:
        at = At.parse(table.text("at"))
    except SeriesError as fault:
        raise SeriesError(f"{table.where}: at: {fault}") from fault
    message = table.slug("message")
    return Step(
        id=table.slug("id") if "id" in table.values else message,
        message=message,
        day=table.whole("day", 0),
        at=at,
        channel=table.choice("channel", CHANNELS),
        expires_after=table.span("expires_after", expires_after),
        kind=table.choice("kind", KINDS, "drip"),
        unless=Trend(table.choice("unless", _TRENDS)) if "unless" in table.values else None,
    )


def _read_wording(table: _Table) -> Wording:
    table.allow(_WORDING_KEYS)
    language = table.text("language")
    if not _LANGUAGE.fullmatch(language):
        raise table.fault("language", 'a language code of two letters, such as "es"')
    return Wording(language, table.text("title"), table.text("frequency"))
