"""The whole way into a series by text, through the webhook: the clinic's word, one YES."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.store.records import Status
from tests.support.joining import SMTP, patients_of
from tests.support.web import Site, said, site, text_fields


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("joining"), **SMTP) as running:
        yield running


def word(web: Site, language: str = "en") -> str:
    (clinic,) = web.core.clinics.values()
    return next(word for word, spoken in clinic.join_words.items() if spoken == language)


def statuses(web: Site, phone: str) -> list[Status]:
    return [
        each.status
        for patient in patients_of(web, "sms", phone)
        for each in web.core.patients.load(patient).subscriptions()
    ]


def test_the_word_is_answered_by_one_question_and_a_yes_joins(web: Site, phone: str) -> None:
    question = said(web.text(phone, word(web).lower()))
    assert question is not None
    assert "YES" in question
    assert statuses(web, phone) == []
    web.text(phone, "yes please")
    assert statuses(web, phone) == [Status.ACTIVE]


def test_fifty_copies_of_the_yes_join_once(web: Site, phone: str) -> None:
    web.text(phone, word(web))
    fields = text_fields(phone, "Yes!")
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: web.post("/webhooks/twilio/inbound", fields), range(50)))
    assert statuses(web, phone) == [Status.ACTIVE]


def test_the_question_and_what_follows_are_in_the_words_language(web: Site, phone: str) -> None:
    question = said(web.text(phone, word(web, "es")))
    assert question is not None
    assert "Responda" in question or "SI" in question
    web.text(phone, "sí")
    assert statuses(web, phone) == [Status.ACTIVE]


def test_a_yes_out_of_the_blue_joins_nothing(web: Site, phone: str) -> None:
    web.text(phone, "yes please")
    assert statuses(web, phone) == []


def test_who_says_stop_in_between_is_not_joined_by_a_later_yes(web: Site, phone: str) -> None:
    web.text(phone, word(web))
    web.text(phone, "stop please")
    web.text(phone, "yes please")
    assert statuses(web, phone) == []


def test_who_asks_for_help_in_between_may_still_say_yes(web: Site, phone: str) -> None:
    web.text(phone, word(web))
    assert "Message and data rates" in (said(web.text(phone, "help please")) or "")
    web.text(phone, "ok yes")
    assert statuses(web, phone) == [Status.ACTIVE]
