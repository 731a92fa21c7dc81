"""Messages as they are sent: the text message, the e-mail's subject and its two parts."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

from messages.catalog import Catalog
from messages.errors import TemplateFault
from messages.sms import Encoding, segment
from messages.template import Malformed, Pieces, fill, read_blocks, split_marks
from messages.wire import WirePieces, encode_pieces, fill_common, fill_wire

# Control characters break lines and headers; bidirectional controls can make an address or a number
# read as another one (Unicode TR 36 section 2.5).
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_NOT_DIALLED: Final = re.compile(r"[^0-9+*#]")
_WEB_ADDRESS: Final = re.compile(r"https?://[^\s<>\"]+")
_MAY_BE_BLANK: Final = frozenset({"given_name"})
_LINES_KEPT: Final = frozenset({"answer"})
_PERSONAL: Final = frozenset({"given_name", "greeting", "unsubscribe_url", "page_url"})


@dataclass(frozen=True, slots=True)
class SmsText:
    """A text message ready to send.

    Attributes:
        text: exactly what is handed to the provider.
        encoding: "GSM-7" or "UCS-2".
        segments: how many it is sent and paid as.
    """

    text: str
    encoding: Encoding
    segments: int


@dataclass(frozen=True, slots=True)
class EmailContent:
    """An e-mail's content, not yet addressed to anyone.

    Attributes:
        subject: one line.
        text: the plain-text part; lines end in a single line feed.
        html: the HTML part, with its style inlined.
        language: the language of both parts.
    """

    subject: str
    text: str
    html: str
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Letter:
    """The same, its bodies already in the form they travel in: for sending many.

    Attributes:
        subject: one line.
        text, html: the two parts, quoted-printable, lines ending in CRLF.
        language: the language of both parts.
    """

    subject: str
    text: bytes
    html: bytes
    language: str


@dataclass(frozen=True, slots=True)
class Skeleton:
    """An e-mail with all filled in that is the same for every patient of a clinic."""

    name: str
    language: str
    common: Mapping[str, str]
    subject: Pieces
    text: WirePieces
    html: WirePieces

    def letter(self, personal: Mapping[str, str]) -> Letter:
        """Fill in what is the patient's own: `given_name`, `unsubscribe_url` and `page_url`.

        Raises:
            TemplateFault: one of them is missing, or the link is none.
        """
        try:
            writers = _writers(_greeted({**self.common, **personal}, self.language))
            return Letter(
                subject=fill(self.subject, writers),
                text=fill_wire(self.text, writers),
                html=fill_wire(self.html, writers),
                language=self.language,
            )
        except Malformed as error:
            raise TemplateFault(self.name, self.language, str(error)) from None


@dataclass(frozen=True, slots=True)
class _Email:
    subject: Pieces
    text: Pieces
    html: Pieces
    wire_text: WirePieces
    wire_html: WirePieces


class Renderer:
    """Renders a catalog's messages; each template is compiled once, on its first use.

    `context` is a mapping of str to str that has every variable the message uses (see
    `messages.sample.sample_context` for all of them). Values are plain text: whatever they hold is
    shown as it is and can neither become Markdown nor HTML nor a line of its own; only `answer`,
    what a person has written, keeps its lines.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._blocks: dict[tuple[str, str], dict[str, str]] = {}
        self._sms: dict[tuple[str, str], Pieces] = {}
        self._email: dict[tuple[str, str], _Email] = {}

    def sms(self, name: str, language: str, context: Mapping[str, str]) -> SmsText:
        """Render the text message.

        Raises:
            UnknownMessage, UnknownLanguage: the catalog has no such template.
            TemplateFault: the template breaks the format, or the context lacks a value it uses.
        """
        compiled = self._sms.get((name, language)) or self._compile_sms(name, language)
        try:
            text = fill(compiled, _writers(context, lines_kept=_LINES_KEPT))
        except Malformed as error:
            raise TemplateFault(name, language, str(error)) from None
        counted = segment(text)
        return SmsText(text, counted.encoding, counted.count)

    def email(self, name: str, language: str, context: Mapping[str, str]) -> EmailContent:
        """Render the e-mail.

        Raises:
            UnknownMessage, UnknownLanguage: the catalog has no such template.
            TemplateFault: the template breaks the format, or the context lacks a value it uses.
        """
        compiled = self._email.get((name, language)) or self._compile_email(name, language)
        try:
            greeted = _greeted(context, language)
            writers = _writers(greeted, lines_kept=_LINES_KEPT)
            return EmailContent(
                subject=fill(compiled.subject, _writers(greeted)),
                text=fill(compiled.text, writers),
                html=fill(compiled.html, writers),
                language=language,
            )
        except Malformed as error:
            raise TemplateFault(name, language, str(error)) from None

    def skeleton(self, name: str, language: str, common: Mapping[str, str]) -> Skeleton:
        """Prepare an e-mail of which many are to be sent: `Letter`s read the same as `email`.

        Args:
            name: of the message.
            language: one that it has.
            common: the values that are the same for all of them.

        Raises:
            UnknownMessage, UnknownLanguage, TemplateFault: as in `email`.
        """
        compiled = self._email.get((name, language)) or self._compile_email(name, language)
        writers = _writers(common)
        try:
            return Skeleton(
                name,
                language,
                common,
                compiled.subject,
                fill_common(compiled.wire_text, writers, _PERSONAL),
                fill_common(compiled.wire_html, writers, _PERSONAL),
            )
        except Malformed as error:
            raise TemplateFault(name, language, str(error)) from None

    def blocks(self, name: str, language: str) -> dict[str, str]:
        """Return the marked text of the blocks subject, sms and email (see `messages.template`).

        Raises:
            UnknownMessage, UnknownLanguage: the catalog has no such template.
            TemplateFault: the template breaks the format.
        """
        key = (name, language)
        if key not in self._blocks:
            source = self._catalog.template(name, language)
            try:
                self._blocks[key] = read_blocks(source)
            except Malformed as error:
                raise TemplateFault(name, language, str(error)) from None
        return self._blocks[key]

    def _compile_sms(self, name: str, language: str) -> Pieces:
        compiled = split_marks(self.blocks(name, language)["sms"])
        self._sms[name, language] = compiled
        return compiled

    def _compile_email(self, name: str, language: str) -> _Email:
        from messages.page import html_page, text_page  # noqa: PLC0415 - texts never need it

        blocks = self.blocks(name, language)
        try:
            text = text_page(blocks["email"], language)
            html = html_page(blocks["email"], blocks["subject"], language)
        except Malformed as error:
            raise TemplateFault(name, language, str(error)) from None
        subject = split_marks(blocks["subject"])
        compiled = _Email(subject, text, html, encode_pieces(text), encode_pieces(html))
        self._email[name, language] = compiled
        return compiled


