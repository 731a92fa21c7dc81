"""The page of figures, and each of its tables as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from schedules.series import list_series
from service.errors import NotFound
from service.reporting.insight.insight import View, next_days
from service.reporting.insight.spans import WEEKS
from service.reporting.insight.tables import TABLES, Cell, Table, tables
from service.reporting.insight.tallies import GAVE_UP, LEFT, Outcomes
from service.reporting.prices import shown
from service.web.console import plots
from service.web.console.access import SeesInsight, Visit
from service.web.console.insight_plots import LEAST, LEAST_LEFT, Plots
from service.web.console.pages import console_router
from service.web.when import short_day, spoken_date

router = console_router()
NOTHING: Final = "\N{EN DASH}"
_AHEAD: Final = (7, 30)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the query asks for, as far as there is such a thing.

    Attributes:
        clinic: id; empty: all that the member sees.
        series: name; empty: all.
    """

    weeks: int
    clinic: str
    series: str

    @property
    def query(self) -> str:
        """The same as a query."""
        return urlencode({"weeks": self.weeks, "clinic": self.clinic, "series": self.series})


def asked_for(visit: Visit, weeks: str, clinic: str, series: str) -> Asked:
    """Read a query; what is nothing that one can choose stands for its usual.

    Raises:
        NotFound: the clinic is none that the member sees.
    """
    if clinic:
        visit.require_clinic(clinic)
        if clinic not in visit.core.clinics:
            raise NotFound("There is no such clinic.")
    known = {each.name for each in list_series()}
    number = int(weeks) if weeks in map(str, WEEKS) else WEEKS[0]
    return Asked(number, clinic, series if series in known else "")


def view_of(visit: Visit, asked: Asked) -> View:
    """The figures that were asked for, of no other clinics than the member's."""
    clinics = (asked.clinic,) if asked.clinic else visit.member.clinics
    return visit.core.insight.view(clinics, series=asked.series or None, weeks=asked.weeks)


@router.get("/insight")
def show_insight(
    visit: SeesInsight, weeks: str = "", clinic: str = "", series: str = ""
) -> Response:
    """Show the figures of some weeks."""
    asked = asked_for(visit, weeks, clinic, series)
    view, say = view_of(visit, asked), visit.say("insight")
    spoken = [spoken_date(day, visit.language) for day in (view.span.first, view.span.today)]
    return visit.page(
        "insight",
        asked=asked,
        choices=_choices(visit, say),
        span=say["from_to"].format(first=spoken[0], last=spoken[1]),
        tiles=list(_tiles(view, say)),
        plots=Plots(view, say, visit.language),
        tables={table.name: _shown(table, say, visit.language) for table in tables(view)},
        ahead=[_ahead(view, say, count) for count in _AHEAD],
        unpriced=any(each.unpriced for each in view.expected.values()),
        people=_people(view),
        least=LEAST,
        least_left=LEAST_LEFT,
    )


@router.get("/insight/{table}.csv")
def download_table(
    visit: SeesInsight, table: str, weeks: str = "", clinic: str = "", series: str = ""
) -> Response:
    """Hand over one of the tables for spreadsheets."""
    if table not in TABLES:
        raise NotFound("There is no such table.")
    view = view_of(visit, asked_for(visit, weeks, clinic, series))
    name = f"aftervisit-{table}-{view.span.today.isoformat()}.csv"
    return Response(
        TABLES[table](view).csv(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _choices(visit: Visit, say: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    """What can be chosen, each with its words."""
    names = sorted({each.name for each in list_series()})
    return {
        "weeks": [(str(weeks), say[f"weeks_{weeks}"]) for weeks in WEEKS],
        "clinic": [("", say["every_clinic"]), *((each.id, each.name) for each in visit.clinics)],
        "series": [("", say["every_series"]), *((name, name) for name in names)],
    }


def _tiles(view: View, say: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """What stands in large type: figure, name, and what it is of."""
    every = Outcomes()
    for tally in view.rows.values():
        every += tally.outcomes()
    left = sum(t.events[LEFT] + t.events[GAVE_UP] for t in view.rows.values())
    sent_off = every.reached + every.failed
    part = plots.share(every.failed / (sent_off or 1))
    active = sum(counts["a"] for counts in view.standings.values())
    replies = sum(tally.words[""] for tally in view.rows.values())
    yield plots.count(every.reached), say["reached"], say["reached_hint"]
    yield plots.count(every.failed), say["failed_tile"], say["failed_hint"].format(share=part)
    yield plots.count(every.skipped), say["skipped_tile"], say["skipped_hint"]
    yield plots.count(left), say["left_tile"], say["left_hint"]
    yield plots.count(replies), say["replies_tile"], say["replies_hint"]
    yield plots.count(active), say["active_tile"], say["active_hint"]


def _people(view: View) -> dict[str, str]:
    """Who came and went in all, for the words of the plot."""
    names = {"joined": "n", "left": LEFT, "gave_up": GAVE_UP}
    return {
        name: plots.count(sum(tally.events[what] for tally in view.rows.values()))
        for name, what in names.items()
    }


def _ahead(view: View, say: Mapping[str, str], count: int) -> dict[str, object]:
    """What the next days bring, in numbers."""
    total = next_days(view.expected, view.span.today, count)
    return {
        "title": say["next_days"].format(count=count),
        "messages": plots.count(total.messages),
        "segments": plots.count(total.segments),
        "newcomers": say["may_join"].format(count=plots.count(total.newcomers)),
        "cost": [
            shown(Decimal(f"{cost:.2f}"), currency) for currency, cost in sorted(total.cost.items())
        ],
    }


def _shown(table: Table, say: Mapping[str, str], language: str) -> dict[str, object]:
    """A table with its words: (name, is a number) of each column, and rows of texts."""
    heads = [(_head(column, say), column not in _WORDY) for column in table.columns]
    rows = [
        [
            _cell(column, cell, say, language)
            for column, cell in zip(table.columns, row, strict=True)
        ]
        for row in table.rows
        if any(cell for cell in row if isinstance(cell, (int, float)))
    ]
    return {"heads": heads, "rows": rows}


_WORDY: Final = frozenset(
    {"day", "week", "channel", "series", "message", "question", "understood_as"}
)
_SHARES: Final = frozenset({"share", "share_that_left", "share_of_the_ended_that_completed"})


def _head(column: str, say: Mapping[str, str]) -> str:
    name, _, currency = column.partition("cost_")
    return say["col_cost"].format(currency=currency.upper()) if not name else say[f"col_{column}"]


def _cell(column: str, cell: Cell, say: Mapping[str, str], language: str) -> str:
    if cell is None:
        return NOTHING
    if isinstance(cell, date):
        return short_day(cell, language)
    if isinstance(cell, str):
        return say.get(cell, cell) if column in {"channel", "question", "understood_as"} else cell
    if column in _SHARES:
        return plots.share(cell)
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:,.10g}"
