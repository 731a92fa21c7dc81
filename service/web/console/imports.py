"""Import a file of patients: upload, check, confirm with the count, see how it gets on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.responses import HTMLResponse, Response, StreamingResponse

from messages.errors import ContentError
from service.enrolment.bulk.first import First
from service.enrolment.bulk.parts import opens_again
from service.enrolment.bulk.sheet import sheet
from service.enrolment.bulk.terms import Terms
from service.errors import InvalidInput, NotFound, require_all, together
from service.store.import_records import Import, ImportState
from service.store.keys import new_attempt_id, system_random
from service.web.console.access import ChangesPatients, Visit
from service.web.console.imports_shown import earlier_rows, import_values, upload_values, wrong
from service.web.console.library import FRAMED, FRAMING
from service.web.console.pages import console_router
from service.web.frontier import POLICY

router = console_router()

AT_ONCE: Final = 5_000
"""A file of at most so many rows is checked before the answer; a worker checks a larger one."""
LONGEST_NAME: Final = 200
PAGE: Final = 20
DIGITS: Final = 6
POLLS: Final = 600
"""So often the page of an import renews itself, every two seconds; a session is to end some day."""
_TOLD: Final = (
    *("clinic", "series", "language", "timezone", "state", "method", "wording"),
    *("encoding", "dates"),
)


@router.get("/imports")
def list_imports(visit: ChangesPatients, after: str = "") -> Response:
    """Show the form for a file, and earlier imports, a page of them; ``after`` so many newer."""
    newer = int(after) if after.isascii() and after.isdecimal() and len(after) < DIGITS else 0
    return _upload_page(visit, {}, newer=newer)


@router.post("/imports")
async def upload_file(visit: ChangesPatients) -> Response:
    """Take a file, and check it."""
    async with visit.request.form() as form:  # which was read when its token was looked at
        return await run_in_threadpool(_received, visit, form)


def _received(visit: Visit, form: FormData) -> Response:
    typed = {name: _text(form, name) for name in _TOLD}
    try:
        require_all(lambda: _file(form), lambda: _require_evidence(typed))
        terms, file = _terms(visit, typed), _file(form)
        name = (file.filename or "")[-LONGEST_NAME:]
        one = visit.core.imports.receive(opens_again(file.file), terms, name, visit.source)
    except InvalidInput as fault:
        return _upload_page(visit, typed, fault)
    if one.rows <= AT_ONCE:
        visit.core.imports.check_kept(one.id, new_attempt_id(0, system_random))
    return visit.to(f"imports/{one.id}")


def _file(form: FormData) -> UploadFile:
    """The file that was chosen.

    Raises:
        InvalidInput: none was.
    """
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise InvalidInput("file", "file_missing", "Choose a file.")
    return file


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.strip()[:400] if isinstance(value, str) else ""


def _terms(visit: Visit, typed: dict[str, str]) -> Terms:
    """What was told for the whole file."""
    told = {**typed, "dates": typed["dates"] or "iso"}
    return Terms(**told, clinics=visit.member.clinics)


def _require_evidence(typed: dict[str, str]) -> None:
    """Refuse a file of which it was not told how its patients agreed, and to which wording.

    Raises:
        InvalidInput: either is missing, or both.
    """
    method = InvalidInput("method", "consent_missing", "Say how the patients agreed.")
    wording = InvalidInput("wording", "wording_missing", "Choose the wording that they saw.")
    missing = [each for each in (method, wording) if not typed[each.field]]
    if missing:
        raise together(missing)


def _upload_page(
    visit: Visit, typed: dict[str, str], fault: InvalidInput | None = None, newer: int = 0
) -> Response:
    seen = [one for one in visit.core.imports.latest() if _is_seen(visit, one)]
    page, rest = seen[newer : newer + PAGE], seen[newer + PAGE :]
    return visit.page(
        "imports",
        422 if fault else 200,
        faults=[wrong(visit, each) for each in fault.every] if fault else [],
        earlier=earlier_rows(visit, page),
        newer=f"imports?after={max(0, newer - PAGE)}" if newer else "",
        older=f"imports?after={newer + PAGE}" if rest else "",
        **upload_values(visit, typed),
    )


def _is_seen(visit: Visit, one: Import) -> bool:
    """Whether an import is of clinics that the member sees, all of them."""
    mine, theirs = visit.member.clinics, Terms.unpack(one.terms).clinics
    return not mine or (bool(theirs) and set(theirs) <= set(mine))


def _mine(visit: Visit, identifier: str) -> Import:
    """An import that the member may see.

    Raises:
        NotFound: there is none, or it is none of theirs: the same answer.
    """
    one = visit.core.imports.load(identifier)
    if not _is_seen(visit, one):
        raise NotFound("There is no import with that id.")
    return one


@router.get("/imports/{identifier}")
def show_import(visit: ChangesPatients, identifier: str, polls: str = "") -> Response:
    """Show how an import stands: what its check found, how far it is, what became of it."""
    one = _mine(visit, identifier)
    left = int(polls) if polls.isascii() and polls.isdecimal() and len(polls) < DIGITS else POLLS
    values = import_values(visit, one, _first(visit, one))
    answer = visit.page("import", polls=min(left, POLLS), **values)
    answer.headers[POLICY] = FRAMING
    return answer


def _first(visit: Visit, one: Import) -> First | None:
    """The first message of the first good row, while its file is kept."""
    if one.state is not ImportState.CHECKED or not one.tally.get("accepted"):
        return None
    try:
        form = visit.core.imports.first_form(one)
        return None if form is None else visit.core.first_messages.of(form)
    except (NotFound, InvalidInput, ContentError):
        return None


@router.get("/imports/{identifier}/mail")
def show_first_mail(visit: ChangesPatients, identifier: str) -> Response:
    """The e-mail of the first good row, for its frame."""
    first = _first(visit, _mine(visit, identifier))
    if first is None or first.email is None:
        raise NotFound("There is no such e-mail.")
    return HTMLResponse(first.email.html, headers={POLICY: FRAMED})


@router.post("/imports/{identifier}/confirm")
def confirm_import(visit: ChangesPatients, identifier: str) -> Response:
    """Have the patients of a checked file enrolled."""
    one = _mine(visit, identifier)
    visit.core.imports.confirm(one, visit.source)  # twice is once
    return visit.to(f"imports/{one.id}")


@router.get("/imports/{identifier}/rejected.csv")
def download_rejected(visit: ChangesPatients, identifier: str) -> Response:
    """The rejected rows, to be put right and imported."""
    one = _mine(visit, identifier)
    names = visit.core.imports.columns(one)
    # The first piece is made now: where the rows have vanished, that is the answer.
    pieces = sheet(names, visit.core.imports.take_rejected(one, visit.source))
    first = next(pieces) + next(pieces, "")

    def told() -> Iterator[str]:
        yield first
        yield from pieces

    name = f'attachment; filename="rejected-{one.id}.csv"'
    headers = {"Content-Disposition": name}
    return StreamingResponse(told(), media_type="text/csv; charset=utf-8", headers=headers)
