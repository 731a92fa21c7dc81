"""The page of figures: what was counted, of no other clinics than the member's, and as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from schedules.delivery import State
from service.accounts.roles import Role
from service.bootstrap import Core
from service.reporting.insight.tables import TABLES
from service.store.counts import NOW, ClinicNumbers
from service.store.keys import PartitionKeys
from tests.support.clinics import two_clinics
from tests.support.console import Desk, signed_in
from tests.support.deliveries import conclude
from tests.support.figures import count_months
from tests.support.polling import until
from tests.support.servers import valkey_server
from tests.support.web import Site, served, site, web_settings

ENROLLED = {"riverside": 40, "hillside": 15}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of two clinics, half a year after it began."""
    directory = tmp_path_factory.mktemp("insight")
    with site(directory, clinics=two_clinics(directory, segment_price=0.01)) as running:
        for clinic, patients in ENROLLED.items():
            count_months(running.core, patients=patients, clinic=clinic)
        yield running


def rows(desk: Desk, table: str, query: str = "weeks=52") -> list[dict[str, str]]:
    answer = desk.get(f"insight/{table}.csv?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(
        rf'attachment; filename="aftervisit-{table}-[\d-]+\.csv"',
        answer.headers["content-disposition"],
    )
    return list(csv.DictReader(io.StringIO(answer.text)))


def enrolled(desk: Desk, query: str = "weeks=52") -> int:
    return sum(int(row["enrolled"]) for row in rows(desk, "completion", query))


@pytest.mark.parametrize("weeks", [4, 13, 52])
def test_every_plot_has_words_and_a_table_and_nothing_is_styled_in_line(
    web: Site, weeks: int
) -> None:
    page = signed_in(web, Role.VIEWER).get(f"insight?weeks={weeks}")
    assert page.status_code == 200
    plots = re.findall(r'<svg class="plot"[^>]*>', page.text)
    assert len(plots) >= 8
    assert all(re.search(r'role="img" aria-label="[^"]{10,}"', plot) for plot in plots)
    for table in TABLES:
        assert f"console/insight/{table}.csv?weeks={weeks}" in page.text
    assert " style=" not in page.text
    assert "<style" not in page.text
    assert "NaN" not in page.text
    assert len(page.content) < 200_000


def test_the_page_is_in_the_members_language(web: Site) -> None:
    page = signed_in(web, Role.AUTHOR, language="es").get("insight?weeks=52")
    assert "<h1>Resultados</h1>" in page.text
    assert "Entregados" in page.text
    assert "Delivered" not in page.text


def test_a_member_sees_the_figures_of_their_clinics_only(web: Site) -> None:
    assert enrolled(signed_in(web, Role.VIEWER)) == sum(ENROLLED.values())
    both = signed_in(web, Role.VIEWER, *ENROLLED)
    assert enrolled(both) == sum(ENROLLED.values())
    one = signed_in(web, Role.VIEWER, "hillside")
    assert enrolled(one) == enrolled(one, "clinic=hillside") == ENROLLED["hillside"]
    for address in ("insight", "insight/steps.csv"):
        assert one.get(f"{address}?clinic=riverside").status_code == 404
        assert one.get(f"{address}?clinic=no-such-clinic").status_code == 404
    assert signed_in(web, Role.ADMIN).get("insight?clinic=no-such").status_code == 404
    assert "Riverside" not in one.get("insight").text


def test_a_series_can_be_looked_at_by_itself(web: Site) -> None:
    desk = signed_in(web, Role.VIEWER)
    both = enrolled(desk)
    apart = [enrolled(desk, f"series={name}") for name in ("restless-legs", "sleep-hygiene")]
    assert sum(apart) == both
    assert all(apart)
    assert {row["series"] for row in rows(desk, "steps", "series=sleep-hygiene&weeks=52")} == {
        "sleep-hygiene"
    }


@pytest.mark.parametrize("query", ["weeks=5", "weeks=x", "weeks=-4", "series=%22%3E", "weeks="])
def test_what_cannot_be_chosen_stands_for_the_usual(web: Site, query: str) -> None:
    page = signed_in(web, Role.VIEWER).get(f"insight?{query}")
    assert page.status_code == 200
    assert '<option value="4" selected>' in page.text
    assert '"&gt;' not in page.text


def test_a_table_that_is_not_is_not_found(web: Site) -> None:
    assert signed_in(web, Role.VIEWER).get("insight/patients.csv").status_code == 404


def test_the_forecast_tells_what_it_costs_where_there_are_prices(web: Site) -> None:
    desk = signed_in(web, Role.VIEWER)
    first = rows(desk, "forecast", "clinic=riverside")[0]
    assert float(first["cost_usd"]) == pytest.approx(float(first["segments"]) / 100, abs=0.01)
    assert "cost_usd" not in rows(desk, "forecast", "clinic=hillside")[0]
    assert "once the clinics file has prices" in desk.get("insight?clinic=hillside").text
    assert "Cost: " in desk.get("insight?clinic=riverside").text


def test_what_is_sent_and_how_it_ends_is_on_the_page(tmp_path: Path) -> None:
    with site(tmp_path, clock="fast:1@2026-03-02T17:00:00") as own:
        patient = own.enrol(phone="+15035550142")
        conclude(own.core, patient, State.SENT, "accepted", late=timedelta(minutes=1))
        own.core.staff.stop(patient, source="staff:ana")
        assert own.core.counts.add_up()
        desk = signed_in(own, Role.VIEWER)
        days = {(row["day"], row["channel"]): row for row in rows(desk, "deliveries", "")}
        assert days["2026-03-02", "sms"]["sent"] == "1"
        people = {row["day"]: row for row in rows(desk, "people", "")}
        assert people["2026-03-02"]["joined"] == "1"
        assert people["2026-03-02"]["stopped_by_staff"] == "1"
        (ended,) = rows(desk, "completion")
        assert (ended["enrolled"], ended["opted_out"]) == ("1", "1")
        assert "So far today: 1 sent off, 0 failed, 0 replies, 0 left." in desk.get("today").text


def test_the_web_process_adds_up_what_was_counted(tmp_path: Path) -> None:
    with valkey_server(tmp_path / "store") as server:
        core = Core(web_settings(server.url, tmp_path), server.url)
        number = ClinicNumbers(core.client).of("riverside")
        field = f"u|500000|{number}|legs|1|2026-03-02|a"
        core.client.hset(PartitionKeys(3).counts, field, "5")
        try:
            with served(core):
                until(lambda: core.counts.read(None, [NOW])[0], "it is added up")
            assert core.counts.read(None, [NOW])[0]["u|legs|1|a"] == 5
        finally:
            core.close()
