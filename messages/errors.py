"""Everything that can be wrong with content, as a few typed errors."""

from collections.abc import Iterable


class ContentError(Exception):
    """Base of what is raised for a fault in the message library; its text says what to do next."""


class UnknownMessage(ContentError):
    """No message has this name.

    Attributes:
        name: the name that was asked for.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no message {name!r}. `aftervisit messages list` shows them all."
        )
        self.name = name


class UnknownLanguage(ContentError):
    """The message exists, but not in this language.

    Attributes:
        name: the message's name.
        language: the language that was asked for.
        languages: the languages it has.
    """

    def __init__(self, name: str, language: str, languages: Iterable[str]) -> None:
        self.name = name
        self.language = language
        self.languages = tuple(languages)
        super().__init__(
            f"Message {name!r} is not written in {language!r}, only in "
            f"{', '.join(self.languages)}. Add {name}/{language}.jinja or ask for one of those."
        )


class TemplateFault(ContentError):
    """A message's template cannot be used as it is, or lacks a value it needs.

    Attributes:
        message: the message's name.
        language: the language of the template.
        detail: one sentence that says what is wrong and what to do.
    """

    def __init__(self, message: str, language: str, detail: str) -> None:
        super().__init__(f"{message}/{language}.jinja: {detail}")
        self.message = message
        self.language = language
        self.detail = detail


class CatalogFault(ContentError):
    """The library cannot be loaded; every fault found is listed, not only the first.

    Attributes:
        faults: pairs of where (a path inside the library) and what is wrong.
    """

    def __init__(self, faults: Iterable[tuple[str, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{where}: {detail}" for where, detail in self.faults))


class EnvelopeError(ContentError, ValueError):
    """A value that is to become an e-mail header is not one; nothing was composed."""
