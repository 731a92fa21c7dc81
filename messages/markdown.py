"""One Markdown source, two faithful renderings: HTML and plain text.

The subset a nurse needs: paragraphs, headings, lists, quotes, rules, bold, emphasis, links. Raw
HTML shows as the characters it is made of; images and code blocks do not exist (an image would
report its opening, and a stray indentation must not change the look of a paragraph).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

_OFF: Final = ["image", "code", "fence", "backticks", "html_block", "html_inline", "reference"]
_LINK_TARGET: Final = re.compile(r"https://[^\s]+|mailto:[^\s]+|tel:\+?[0-9]+|tel:zqv[a-z]+zqv")
_OUR_PAGES: Final = frozenset({"zqvunsubscribeurlzqv", "zqvpageurlzqv", "zqvlinkzqv"})
"""Variables that are a whole address of ours."""


class UnsafeLink(Exception):
    """A link leads somewhere a message must not lead."""


@cache
def _parser() -> MarkdownIt:
    options = {"html": False, "typographer": True, "quotes": "\u201c\u201d\u2018\u2019"}
    return MarkdownIt("commonmark", options).enable(["smartquotes", "replacements"]).disable(_OFF)


@lru_cache(maxsize=8)  # a message becomes HTML and plain text one right after the other
def _tokens(source: str) -> tuple[Token, ...]:
    return tuple(_parser().parse(source))


def to_html(source: str) -> str:
    """Return the HTML of the source, with typographic quotes and dashes.

    Raises:
        UnsafeLink: a link leads to anything but https:, mailto:, tel: or a page of ours.
    """
    tokens = _tokens(source)
    for link in _links(tokens):
        target = str(link.attrs.get("href", ""))
        if not _LINK_TARGET.fullmatch(target) and target not in _OUR_PAGES:
            raise UnsafeLink(target)
    return str(_parser().renderer.render(list(tokens), _parser().options, {}))


def to_text(source: str) -> str:
    """Return the plain text of the source: one line a paragraph, blocks a blank line apart.

    Links keep their targets, in brackets after their words; lists their bullets and numbers.
    """
    writer = _TextWriter()
    for token in _tokens(source):
        writer.take(token)
    return "\n\n".join(writer.blocks)


def _links(tokens: Iterable[Token]) -> Iterable[Token]:
    for token in tokens:
        if token.type == "link_open":
            yield token
        yield from _links(token.children or ())


@dataclass
class _List:
    ordered: bool
    number: int


@dataclass
class _TextWriter:
    """Walks the tokens and collects blocks; `lists` and `quotes` are what is open at the time."""

    blocks: list[str] = field(default_factory=list)
    lists: list[_List] = field(default_factory=list)
    quotes: int = 0
    bullet: str = ""
    joins: bool = False
    heading: bool = False

    def take(self, token: Token) -> None:
        """Write one block token."""
        if step := _STEPS.get(token.type):
            step(self, token)

    def write(self, text: str) -> None:
        """Add a block, or a line to the list that is open."""
        indent = "  " * max(len(self.lists) - 1, 0)
        hanging = indent + " " * len(self.bullet)
        if self.lists and not self.bullet:
            hanging = indent + "  "
        first = indent + self.bullet if self.bullet else hanging
        lines = text.split("\n")
        shown = "\n".join([first + lines[0], *(hanging + line for line in lines[1:])])
        quoted = "\n".join("> " * self.quotes + line for line in shown.split("\n"))
        if self.joins and self.blocks:
            self.blocks[-1] += "\n" + quoted
        else:
            self.blocks.append(quoted)
        self.bullet = ""
        self.joins = bool(self.lists)


def _inline(writer: _TextWriter, token: Token) -> None:
    text = _inline_text(token.children or [])
    if writer.heading:
        text = f"{text}\n{'-' * min(len(text), 40)}"
    writer.write(text)


def _open_list(writer: _TextWriter, token: Token) -> None:
    start = int(token.attrs.get("start", 1))
    writer.lists.append(_List(token.type == "ordered_list_open", start))


def _close_list(writer: _TextWriter, _token: Token) -> None:
    writer.lists.pop()
    writer.joins = bool(writer.lists)


def _open_item(writer: _TextWriter, _token: Token) -> None:
    current = writer.lists[-1]
    writer.bullet = f"{current.number}. " if current.ordered else "- "
    current.number += 1


def _open_quote(writer: _TextWriter, _token: Token) -> None:
    writer.quotes += 1


def _close_quote(writer: _TextWriter, _token: Token) -> None:
    writer.quotes -= 1
    writer.joins = False


def _heading(writer: _TextWriter, token: Token) -> None:
    writer.heading = token.type == "heading_open"


def _rule(writer: _TextWriter, _token: Token) -> None:
    writer.write("-" * 20)


_STEPS: Final[dict[str, Callable[[_TextWriter, Token], None]]] = {
    "inline": _inline,
    "bullet_list_open": _open_list,
    "ordered_list_open": _open_list,
    "bullet_list_close": _close_list,
    "ordered_list_close": _close_list,
    "list_item_open": _open_item,
    "blockquote_open": _open_quote,
    "blockquote_close": _close_quote,
    "heading_open": _heading,
    "heading_close": _heading,
    "hr": _rule,
}


def _inline_text(tokens: Iterable[Token]) -> str:
    written: list[str] = []
    link_from, target = 0, ""
    for token in tokens:
        if token.type == "link_open":
            link_from, target = len(written), str(token.attrs.get("href", ""))
        elif token.type == "link_close":
            shown = target.removeprefix("tel:").removeprefix("mailto:")
            if shown not in "".join(written[link_from:]):
                written.append(f" ({shown})")
        elif token.type in {"text", "text_special"}:
            written.append(token.content)
        elif token.type == "softbreak":
            written.append(" ")
        elif token.type == "hardbreak":
            written.append("\n")
    return "".join(written)
