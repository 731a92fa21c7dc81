from __future__ import annotations

import pytest

from service.clinics import OptOutHandling
from service.inbox.answers import provider_answers


@pytest.mark.parametrize(
    ("handling", "word", "opt_out_type", "answered"),
    [
        ("twilio_default", "STOP", "", True),
        ("twilio_default", "HELP", "", True),
        ("twilio_default", "START", "", True),
        ("twilio_default", "", "", False),
        ("advanced", "STOP", "STOP", True),
        ("advanced", "", "STOP", True),
        ("advanced", "STOP", "", False),
        ("toll_free", "STOP", "", True),
        ("toll_free", "UNSTOP", "", True),
        ("toll_free", "HELP", "", False),
        ("toll_free", "START", "", False),
        ("toll_free", "", "", False),
        ("ours", "STOP", "", False),
        ("ours", "", "", False),
        ("ours", "", "HELP", True),
    ],
)
def test_we_answer_only_what_the_provider_did_not(
    handling: OptOutHandling, word: str, opt_out_type: str, *, answered: bool
) -> None:
    assert provider_answers(handling, word, opt_out_type) is answered
