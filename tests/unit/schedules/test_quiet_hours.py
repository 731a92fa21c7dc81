"""Reading the table of quiet hours."""

from datetime import time
from pathlib import Path

import pytest

from schedules.errors import ScheduleError
from schedules.quiet_hours import Hours, load_quiet_hours

GOOD = """
[states]
US = ["NY", "TX"]

[[rule]]
channel = "sms"
opens = "08:00"
closes = "21:00"
source = "A rule"

[[rule]]
channel = "sms"
country = "US"
state = "TX"
opens = "08:00"
closes = "21:00"
sunday = ["12:00", "20:00"]
monday = "closed"
source = "A rule"

[[rule]]
channel = "email"
opens = "06:00"
closes = "22:00"
source = "A rule"
"""


def written(path: Path, text: str = GOOD) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_most_specific_rule_wins_and_a_weekday_has_hours_of_its_own(tmp_path: Path) -> None:
    table = load_quiet_hours(written(tmp_path / "hours.toml"))
    usual = Hours(time(8), time(21))
    assert table.week("sms", "US", "TX") == (None, *[usual] * 5, Hours(time(12), time(20)))
    assert table.week("sms", "US", "NY") == (usual,) * 7
    assert table.week("sms", "NZ", None) == (usual,) * 7
    assert table.strictest("sms") == Hours(time(12), time(20))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('channel = "email"', 'channel = "fax"', "rule 3: channel must be one of sms, email"),
        ('channel = "email"', 'channel = "sms"', "rule 3: a second rule"),
        ('country = "US"\n', "", "rule 2: a state needs its country"),
        ('"06:00"', '"6 am"', "rule 3: hours must be two times"),
        ('"06:00"', "6", "rule 3: hours must be two times"),
        ('["12:00", "20:00"]', '"12:00"', "rule 2: hours must be two times"),
        ('["12:00", "20:00"]', '["12:00"]', "rule 2: hours must be two times"),
        ('"06:00"', '"21:00"', "rule 3: 21:00:00-22:00:00: leave at least"),
        ('"06:00"', '"23:00"', "rule 3: 23:00:00-22:00:00: leave at least"),
        ('monday = "closed"', 'moonday = "closed"', "rule 2: unknown key 'moonday'"),
        (
            'source = "A rule"\n\n[[rule]]\nchannel = "email"',
            '[[rule]]\nchannel = "email"',
            "source",
        ),
        ("[states]", "[states", "cannot be read"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_the_rule_and_what_to_do(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in GOOD
    with pytest.raises(ScheduleError, match=said):
        load_quiet_hours(written(tmp_path / "hours.toml", GOOD.replace(old, new)))


def test_a_table_must_leave_a_day_open_and_cover_every_channel(tmp_path: Path) -> None:
    closed = "\n".join(
        f'{name} = "closed"'
        for name in ("tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    )
    text = GOOD.replace('sunday = ["12:00", "20:00"]', closed)
    with pytest.raises(ScheduleError, match="every day is closed"):
        load_quiet_hours(written(tmp_path / "closed.toml", text))
    only_sms = GOOD[: GOOD.rindex("[[rule]]")]
    with pytest.raises(ScheduleError, match="no rule for email without a country"):
        load_quiet_hours(written(tmp_path / "sms.toml", only_sms))


def test_hours_that_never_meet_have_no_strictest(tmp_path: Path) -> None:
    text = GOOD.replace('["12:00", "20:00"]', '["08:00", "10:00"]').replace(
        'opens = "08:00"\ncloses = "21:00"\nsunday', 'opens = "11:00"\ncloses = "21:00"\nsunday'
    )
    with pytest.raises(ScheduleError, match="no hour of sms is open everywhere"):
        load_quiet_hours(written(tmp_path / "hours.toml", text)).strictest("sms")
