"""Staff find patients by phone, mailbox, whole name or id, and only those of their clinics."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from service.errors import InvalidInput
from service.staff.finding import People
from service.store import keys
from service.store.installation import LISTED
from service.store.scripts import as_bytes
from tests.integration.staff.conftest import Desk


def who(people: People) -> list[str]:
    return [found.contact.id for found in people.found]


@pytest.mark.parametrize(
    "typed", ["+1 503-555-0142", "(503) 555 0142", "503.555.0142", " 5035550142 "]
)
def test_a_phone_is_found_however_it_is_typed(desk: Desk, typed: str) -> None:
    ana = desk.enrol(phone="+15035550142")
    desk.enrol("Ben")
    found = desk.core.finding.search(typed)
    assert (who(found), found.by, found.cursor) == ([ana], "phone", "")


def test_a_family_on_one_phone_is_found_together(desk: Desk) -> None:
    ana = desk.enrol(phone="+15035550142")
    ben = desk.enrol("Ben", phone="+15035550142")
    assert set(who(desk.core.finding.search("503 555 0142"))) == {ana, ben}


def test_a_mailbox_is_found_in_any_case(desk: Desk) -> None:
    ana = desk.enrol(email="ana.lopez@example.org")
    assert who(desk.core.finding.search("Ana.Lopez@EXAMPLE.org")) == [ana]


@pytest.mark.parametrize("typed", ["José-María", "JOSE MARIA", "jose  maría", "Jose\u0301 Maria"])
def test_a_whole_name_is_found_whatever_its_case_accents_and_spaces(desk: Desk, typed: str) -> None:
    jose = desk.enrol("José María")
    desk.enrol("José")
    assert who(desk.core.finding.search(typed)) == [jose]


def test_an_id_is_found_and_a_name_that_looks_like_one_is_too(desk: Desk) -> None:
    ana = desk.enrol()
    assert who(desk.core.finding.search(ana.upper())) == [ana]
    long = desk.enrol("Mayraadarsha")
    assert who(desk.core.finding.search("mayraadarsha")) == [long]


def test_patients_of_other_clinics_are_not_there(desk: Desk) -> None:
    here = desk.enrol(phone="+15035550142")
    there = desk.enrol("Anna", clinic="hillside", phone="+15035550142", state="NY")
    for typed in ("+15035550142", there, "Anna"):
        assert there not in who(desk.core.finding.search(typed, ["riverside"]))
        assert there in who(desk.core.finding.search(typed, ["hillside"]))
        assert there in who(desk.core.finding.search(typed))
    assert who(desk.core.finding.newest(["riverside"])) == [here]


@pytest.mark.parametrize(
    ("typed", "code"), [("", "query_missing"), ("12345", "phone_too_short"), ("a@", "email_bad")]
)
def test_what_can_be_no_address_is_told_as_such(desk: Desk, typed: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        desk.core.finding.search(typed)
    assert refused.value.field == "query"
    assert refused.value.code.startswith(code.partition("_")[0])


def test_the_newest_come_first_and_every_page_goes_on_where_the_one_before_ended(
    desk: Desk,
) -> None:
    everybody = []
    for turn in range(13):
        clinic = "hillside" if turn % 3 == 0 else "riverside"
        everybody.append(desk.enrol(f"Name {turn}", clinic=clinic, state=""))
        desk.later(hours=0.1)
    seen, cursor, pages = [], "", 0
    while True:
        page = desk.core.finding.newest(cursor=cursor, size=5)
        seen += who(page)
        pages += 1
        if pages == 1:
            desk.enrol("Late")  # who comes meanwhile moves nobody
        cursor = page.cursor
        if not cursor:
            break
    assert seen == everybody[::-1]
    assert pages == 3


def test_a_row_tells_the_status_and_the_last_message(desk: Desk) -> None:
    ana = desk.enrol()
    (found,) = desk.core.finding.newest().found
    assert (found.status, found.last) == ("a", None)
    desk.core.staff.pause(ana, series=None, source="test")
    (found,) = desk.core.finding.newest().found
    assert found.status == "p"


def test_who_was_erased_is_in_no_list_even_where_a_crash_left_them_there(desk: Desk) -> None:
    ana, ben = desk.enrol(), desk.enrol("Ben")
    directory = desk.core.patients.directory
    desk.core.erasure.erase(ana, source="test")
    assert list(directory.everybody(directory.clinic("riverside"))) == [ben]
    directory.enter(ana, [directory.clinic("riverside")])
    assert who(desk.core.finding.newest()) == [ben]
    assert list(directory.everybody(directory.clinic("riverside"))) == [ben]


def test_somebody_whose_enrolment_was_cut_off_is_not_shown_and_found_once_it_is_done(
    desk: Desk,
) -> None:
    form = desk.form("Cora")
    cora = desk.core.patients.id_of("Cora", form.phone, form.email)
    directory = desk.core.patients.directory
    directory.enter(cora, [directory.clinic("riverside"), directory.named("riverside", "Cora")])
    assert who(desk.core.finding.newest()) == []
    assert desk.core.enrolment.enrol(form, source="test").patient == cora
    assert who(desk.core.finding.newest()) == [cora]
    assert who(desk.core.finding.search("cora")) == [cora]


def test_nothing_in_the_store_tells_a_name(desk: Desk) -> None:
    desk.enrol("Wilhelmina")
    names = [as_bytes(key) for key in desk.core.client.scan_iter()]
    dumped = [desk.core.client.dump(key) or b"" for key in names]
    assert not re.search(rb"(?i)wilhelmina", b"".join([*names, *dumped]))


def test_a_store_from_before_the_lists_is_gone_through_once(desk: Desk) -> None:
    everybody = []
    for turn in range(5):
        everybody.append(desk.enrol(f"Name {turn % 2}"))
        desk.later(hours=1)
    client, directory = desk.core.client, desk.core.patients.directory
    for key in client.scan_iter("?p*:l:*"):
        client.delete(key)
    client.hdel(keys.INSTALLATION, LISTED)
    late = desk.enrol("Name 1")
    assert not desk.core.listing.done
    assert who(desk.core.finding.newest()) == [late]
    assert desk.core.listing.run_once()
    assert who(desk.core.finding.newest()) == [late, *everybody[::-1]]
    assert who(desk.core.finding.search("name 0")) == everybody[::-2]
    assert desk.core.listing.run() == 0, "done again, it changes nothing"
    assert list(directory.everybody(directory.clinic("riverside"))) == [late, *everybody[::-1]]


def test_two_processes_do_not_list_at_once(desk: Desk) -> None:
    desk.core.client.hdel(keys.INSTALLATION, LISTED)
    desk.core.client.set(keys.LISTING, 1)
    assert not desk.core.listing.run_once()
    desk.core.client.delete(keys.LISTING)
    assert desk.core.listing.run_once()


def test_a_page_costs_what_is_on_it_however_many_patients_there_are(desk: Desk) -> None:
    for number in range(40):
        desk.enrol(f"Ana {number % 3}", clinic="hillside" if number % 2 else "riverside", state="")
    finding, client = desk.core.finding, desk.core.client

    def asked() -> int:
        return int(client.info("stats")["total_commands_processed"])

    asks: tuple[tuple[Callable[[], People], int], ...] = (
        (lambda: finding.newest(["riverside"], size=10), 10),
        (lambda: finding.search("ana 1", ["hillside"], size=5), 5),
        (lambda: finding.search("patient1@example.org"), 1),
    )
    for ask, shown in asks:
        ask()  # the server has the script from then on
        before = asked()
        ask()
        # The list; of each on the page, and the one behind it, the record and the history.
        assert asked() - before <= 5 + 2 * (shown + 1)
