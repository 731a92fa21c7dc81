"""The message library: one folder a message, read once and checked strictly."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final, Literal, Self, get_args

from messages.errors import CatalogFault, UnknownLanguage, UnknownMessage

Strand = Literal["lifestyle", "sleep", "follow_up", "service"]

_PACKAGE: Final = Path(__file__).parent
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LANGUAGE_FILE: Final = re.compile(r"([a-z]{2,3}(?:-[A-Z]{2})?)\.jinja")
_REQUIRED: Final = {"strand", "topic", "sources", "reviewed"}
_OPTIONAL: Final = {"policy", "two_segments"}


@dataclass(frozen=True, slots=True)
class Message:
    """What `message.toml` says about a message, and the languages beside it.

    Attributes:
        name: the folder's name.
        strand: which part of the library it belongs to.
        topic: short slug of its subject, such as "walking".
        sources: ids of sections in guide.toml; may be empty where `policy` is given.
        reviewed: the day a clinician last read it.
        languages: codes of its templates, sorted.
        policy: the rule it follows where the guide has no section, such as a CFR paragraph.
        two_segments: why its text may take two segments; blank where it takes one.
    """

    name: str
    strand: Strand
    topic: str
    sources: tuple[str, ...]
    reviewed: date
    languages: tuple[str, ...]
    policy: str = ""
    two_segments: str = ""


class Catalog:
    """Every message by name; iterating gives the messages sorted by name."""

    def __init__(
        self, messages: Mapping[str, Message], templates: Mapping[tuple[str, str], str]
    ) -> None:
        self._messages = dict(sorted(messages.items()))
        self._templates = dict(templates)

    @classmethod
    def load(cls, root: Path | None = None) -> Self:
        """Read the library below `root`, by default the one in the package.

        Raises:
            CatalogFault: some folder breaks the format; all faults of all folders are listed.
        """
        library = root or _PACKAGE / "library"
        faults: list[tuple[str, str]] = []
        messages: dict[str, Message] = {}
        templates: dict[tuple[str, str], str] = {}
        for folder in sorted(path for path in library.iterdir() if _is_content(path)):
            texts, found = _read_templates(folder)
            faults += found
            message, found = _read_message(folder, tuple(sorted(texts)))
            faults += found
            if message:
                messages[message.name] = message
                templates |= {(message.name, language): text for language, text in texts.items()}
        if faults:
            raise CatalogFault(faults)
        return cls(messages, templates)

    def __getitem__(self, name: str) -> Message:
        """Return a message.

        Raises:
            UnknownMessage: there is none of that name.
        """
        try:
            return self._messages[name]
        except KeyError:
            raise UnknownMessage(name) from None

    def __contains__(self, name: object) -> bool:
        return name in self._messages

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages.values())

    def __len__(self) -> int:
        return len(self._messages)

    def template(self, name: str, language: str) -> str:
        """Return a message's template source as its author wrote it.

        Raises:
            UnknownMessage: there is no message of that name.
            UnknownLanguage: it has no template in that language.
        """
        message = self[name]
        try:
            return self._templates[name, language]
        except KeyError:
            raise UnknownLanguage(name, language, message.languages) from None


def guide_sections(path: Path | None = None) -> dict[str, str]:
    """Return the guide's section ids, such as "feet:symptoms", with their titles."""
    index = tomllib.loads((path or _PACKAGE / "guide.toml").read_text("utf-8"))
    return {str(section): str(title) for section, title in index["sections"].items()}


def _is_content(path: Path) -> bool:
    return not path.name.startswith((".", "__"))


def _read_templates(folder: Path) -> tuple[dict[str, str], list[tuple[str, str]]]:
    texts: dict[str, str] = {}
    faults: list[tuple[str, str]] = []
    if not folder.is_dir():
        return texts, [(folder.name, "is not a folder: the library holds one folder a message")]
    if not _NAME.fullmatch(folder.name):
        faults.append((folder.name, "name it in lower case with dashes, such as evening-walk"))
    for path in sorted(folder.iterdir()):
        if path.name == "message.toml" or path.name.startswith("."):
            continue
        where = f"{folder.name}/{path.name}"
        if matched := _LANGUAGE_FILE.fullmatch(path.name):
            try:
                texts[matched[1]] = path.read_text("utf-8")
            except UnicodeDecodeError:
                faults.append((where, "is not UTF-8 text: save it as UTF-8"))
        else:
            faults.append((where, "unknown file: only message.toml and LANGUAGE.jinja belong here"))
    if not texts:
        faults.append((folder.name, "has no template: write en.jinja"))
    return texts, faults


def _read_message(
    folder: Path, languages: tuple[str, ...]
) -> tuple[Message | None, list[tuple[str, str]]]:
    where = f"{folder.name}/message.toml"
    if not folder.is_dir():
        return None, []
    try:
        fields = tomllib.loads((folder / "message.toml").read_text("utf-8"))
    except FileNotFoundError:
        return None, [(where, "is missing: write strand, topic, sources and reviewed in it")]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return None, [(where, f"is not TOML: {error}")]
    if faults := [(where, fault) for fault in _field_faults(fields)]:
        return None, faults
    return Message(
        name=folder.name,
        strand=fields["strand"],
        topic=fields["topic"],
        sources=tuple(fields["sources"]),
        reviewed=fields["reviewed"],
        languages=languages,
        policy=fields.get("policy", ""),
        two_segments=fields.get("two_segments", ""),
    ), []


def _field_faults(fields: Mapping[str, object]) -> Iterator[str]:
    for key in sorted(_REQUIRED - fields.keys()):
        yield f"{key} is missing"
    for key in sorted(fields.keys() - _REQUIRED - _OPTIONAL):
        yield f"{key} is not a known field: remove it or correct its spelling"
    for key, value in fields.items():
        if (check := _CHECKS.get(key)) and (fault := check(value)):
            yield f"{key} {fault}"


def _strand_fault(value: object) -> str:
    return "" if value in get_args(Strand) else f"must be one of {', '.join(get_args(Strand))}"


def _topic_fault(value: object) -> str:
    matches = isinstance(value, str) and _NAME.fullmatch(value)
    return "" if matches else "must be a short slug, such as moving-at-work"


def _sources_fault(value: object) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "" if len(set(value)) == len(value) else "names a section twice"
    return 'must be a list of section ids, such as ["feet:symptoms"]'


def _reviewed_fault(value: object) -> str:
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    return "" if is_day else "must be a date without quotes, such as 2026-11-21"


def _sentence_fault(value: object) -> str:
    return "" if isinstance(value, str) and value.strip() else "must be text, not blank"


_CHECKS: Final = {
    "strand": _strand_fault,
    "topic": _topic_fault,
    "sources": _sources_fault,
    "reviewed": _reviewed_fault,
    "policy": _sentence_fault,
    "two_segments": _sentence_fault,
}
