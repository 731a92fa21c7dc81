"""Joining by form: the form, a look at what was typed, and the link in the e-mail that confirms.

No answer tells whether an address is known: the last step takes the same steps and the same time
for all of them, and its page is the same.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated, Final, Literal
from urllib.parse import parse_qsl

import structlog
from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from schedules.series import load_series
from service.bootstrap import Core
from service.clinics import Clinic
from service.enrolment.joining import Asked
from service.enrolment.joining_form import JoinForm, normalised, problems, shown_wording
from service.enrolment.reachable import channels_of, number_of
from service.errors import InvalidInput, StoreUnavailable
from service.poster.posters import MEDIA, Format, poster
from service.store.joins import Join
from service.store.keyring import InvalidToken
from service.web.core import CoreOf
from service.web.language import LANGUAGES, BrowserLanguage
from service.web.pages import page
from service.web.patient.join_pages import check_page, form_page, sent_page
from service.web.patient.join_tokens import CHECKED, FORM, SHOWN_MS, Shown, opened, too_soon
from service.web.source import ClientOf

log = structlog.get_logger(__name__)

router = APIRouter(tags=["patients"], default_response_class=HTMLResponse)

EVERY_ANSWER_S: Final = 0.4
"""The last step takes that long whatever it finds; it has done its work long before."""
_FORM: Final = "application/x-www-form-urlencoded"


async def _fields(request: Request) -> dict[str, str]:
    """The fields of a form; of a field that is there twice, the last.

    Raises:
        HTTPException: 415, it is no form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise HTTPException(415)
    body = (await request.body()).decode("ascii", errors="replace")
    return dict(parse_qsl(body, keep_blank_values=True))


Fields = Annotated[dict[str, str], Depends(_fields)]


def _clinic(core: Core, name: str) -> Clinic:
    clinic = core.clinics.get(name)
    if clinic is None:
        raise HTTPException(404)
    return clinic


def _language(asked: str, browser: str) -> str:
    return asked if asked in LANGUAGES else browser


@router.head("/join", include_in_schema=False)
@router.get("/join")
def clinics(core: CoreOf, browser: BrowserLanguage, lang: str = "") -> Response:
    """Ask for the clinic, where there are several."""
    found = list(core.clinics.values())
    if len(found) == 1:
        return RedirectResponse(f"join/{found[0].id}", 303)
    return page("join_clinics", _language(lang, browser), clinics=found)


@router.head("/join/{clinic}", include_in_schema=False)
@router.get("/join/{clinic}")
def form(clinic: str, core: CoreOf, browser: BrowserLanguage, lang: str = "") -> Response:
    """Show the form. It changes nothing, whoever opens it."""
    return form_page(core, _clinic(core, clinic), _language(lang, browser))


@router.head("/join/{clinic}/poster.{kind}", include_in_schema=False)
@router.get("/join/{clinic}/poster.{kind}")
def printed(
    clinic: str,
    kind: Format,
    core: CoreOf,
    browser: BrowserLanguage,
    lang: str = "",
    paper: Literal["", "a4", "letter"] = "",
) -> Response:
    """The clinic's poster, to be printed."""
    joined = _clinic(core, clinic)
    made = poster(
        joined,
        kind,
        language=_language(lang, browser),
        base=core.settings.public_base,
        number=number_of(joined, core.senders),
        paper=paper,
    )
    shown = {
        "Content-Disposition": f'inline; filename="join-{joined.id}.{kind}"',
        "Cache-Control": "public, max-age=3600",
    }
    return Response(made, media_type=MEDIA[kind], headers=shown)


