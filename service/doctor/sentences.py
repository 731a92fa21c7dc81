"""Findings in the making: their short forms, and how an error becomes one."""

from __future__ import annotations

from service.errors import AftervisitError
from service.findings import Finding


def ok(name: str, detail: str) -> Finding:
    """Nothing is to be done."""
    return Finding(name, "ok", detail)


def warning(name: str, detail: str, remedy: str) -> Finding:
    """It works, yet somebody should know."""
    return Finding(name, "warning", detail, remedy)


def problem(name: str, detail: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(name, "problem", detail, remedy)


def refused(name: str, error: AftervisitError) -> Finding:
    """A problem in the words of the error that a start would end with.

    Our errors say in their first sentence what is wrong and then what to do.
    """
    detail, _, remedy = str(error).partition(". ")
    return problem(name, f"{detail.rstrip('.')}.", remedy or "Correct it and run doctor again.")
