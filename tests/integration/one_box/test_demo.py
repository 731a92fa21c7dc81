"""`aftervisit demo`: everything at once, as a newcomer runs it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.support.servers import embedded_servers
from tests.support.system import COMMAND


def run_demo(data_dir: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if "AFTERVISIT" not in key}
    return subprocess.run(
        [COMMAND, "demo", "--once", *options],
        env={**environment, "AFTERVISIT_DATA_DIR": str(data_dir), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )


def test_ten_days_pass_and_everything_planned_went_out_once(tmp_path: Path) -> None:
    done = run_demo(tmp_path, "--days", "10", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["patients"] == 9
    assert figures["days"] == 10
    sent = figures["deliveries"].pop("sent")
    assert figures["deliveries"] == {"skipped": 0, "failed": 0, "unknown": 0}
    assert sent == figures["by_channel"]["sms"] + figures["by_channel"]["email"]
    assert figures["opt_outs"] == 2, "Eli texted STOP, Hana pressed unsubscribe"
    assert figures["escalations"] == 1, "Ana's leg"
    texts = (tmp_path / "demo" / "sandbox" / "texts.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in texts]
    stop = next(
        number
        for number, event in enumerate(events)
        if event["event"] == "text" and event["text"]["body"] == "STOP"
    )
    shared = events[stop]["text"]["sender"]
    later = [event["text"] for event in events[stop:] if event["event"] == "text"]
    program = [
        text for text in later if text["to"] == shared and text["direction"] == "outbound-api"
    ]
    assert program == [], "a text left for the shared phone after STOP"
    answers = [text["body"] for text in later if text["to"] != shared]
    assert any("Your number is saved" in body for body in answers), "Dev answered a check-in"
    assert any("Do not wait for a text" in body for body in answers), "Ana was told whom to call"
    journal = (tmp_path / "demo" / "sandbox" / "followed.jsonl").read_text().splitlines()
    followed = {tuple(line["words"]): line for line in map(json.loads, journal)}
    assert followed[("opt_out",)]["effects"] == [["suppressed", "sms"]]
    assert followed[("check_in",)]["effects"] == [["rated", "symptom-check"]]
    assert followed[("urgent",)]["effects"] == [["task", "urgent"]]
    assert followed[("other",)]["channel"] == "email", "Chloé answered a mail"
    spanish = [event["text"]["body"] for event in events if event["event"] == "text"]
    assert sum("Le damos la bienvenida" in body for body in spanish) == 1, "to Inés alone"
    assert embedded_servers(tmp_path / "demo") == [], "the demonstration left its store running"


def test_a_demonstration_refuses_a_store_that_it_would_empty(tmp_path: Path) -> None:
    done = run_demo(tmp_path, AFTERVISIT_REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "AFTERVISIT_REDIS_URL" in done.stderr
    assert done.stdout == ""