@router.post("/join/{clinic}")
async def sent(
    clinic: str, fields: Fields, core: CoreOf, browser: BrowserLanguage, client: ClientOf
) -> Response:
    """Take the form, or the checked form, whichever comes."""
    joined, language = _clinic(core, clinic), _language(fields.get("lang", ""), browser)
    if "checked" not in fields:
        return await run_in_threadpool(_checked, core, joined, language, fields)
    shown = opened(core, CHECKED, fields["checked"])
    if shown is None or shown.clinic != joined.id:
        return form_page(core, joined, language, again=True)
    if fields.get("change"):
        return form_page(core, joined, language, shown.form, before=shown)
    if too_soon(core, CHECKED, shown):
        return check_page(core, joined, language, shown, again=True)
    clock = asyncio.get_running_loop().time
    enough = clock() + EVERY_ANSWER_S
    answer = await run_in_threadpool(_asked, core, joined, language, shown, client)
    await asyncio.sleep(max(0.0, enough - clock()))
    return answer


def _checked(core: Core, clinic: Clinic, language: str, fields: dict[str, str]) -> Response:
    """The page that shows what was typed, or the form again with what is to be put right."""
    typed = JoinForm.of(fields)
    offered = channels_of(clinic, core.senders, core.settings)
    if "sms" not in offered:
        typed = replace(typed, phone="", sms="")
    if "email" not in offered:
        typed = replace(typed, email="", email_too="")
    shown = opened(core, FORM, fields.get("token", ""))
    if shown is None or shown.clinic != clinic.id:
        return form_page(core, clinic, language, typed, again=True)
    wrong = problems(typed, clinic, core.catalog)
    if wrong:
        return form_page(core, clinic, language, typed, wrong, before=shown)
    if too_soon(core, FORM, shown):
        return form_page(core, clinic, language, typed, before=shown, again=True)
    checked = Shown(
        at_ms=core.machine.now_ms(),
        clinic=clinic.id,
        version=shown.version,
        language=shown.language,
        once=shown.once,
        fields={**normalised(typed, clinic).fields(), SHOWN_MS: str(shown.at_ms)},
        trapped=bool(fields.get("website")),
    )
    return check_page(core, clinic, language, checked)


def _asked(core: Core, clinic: Clinic, language: str, shown: Shown, client: str) -> Response:
    typed = shown.form
    if not shown.trapped:
        try:
            core.joining.by_form.ask(
                Asked(
                    clinic=clinic,
                    form=typed,
                    wording=shown_wording(clinic, shown.language, shown.version),
                    shown_at=shown.at,
                    ip=client,
                    once=shown.once,
                )
            )
        except StoreUnavailable:
            return page("try_again", language, 503)
    return sent_page(core, clinic, language, typed)


@router.head("/j/{token}", include_in_schema=False)
@router.get("/j/{token}")
def linked(token: str, core: CoreOf, browser: BrowserLanguage) -> Response:
    """Ask whether to start. It changes nothing, whoever opens it: scanners open every link."""
    try:
        join = core.joining.by_form.linked(token)
    except InvalidToken:
        return page("bad_link", browser, 404)
    except StoreUnavailable:
        return page("try_again", browser, 503)
    if join is None:
        return page("join_expired", browser, 410)
    return _join_page(core, join, "join_done" if "email" in join.enrolled else "join_confirm")


@router.post("/j/{token}")
def confirmed(token: str, core: CoreOf, browser: BrowserLanguage, client: ClientOf) -> Response:
    """Enrol the mailbox whose link this is. Done before it answers; doing it again is harmless."""
    try:
        became, join = core.joining.by_form.confirm_by_link(token, client)
    except InvalidToken:
        return page("bad_link", browser, 404)
    except InvalidInput as error:
        log.error("join_not_to_be_had", code=error.code)
        return page("join_expired", browser, 410)
    except StoreUnavailable:
        return page("try_again", browser, 503)
    if join is None:
        return page("join_expired", browser, 410)
    return _join_page(core, join, f"join_{became}")


def _join_page(core: Core, join: Join, name: str) -> Response:
    clinic, language = core.joining.by_form.clinic(join), join.asked["language"]
    frequency = load_series(join.asked["series"]).words(language).frequency
    return page(name, language, clinic=clinic, frequency=frequency)
