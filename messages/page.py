"""The page around each e-mail: header, greeting, footer, style."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from messages.markdown import UnsafeLink, to_html, to_text
from messages.template import EMAIL_VARIABLES, Malformed, Pieces, mark, split_marks

_LAYOUT: Final = Path(__file__).parent / "layout"


@cache
def _words() -> dict[str, dict[str, str]]:
    return tomllib.loads((_LAYOUT / "words.toml").read_text("utf-8"))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_LAYOUT),
        autoescape=select_autoescape(["html.jinja"]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )


def words(language: str) -> dict[str, str]:
    """Return the frame's own words in a language.

    Raises:
        Malformed: the frame has none in that language.
    """
    try:
        return _words()[language]
    except KeyError:
        raise Malformed(
            f"the e-mail's frame has no words in {language!r}; add [{language}] to "
            "messages/layout/words.toml"
        ) from None


def greeting(language: str, given_name: str) -> str:
    """Return the greeting line; a patient whose name is not known is greeted without one."""
    spoken = words(language)
    if not given_name:
        return spoken["greeting_unnamed"]
    return spoken["greeting"].replace("{given_name}", given_name)


def text_page(body: str, language: str) -> Pieces:
    """Return the plain-text part around marked Markdown."""
    page = _environment().get_template("email.txt.jinja")
    return split_marks(page.render(body=to_text(body), **_frame(language)))


def html_page(body: str, subject: str, language: str) -> Pieces:
    """Return the HTML part around marked Markdown, with its style inlined.

    Style sheets are inlined because several mail programs ignore them; what cannot be inlined
    (phone widths, dark mode) stays in one.

    Raises:
        Malformed: a link leads where no message may lead.
    """
    try:
        content = to_html(body)
    except UnsafeLink as error:
        raise Malformed(
            f"the link to {error} is not allowed; link to https:, mailto:, tel: with "
            "{{ clinic_phone }}, {{ unsubscribe_url }} or {{ link }}"
        ) from None
    page = _environment().get_template("email.html.jinja")
    html = page.render(
        body=content,
        subject=subject,
        inlined_css=_style("email.css"),
        screen_css=_style("screen.css"),
        **_frame(language),
    )
    return split_marks(_inlined(html), _kind)


@cache
def _style(name: str) -> str:
    return (_LAYOUT / name).read_text("utf-8")


def _frame(language: str) -> dict[str, object]:
    marks = {name: mark(name) for name in EMAIL_VARIABLES}
    spoken = {key: text.format_map(marks) for key, text in words(language).items()}
    return {"language": language, "greeting": mark("greeting"), "words": spoken, **marks}


def _inlined(html: str) -> str:
    from css_inline import CSSInliner  # noqa: PLC0415 - needed only where an e-mail is rendered

    return CSSInliner(minify_css=True, load_remote_stylesheets=False).inline(html)


def _kind(html: str, at: int) -> str:
    if html.endswith('href="tel:', 0, at):
        return "tel"
    if html.endswith('href="', 0, at):
        return "url"
    return "html"
