"""Every entry that accounts write in the audit is explained, and no other is."""

from __future__ import annotations

import re
from pathlib import Path

from service.accounts.links import WHAT

ROOT = Path(__file__).parents[4]
WRITTEN = re.compile(r"(?:what=|note\(\s*|'what', )[\"']([a-z_]+)[\"']")
ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


def test_every_entry_about_an_account_is_documented_and_no_other_is() -> None:
    page = (ROOT / "docs/how-to/console-accounts.md").read_text("utf-8")
    table = page.partition("## What is recorded")[2]
    sources = [*(ROOT / "service/accounts").glob("*.py")]
    sources.append(ROOT / "service/store/scripts/create_member.lua")
    text = "".join(path.read_text("utf-8") for path in sources)
    assert set(ROW.findall(table)) == set(WRITTEN.findall(text)) | set(WHAT.values())
