"""One message in one language, opened up for the eyes of lint."""

from dataclasses import dataclass

from messages.catalog import Catalog, Message
from messages.errors import TemplateFault
from messages.markdown import UnsafeLink, to_html, to_text
from messages.plain import Reading, read
from messages.render import Renderer
from messages.sample import sample_context
from messages.template import Pieces, split_marks, variables_of


@dataclass(frozen=True, slots=True)
class Script:
    """The three blocks as an author wrote them and as a patient would read them.

    Attributes:
        message: what message.toml says.
        language: the template's language.
        pieces: each block as plain text with slots; the e-mail's Markdown is already resolved and
            the page around it is left out.
        shown: the same with the sample clinic's values.
    """

    message: Message
    language: str
    pieces: dict[str, Pieces]
    shown: dict[str, str]

    @property
    def where(self) -> str:
        """Return the place a problem is reported at, such as "walking/en"."""
        return f"{self.message.name}/{self.language}"

    def literal(self, block: str) -> str:
        """Return a block's text without the values of its variables."""
        return "".join(piece for piece in self.pieces[block] if isinstance(piece, str))

    def variables(self, block: str) -> frozenset[str]:
        """Return the variables a block uses."""
        return variables_of(self.pieces[block])


def open_script(renderer: Renderer, message: Message, language: str) -> Script:
    """Read a message.

    Raises:
        TemplateFault: its template breaks the format, or a link leads where none may lead.
    """
    marked = renderer.blocks(message.name, language)
    try:
        to_html(marked["email"])
    except UnsafeLink as error:
        detail = f"the link to {error} is not allowed"
        raise TemplateFault(message.name, language, detail) from None
    pieces = {
        "subject": split_marks(marked["subject"]),
        "sms": split_marks(marked["sms"]),
        "email": split_marks(to_text(marked["email"])),
    }
    context = sample_context(language)
    shown = {
        block: "".join(
            piece if isinstance(piece, str) else context[piece.variable] for piece in found
        )
        for block, found in pieces.items()
    }
    return Script(message, language, pieces, shown)


def reading(catalog: Catalog, name: str, language: str) -> Reading:
    """Measure how plain one message is: its text and the body of its e-mail together.

    Raises:
        UnknownMessage, UnknownLanguage, TemplateFault: as in rendering it.
    """
    script = open_script(Renderer(catalog), catalog[name], language)
    return read(f"{script.shown['sms']}\n{script.shown['email']}", language)
