"""What a form for joining brings back of itself: sealed by us, so that nobody can make one up.

The page's token says when it was made, for which clinic and with which wording; the second page's
holds the checked form as well. Both are young or old, which tells a person from a machine a little,
and their ``once`` makes a form that is sent many times one form.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service.bootstrap import Core
from service.clock import from_ms
from service.enrolment.joining_form import JoinForm
from service.store.keyring import InvalidToken
from service.store.keys import letters, system_random

FORM: Final = "join-form"
CHECKED: Final = "join-checked"
"""Purposes of the two tokens."""
LEAST_MS: Final = {FORM: 2_000, CHECKED: 700}
"""Nobody fills in a form, or reads one, faster than that."""
SHOWN_MS: Final = "shown_ms"
"""Among the fields of the second page: when the first one was shown."""
MOST_MS: Final = 12 * 3_600_000
_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """A page that was shown.

    Attributes:
        at_ms: when, machine ms UTC.
        clinic: its id.
        version: of the wording; its language is ``language``.
        once: names the form.
        fields: the checked form, empty on the first page.
        trapped: the field that people do not see was filled in.
    """

    at_ms: int
    clinic: str
    version: str
    language: str
    once: str
    fields: Mapping[str, str]
    trapped: bool = False

    @property
    def at(self) -> datetime:
        """When the disclosures were shown: on the first page."""
        return from_ms(int(self.fields.get(SHOWN_MS, self.at_ms)))

    @property
    def form(self) -> JoinForm:
        """The checked form."""
        return JoinForm.of(self.fields)


def new_once() -> str:
    """A name that no other form has."""
    return letters(system_random(_ONCE))


def seal(core: Core, purpose: str, shown: Shown) -> str:
    """The token of a page."""
    row = [
        *(shown.at_ms, shown.clinic, shown.version, shown.language, shown.once),
        *(dict(shown.fields), shown.trapped),
    ]
    return core.keyring.seal_token(purpose, json.dumps(row).encode())


def opened(core: Core, purpose: str, token: str) -> Shown | None:
    """What was shown, None where the token is not ours, too old, or from a clock ahead of this."""
    try:
        row = json.loads(core.keyring.open_token(purpose, token))
    except InvalidToken:
        return None
    shown = Shown(*row)
    return shown if 0 <= core.machine.now_ms() - shown.at_ms <= MOST_MS else None


def too_soon(core: Core, purpose: str, shown: Shown) -> bool:
    """Whether the page came back faster than a person would send it."""
    return core.machine.now_ms() - shown.at_ms < LEAST_MS[purpose]
