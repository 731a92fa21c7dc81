from __future__ import annotations

import json
import os
import subprocess
import time

from tests.support.command import COMMAND

ANSWERED_WITHIN_S = 0.5


def classified(typed: bytes, *options: str) -> list[str]:
    ran = subprocess.run(
        [COMMAND, "inbox", "classify", *options], input=typed, capture_output=True, check=True
    )
    return ran.stdout.decode().splitlines()


def test_each_line_gets_a_line_of_json_blank_ones_too() -> None:
    answers = [json.loads(line) for line in classified("7, please stop\n\n¡ALTO!\n".encode())]
    assert [answer["text"] for answer in answers] == ["7, please stop", "", "¡ALTO!"]
    assert [answer["intents"] for answer in answers] == [
        ["opt_out", "check_in"],
        ["other"],
        ["opt_out"],
    ]
    assert [answer["check_in"] for answer in answers] == [7, None, None]
    assert "check_in.alone" in answers[0]["rules"]


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    (line,) = classified(b"\xff\xfe stop")
    assert json.loads(line)["intents"] == ["opt_out"]


def test_it_answers_line_by_line_as_a_filter_does() -> None:
    with subprocess.Popen(
        [COMMAND, "inbox", "classify"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdin
        assert running.stdout
        running.stdin.write(b"stop\n")
        running.stdin.flush()
        assert json.loads(running.stdout.readline())["intents"] == ["opt_out"]
        running.stdin.close()


def test_it_answers_in_less_than_half_a_second_of_work() -> None:
    before = os.times()
    began = time.monotonic()
    classified(b"how are you\nstop\n7\n" * 10)
    after = os.times()
    worked = after.children_user + after.children_system
    worked -= before.children_user + before.children_system
    assert min(worked, time.monotonic() - began) < ANSWERED_WITHIN_S


def test_people_are_told_which_rules_fired() -> None:
    text, told = classified(b"no more texts\n", "--explain")
    assert text == "no more texts"
    assert told.startswith("  opt_out  (opt_out.no_more")
