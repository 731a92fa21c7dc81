"""The use cases of joining, wired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.enrolment.joined import Joined
from service.enrolment.joining import Joining
from service.enrolment.joining_by_text import JoiningByText
from service.enrolment.joining_limits import JoinLimits
from service.store.joins import Joins

if TYPE_CHECKING:
    from service.bootstrap.core import Core


@dataclass(frozen=True, slots=True)
class JoiningCases:
    """The two ways to join by oneself.

    Attributes:
        by_form: the page and the link in the e-mail.
        by_text: the clinic's word and the YES.
    """

    by_form: Joining
    by_text: JoiningByText


def joining_cases(core: Core) -> JoiningCases:
    """Both, on an open core."""
    suppressions, business = core.suppressions, core.business
    joins = Joins(core.client, core.scripts, core.keyring, core.index, suppressions.keys)
    joined = Joined(joins, core.enrolment, core.patients, suppressions)
    limits = JoinLimits(core.limits, core.index)
    by_form = Joining(
        joins,
        joined,
        suppressions,
        core.responses,
        limits,
        core.clinics,
        core.keyring,
        business,
        core.settings.public_base,
    )
    by_text = JoiningByText(joins, joined, suppressions, core.catalog, core.clinics, business)
    return JoiningCases(by_form, by_text)
