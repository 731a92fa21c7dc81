"""The first message that somebody of a file would get, as the phone and the mailbox show it."""

from __future__ import annotations

from dataclasses import dataclass

from messages.render import EmailContent, Renderer
from service.dispatch.compose import Composer
from service.enrolment.form import ValidForm


@dataclass(frozen=True, slots=True)
class First:
    """The first message of one patient.

    Attributes:
        given_name: theirs.
        text: None where they get no texts.
        email: None where they get no e-mail.
    """

    given_name: str
    language: str
    text: str | None
    email: EmailContent | None


class FirstMessages:
    """Renders them."""

    def __init__(self, composer: Composer, renderer: Renderer) -> None:
        self._composer = composer
        self._renderer = renderer

    def of(self, form: ValidForm) -> First:
        """The first message of a series, by each channel that was agreed to.

        Raises:
            ContentError: it cannot be rendered.
        """
        message, language = form.series.steps[0].message, form.language
        context = self._composer.context(form.clinic, form.series, language)
        context["given_name"] = form.given_name
        text = email = None
        if "sms" in form.consents:
            text = self._renderer.sms(message, language, context).text
        if "email" in form.consents:
            email = self._renderer.email(message, language, context)
        return First(form.given_name, language, text, email)
