"""The few errors that reach a person, each with what to do next."""

from __future__ import annotations


class AftervisitError(Exception):
    """Base of the errors whose text is fit to be shown; exit code 1 on the command line."""


class ConfigurationError(AftervisitError):
    """A setting, file or server is not as the service needs it; the text says what to change."""


class InvalidInput(AftervisitError):
    """What was given cannot be used; nothing was changed. Exit code 2 on the command line.

    Attributes:
        field: the option, column or form field at fault.
        code: a stable word for programs (``bad_phone``).
    """

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.code = code


class NotFound(AftervisitError):
    """No such patient, subscription or message."""


class StoreUnavailable(AftervisitError):
    """The store does not answer or refuses writes; nothing was acknowledged. Try again later."""
