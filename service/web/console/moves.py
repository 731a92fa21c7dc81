"""Patients under way are moved to another version: a dry run first, then what was counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Form
from starlette.responses import Response

from schedules.series import list_series
from service.accounts.roles import Right
from service.authoring.tally import KINDS
from service.errors import InvalidInput, NotFound
from service.store.migrations import Migration, Order
from service.web.console.access import ChangesSeries, Visit
from service.web.console.clocks import clock_of
from service.web.console.names import Names
from service.web.console.pages import console_router

router = console_router()

Word = Annotated[str, Form(max_length=64)]
Clinics = Annotated[list[str], Form(default_factory=list, max_length=500)]
_STEPS_SHOWN: Final = 12


def moves_of(visit: Visit) -> list[dict[str, object]]:
    """The latest moves that the member may see, for a list."""
    seen = [each for each in visit.core.series_migrations.recent() if _is_seen(visit, each)]
    clock = clock_of(visit)
    return [{"move": each, "started": clock.at(each.started_ms)} for each in seen]


def _is_seen(visit: Visit, move: Migration) -> bool:
    return visit.member.oversees(move.order.clinics)


def _move(visit: Visit, identifier: str) -> Migration:
    """A move that the member may see.

    Raises:
        NotFound: there is none of that id, or it is of another clinic.
    """
    found = visit.core.series_migrations.find(identifier)
    if not _is_seen(visit, found):
        raise NotFound("There is no such migration.")
    return found


@router.get("/series/moves/new")
def ask_for_move(visit: ChangesSeries, series: str = "", old: str = "", new: str = "") -> Response:
    """Ask whom to move, and where to."""
    return _asked(visit, {"series": series, "old": old, "new": new, "clinics": []})


def _asked(
    visit: Visit, typed: Mapping[str, object], fault: InvalidInput | None = None
) -> Response:
    versions = [(f"{each.name} {each.version}", each) for each in list_series()]
    return visit.page(
        "series_move_new",
        422 if fault else 200,
        typed=typed,
        names=[(name, name) for name in sorted({each.name for _, each in versions})],
        numbers=[(str(n), str(n)) for n in sorted({each.version for _, each in versions})],
        clinics=[(each.id, each.name) for each in visit.clinics],
        faults=visit.faults(fault),
    )


@router.post("/series/moves")
def start_dry_run(
    visit: ChangesSeries, clinics: Clinics, series: Word = "", old: Word = "", new: Word = ""
) -> Response:
    """Begin a dry run: nobody is moved by it."""
    try:
        order = _order(visit, clinics, series, old, new)
        started = visit.core.series_migrations.start(order, by=visit.source)
    except InvalidInput as fault:
        typed = {"series": series, "old": old, "new": new, "clinics": clinics}
        field = fault.field if fault.field in typed else "new"
        return _asked(visit, typed, InvalidInput(field, fault.code, str(fault)))
    return visit.to(f"series/moves/{started.id}")


def _order(visit: Visit, clinics: list[str], series: str, old: str, new: str) -> Order:
    """What was asked for, of no other clinics than the member's.

    Raises:
        InvalidInput: something is wrong with it.
    """
    wanted = tuple(sorted(set(clinics))) or visit.member.clinics
    if not set(wanted) <= visit.core.clinics.keys() or not visit.member.oversees(wanted):
        raise InvalidInput("clinics", "clinic_unknown", "Choose among your clinics.")
    for field, text in (("old", old), ("new", new)):
        if not (text.isascii() and text.isdigit() and len(text) < 5):  # noqa: PLR2004
            raise InvalidInput(field, "version_unknown", "Give a version by its number.")
    return Order(series, int(old), int(new), wanted, dry=True)


@router.get("/series/moves/{move}")
def show_move(visit: ChangesSeries, move: str) -> Response:
    """Show how far a dry run or a move is."""
    found, clock = _move(visit, move), clock_of(visit)
    names = [
        visit.core.clinics[each].name for each in found.order.clinics if each in visit.core.clinics
    ]
    return visit.page(
        "series_move",
        move=found,
        counts=found.progress.counts,
        kinds=[(kind, _most(found.progress.steps.get(kind, {}))) for kind in KINDS],
        clinics=", ".join(names),
        started=clock.at(found.started_ms),
        told=clock.at(found.told_ms),
        by=Names(visit).by(found.by) or found.by,
        examples=found.progress.examples if visit.member.may(Right.SEE_PATIENTS) else (),
    )


def _most(steps: Mapping[str, int]) -> list[tuple[str, int]]:
    """The steps that change for the most patients."""
    return sorted(steps.items(), key=lambda each: (-each[1], each[0]))[:_STEPS_SHOWN]


@router.post("/series/moves/{move}/confirm")
def confirm(visit: ChangesSeries, move: str) -> Response:
    """Move those whom a dry run has counted; workers do it."""
    found = _move(visit, move)
    if not found.order.dry or found.state != "done":
        return visit.to(f"series/moves/{move}")
    order = Order(found.order.series, found.order.old, found.order.new, found.order.clinics)
    started = visit.core.series_migrations.start(order, by=visit.source)
    return visit.to(f"series/moves/{started.id}", done="started")


@router.post("/series/moves/{move}/stop")
def stop(visit: ChangesSeries, move: str) -> Response:
    """Move nobody any more; who was moved stays so."""
    visit.core.series_migrations.stop(_move(visit, move).id, by=visit.source)
    return visit.to(f"series/moves/{move}", done="stopped")
