"""The pages for joining, from what their use case knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from service.bootstrap import Core
from service.clinics import Clinic
from service.enrolment.form import DEFAULT_BEDTIME
from service.enrolment.joining_form import (
    NOTHING_GIVEN,
    JoinForm,
    languages_of,
    offered_series,
    shown_wording,
)
from service.enrolment.reachable import channels_of, number_of, shown_phone
from service.enrolment.wordings import Wording
from service.enrolment.zones import COMMON, place, zones_of
from service.store.records import Channel
from service.web.frontier import SCRIPTED
from service.web.language import words
from service.web.pages import page
from service.web.patient.join_tokens import CHECKED, FORM, Shown, new_once, seal

_CHOICES: Final = frozenset({"series", "language", "state"})


def form_page(
    core: Core,
    clinic: Clinic,
    language: str,
    form: JoinForm | None = None,
    wrong: Mapping[str, str] | None = None,
    *,
    before: Shown | None = None,
    again: bool = False,
) -> Response:
    """The form; with what was typed, and what is to be put right, where it comes back.

    Args:
        core: open.
        clinic: that is joined.
        language: of the page.
        form: None for a new one.
        wrong: field -> code.
        before: the page that it comes back from: it is still the same form, and as old.
        again: whether it only has to be sent once more.
    """
    channels, languages = (
        channels_of(clinic, core.senders, core.settings),
        languages_of(clinic, core.catalog),
    )
    if not channels or not languages:
        return page("join_off", language, clinics=[clinic])
    wording = shown_wording(clinic, language)
    shown = _shown(core, clinic, wording, before)
    filled = form or _empty(clinic, language, languages)
    answer = page(
        "join",
        language,
        status=422 if wrong else 200,
        clinic=clinic,
        form=filled.fields(),
        wrong=_sentences(wrong or {}, language, channels),
        again=again,
        channels=channels,
        languages=languages,
        series=offered_series(clinic),
        wording=wording,
        token=seal(core, FORM, shown),
        guess=form is None,
        **_places(clinic, language),
    )
    answer.headers.update(SCRIPTED)
    return answer


def _shown(core: Core, clinic: Clinic, wording: Wording, before: Shown | None) -> Shown:
    at_ms, once = core.machine.now_ms(), new_once()
    if before is not None:
        at_ms, once = before.at_ms, before.once
    return Shown(at_ms, clinic.id, wording.version, wording.language, once, {})


def _empty(clinic: Clinic, language: str, languages: Sequence[str]) -> JoinForm:
    first = language if language in languages else languages[0]
    return JoinForm(language=first, timezone=clinic.timezone or "", bedtime=DEFAULT_BEDTIME)


def check_page(
    core: Core, clinic: Clinic, language: str, shown: Shown, *, again: bool = False
) -> Response:
    """What was typed, to be checked; ``shown`` is sealed into it."""
    form = shown.form
    return page(
        "join_check",
        language,
        clinic=clinic,
        form=form.fields(),
        phone=shown_phone(form.phone, clinic) if form.phone else "",
        series=offered_series(clinic),
        wording=shown_wording(clinic, shown.language, shown.version),
        token=seal(core, CHECKED, shown),
        again=again,
        **_places(clinic, language),
    )


def sent_page(core: Core, clinic: Clinic, language: str, form: JoinForm) -> Response:
    """What to do next; the same whatever is known of the addresses, and none of them is on it."""
    word = {spoken: word for word, spoken in clinic.join_words.items()}.get(language)
    number = (number_of(clinic, core.senders) or "").replace(" ", "\u00a0")
    return page(
        "join_sent", language, clinic=clinic, channels=form.channels, number=number, word=word
    )


def _places(clinic: Clinic, language: str) -> dict[str, Any]:
    names = words(language)["states"] if clinic.country == "US" else {}
    return {
        "common_zones": COMMON.get(clinic.country, ()),
        "other_zones": zones_of(clinic.country),
        "place": place,
        "states": sorted(names.items(), key=lambda each: each[1]),
    }


def _sentences(
    wrong: Mapping[str, str], language: str, channels: Sequence[Channel]
) -> dict[str, str]:
    """What to do about each field, in words."""
    say = words(language)["join"]
    found = {}
    for field, code in wrong.items():
        if code == NOTHING_GIVEN:
            found["phone" if "sms" in channels else "email"] = say["bad_address"]
        else:
            found[field] = say["bad_choice" if field in _CHOICES else f"bad_{field}"]
    return found