def _greeted(context: Mapping[str, str], language: str) -> dict[str, str]:
    from messages.page import greeting  # noqa: PLC0415

    if "given_name" not in context:
        raise Malformed("given_name has no value; pass it, blank where it is not known")
    return {**context, "greeting": greeting(language, one_line(context["given_name"]))}


def one_line(value: str) -> str:
    """Return a value as one line of printable text, with single spaces."""
    if not value.isprintable():
        value = _UNPRINTABLE.sub(" ", value)
    return " ".join(value.split())


def lines(value: str) -> str:
    """Return a value as lines of printable text, with at most one empty line between two."""
    kept = "\n".join(one_line(line) for line in value.splitlines())
    return re.sub(r"\n{3,}", "\n\n", kept).strip()


def _writers(
    context: Mapping[str, str], lines_kept: frozenset[str] = frozenset()
) -> dict[str, Callable[[str], str]]:
    def text(variable: str) -> str:
        try:
            value = (lines if variable in lines_kept else one_line)(context[variable])
        except KeyError:
            raise Malformed(f"{variable} has no value; pass it in the context") from None
        if not value and variable not in _MAY_BE_BLANK:
            raise Malformed(f"{variable} is blank; fill it in where the clinic is configured")
        return value

    def html(variable: str) -> str:
        return escape(text(variable)).replace("\n", "<br>")

    def dialled(variable: str) -> str:
        return _NOT_DIALLED.sub("", text(variable))

    def url(variable: str) -> str:
        value = text(variable)
        if not _WEB_ADDRESS.fullmatch(value):
            raise Malformed(f"{variable} is no web address; it must start with https://")
        return escape(value)

    return {"text": text, "html": html, "tel": dialled, "url": url}
