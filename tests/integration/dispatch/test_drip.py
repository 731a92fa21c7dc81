"""The main job on real processes: each step arrives once, at its time, with its text."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from messages.catalog import Catalog
from messages.render import Renderer
from schedules.delivery import State
from schedules.plan import plan
from schedules.series import load_series
from service.clock import from_ms, to_ms
from service.dispatch.standing import profile_of
from tests.support.system import phone, running_system


@pytest.mark.timeout(120)
def test_every_step_of_a_series_arrives_once_at_its_time_with_its_text(tmp_path: Path) -> None:
    with running_system(tmp_path, clock="fast:1000000@2026-03-02T17:00:00") as system:
        receipt = system.enrol(1)
        system.await_end(receipt, limit_s=90)
        fields = system.core.patients.load(receipt.patient)
        patient = system.core.patients.contact(fields)
        subscription = fields.subscription(1)
        assert subscription is not None
        series = load_series("restless-legs")
        profile = profile_of(patient, fields.reachable())
        planned = plan(series, profile, subscription.start, from_ms(subscription.enrolled_ms))
        history = system.core.patients.history(receipt.patient)
        assert [entry.message for entry in history] == [step.message for step in series.steps]
        assert {entry.state for entry in history} == {State.SENT.code}
        assert [entry.due_ms for entry in history] == [to_ms(item.due) for item in planned]
        assert all(entry.at_ms == entry.due_ms for entry in history), "the fast clock ran past"
        clinic = system.core.composer.clinic(patient)
        context = system.core.composer.context(clinic, series, "en")
        renderer = Renderer(Catalog.load())
        by_text = [item for item in planned if item.step.channel == "sms"]
        texts = system.provider.accepted()
        assert [text["to"] for text in texts] == [phone(1)] * len(by_text)
        assert [text["body"] for text in texts] == [
            renderer.sms(item.step.message, "en", context).text for item in by_text
        ]
        mails = system.mail.accepted()
        assert len(mails) == len(planned) - len(by_text)
        assert Counter(mail["to"][0] for mail in mails) == {"patient1@example.org": len(mails)}
