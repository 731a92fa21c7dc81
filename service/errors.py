"""The few errors that reach a person, each with what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class AftervisitError(Exception):
    """Base of the errors whose text is fit to be shown; exit code 1 on the command line."""


class ConfigurationError(AftervisitError):
    """A setting, file or server is not as the service needs it; the text says what to change."""


class InvalidInput(AftervisitError):
    """What was given cannot be used; nothing was changed. Exit code 2 on the command line.

    Attributes:
        field: the option, column or form field at fault.
        code: a stable word for programs (``bad_phone``).
        others: what else is wrong with the same form, where more was looked at than the first.
    """

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.code = code
        self.others: tuple[InvalidInput, ...] = ()

    @property
    def every(self) -> tuple[InvalidInput, ...]:
        """This one and the others."""
        return (self, *self.others)


class NotFound(AftervisitError):
    """No such patient, subscription or message."""


class StoreUnavailable(AftervisitError):
    """The store does not answer or refuses writes; nothing was acknowledged. Try again later."""


def together(faults: Iterable[InvalidInput]) -> InvalidInput:
    """Everything that is wrong with a form as one error: the first, which has the others."""
    first, *rest = [each for fault in faults for each in fault.every]
    first.others = tuple(rest)
    return first


def require_all(*checks: Callable[[], object]) -> None:
    """Make every check, also where one before it has found something.

    Raises:
        InvalidInput: what they found, together.
    """
    found: list[InvalidInput] = []
    for check in checks:
        try:
            check()
        except InvalidInput as error:
            found.append(error)
    if found:
        raise together(found)
