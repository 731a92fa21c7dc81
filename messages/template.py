"""A message's template: three blocks of text with variables, and nothing else.

A template is read once into text in which each variable is a *mark*: a run of lower-case letters
that Markdown, HTML and URLs all leave alone. Whatever is costly (Markdown, the page around it, CSS
inlining) is done once on the marked text; sending to one patient only puts values in the marks'
places. A value therefore never passes through Markdown, and cannot act as Markdown or as HTML.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from jinja2 import Environment, TemplateSyntaxError, nodes

BLOCKS: Final = ("subject", "sms", "email")

# Every value a message may use. A text has none that differs from patient to patient, so one
# clinic's texts of one message are all the same, and no name can make a text longer.
EMAIL_VARIABLES: Final = (
    "given_name",
    "clinic_name",
    "clinic_phone",
    "clinic_address",
    "emergency_number",
    "crisis_line",
    "series_title",
    "frequency",
    "unsubscribe_url",
    "link",
    "task",
    "choices",
    "page_url",
    "answer",
)
SMS_VARIABLES: Final = tuple(
    name
    for name in EMAIL_VARIABLES
    if name not in {"given_name", "clinic_address", "unsubscribe_url", "page_url"}
)

_MARK: Final = re.compile(r"zqv([a-z]+)zqv")
_LINE_BREAK: Final = "\x00"
_ENVIRONMENT: Final = Environment(autoescape=True)


class Malformed(Exception):
    """A template breaks the format; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a variable in a text.

    Attributes:
        variable: its name.
        kind: "text" as it is, "html" escaped, "url" a whole web address, "tel" the digits to dial.
    """

    variable: str
    kind: str = "text"


Pieces = tuple[str | Slot, ...]


def mark(variable: str) -> str:
    """Return the letters that stand for a variable until its value is known."""
    return f"zqv{variable.replace('_', '')}zqv"


_BY_MARK: Final = {
    mark(variable): variable for variable in (*EMAIL_VARIABLES, "greeting", "subject")
}


def split_marks(text: str, kind_of: Callable[[str, int], str] | None = None) -> Pieces:
    """Cut marked text into literal text and slots; `kind_of(text, at)` names each slot's kind."""
    pieces: list[str | Slot] = []
    start = 0
    for found in _MARK.finditer(text):
        if found.start() > start:
            pieces.append(text[start : found.start()])
        kind = kind_of(text, found.start()) if kind_of else "text"
        pieces.append(Slot(_BY_MARK[found[0]], kind))
        start = found.end()
    if start < len(text):
        pieces.append(text[start:])
    return tuple(pieces)


def read_blocks(source: str) -> dict[str, str]:
    """Return the marked text of each block, by block name.

    Subject and text message are one line: their line breaks become spaces, unless the author wrote
    one as a variable that holds it.

    Raises:
        Malformed: a block is missing, blank, doubled or out of order; there is text outside of
            them, an unknown variable, or anything beyond text and variables.
    """
    if _MARK.search(source) or _LINE_BREAK in source:
        raise Malformed('the letters "zqv" and control characters have a meaning here; remove them')
    try:
        parsed = _ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        raise Malformed(f"line {error.lineno}: {error.message}") from None
    blocks = _blocks(parsed)
    if missing := [name for name in BLOCKS if name not in blocks]:
        raise Malformed(f"block {missing[0]} is missing; write {{% block {missing[0]} %}}")
    if tuple(blocks) != BLOCKS:
        raise Malformed(f"the blocks must stand in the order {', '.join(BLOCKS)}")
    texts = {
        "subject": _one_line(_marked(blocks["subject"], EMAIL_VARIABLES).replace(_LINE_BREAK, " ")),
        "sms": _one_line(_marked(blocks["sms"], SMS_VARIABLES)),
        "email": _marked(blocks["email"], EMAIL_VARIABLES).replace(_LINE_BREAK, "\n").strip(),
    }
    if blank := [name for name, text in texts.items() if not text]:
        raise Malformed(f"block {blank[0]} is blank; write its text")
    return texts


def _blocks(parsed: nodes.Template) -> dict[str, nodes.Block]:
    blocks: dict[str, nodes.Block] = {}
    for node in parsed.body:
        if isinstance(node, nodes.Block):
            if node.name not in BLOCKS:
                raise Malformed(f"block {node.name} is unknown; there are {', '.join(BLOCKS)}")
            blocks[node.name] = node
        elif not _is_blank(node):
            raise Malformed(f"line {node.lineno}: write nothing outside the three blocks")
    return blocks


def _is_blank(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Output) and all(
        isinstance(child, nodes.TemplateData) and not child.data.strip() for child in node.nodes
    )


def _marked(block: nodes.Block, allowed: tuple[str, ...]) -> str:
    found: list[str] = []
    for output in block.body:
        if not isinstance(output, nodes.Output):
            raise _beyond_text(output)
        for node in output.nodes:
            if isinstance(node, nodes.TemplateData):
                found.append(node.data)
            elif isinstance(node, nodes.Const) and node.value == "\n":
                found.append(_LINE_BREAK)
            elif isinstance(node, nodes.Name):
                found.append(_mark_of(node, block.name, allowed))
            else:
                raise _beyond_text(node)
    return "".join(found)


def _mark_of(node: nodes.Name, block: str, allowed: tuple[str, ...]) -> str:
    if node.name in allowed:
        return mark(node.name)
    names = ", ".join(allowed)
    raise Malformed(f"line {node.lineno}: {node.name} is no variable of {block}; it has {names}")


def _beyond_text(node: nodes.Node) -> Malformed:
    return Malformed(
        f"line {node.lineno}: only text and variables such as {{{{ clinic_name }}}} may be used; "
        "where the wording depends on something, write two messages"
    )


def _one_line(text: str) -> str:
    collapsed = re.sub(r"\s+", " ", text)
    return re.sub(f" *{_LINE_BREAK} *", "\n", collapsed).strip()


def variables_of(pieces: Pieces) -> frozenset[str]:
    """Return the names of the variables a text uses."""
    return frozenset(piece.variable for piece in pieces if isinstance(piece, Slot))


def fill(pieces: Pieces, writers: Mapping[str, Callable[[str], str]]) -> str:
    """Put values in the slots' places; `writers[kind](variable)` gives a slot's text."""
    return "".join(
        piece if isinstance(piece, str) else writers[piece.kind](piece.variable) for piece in pieces
    )
