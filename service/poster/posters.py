"""A clinic's poster, from what is known of the clinic."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

from service.clinics import Clinic
from service.enrolment.joining_form import shown_wording
from service.poster.drawing import pdf, svg
from service.poster.layout import Content, laid_out, paper_of

Format = Literal["svg", "pdf"]
MEDIA: Final[dict[Format, str]] = {"svg": "image/svg+xml", "pdf": "application/pdf"}


@lru_cache(maxsize=64)  # anybody may ask for it, again and again
def poster(
    clinic: Clinic, kind: Format, *, language: str, base: str, number: str | None, paper: str = ""
) -> bytes:
    """The poster, ready to be printed.

    Args:
        clinic: that is joined.
        kind: of the file.
        language: one of ``wordings.LANGUAGES``.
        base: ``PUBLIC_URL``.
        number: to which its word is texted; None where there is none.
        paper: ``a4`` or ``letter``; empty for that of the clinic's country.
    """
    words = {spoken: word for word, spoken in clinic.join_words.items()}
    content = Content(
        clinic=clinic.name,
        phone=clinic.phone,
        url=f"{base}/join/{clinic.id}",
        word=words.get(language),
        number=number,
        wording=shown_wording(clinic, language),
    )
    page = laid_out(content, paper or paper_of(clinic.country))
    return svg(page).encode() if kind == "svg" else pdf(page)
