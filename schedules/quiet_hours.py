"""The hours in which messages may be begun, per channel, country, state and weekday."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

from schedules.errors import ProfileError, ScheduleError
from schedules.steps import CHANNELS, Channel

PACKAGED: Final = Path(__file__).with_name("quiet_hours.toml")
SHORTEST: Final = timedelta(hours=2)
"""A rule must leave this much of a day open, so that a reminder has an hour to move to."""

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_RULE_KEYS: Final = frozenset({"channel", "country", "state", "opens", "closes", "source"})
_CODE: Final = re.compile(r"[A-Z]{2,3}")
_ANY: Final = "*"
_UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Hours:
    """The open part of a day in local time: from `opens`, and up to but not at `closes`."""

    opens: time
    closes: time


Week = tuple[Hours | None, ...]
"""The hours of Monday to Sunday; None for a day on which nothing is sent."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """All rules, and the states by country that the rules know of."""

    rules: Mapping[tuple[str, str, str], Week]
    states: Mapping[str, frozenset[str]]

    def knows(self, country: str, state: str) -> bool:
        """Say whether a country has a state of that code; True where we have no list of them."""
        known = self.states.get(country)
        return known is None or state in known

    def week(self, channel: Channel, country: str, state: str | None) -> Week:
        """Return the hours of the most specific rule; a state nobody knows counts as unknown."""
        known = self.states.get(country)
        place = _UNKNOWN if state is None or (known is not None and state not in known) else state
        for key in ((channel, country, place), (channel, country, _ANY), (channel, _ANY, _ANY)):
            week = self.rules.get(key)
            if week is not None:
                return week
        raise ScheduleError(f"quiet hours: no rule for {channel}: add one without a country")

    def strictest(self, channel: Channel) -> Hours:
        """Return the hours that are open at every place on every day with hours at all.

        Raises:
            ScheduleError: No hour is open everywhere.
        """
        weeks = [week for key, week in self.rules.items() if key[0] == channel]
        hours = [day for week in weeks for day in week if day is not None]
        strict = Hours(max(day.opens for day in hours), min(day.closes for day in hours))
        if strict.opens >= strict.closes:
            raise ScheduleError(f"quiet hours: no hour of {channel} is open everywhere")
        return strict


@lru_cache(maxsize=8)
def load_quiet_hours(path: Path = PACKAGED) -> QuietHours:
    """Read the table of quiet hours, once per process.

    Raises:
        ScheduleError: It cannot be read, or a rule is not one; the message names the rule.
    """
    try:
        top = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise ScheduleError(f"{path.name}: cannot be read: {fault}") from fault
    rules: dict[tuple[str, str, str], Week] = {}
    for number, rule in enumerate(top.get("rule", []), 1):
        where = f"{path.name}, rule {number}"
        key = _read_key(where, rule)
        if key in rules:
            raise ScheduleError(f"{where}: a second rule for {key}: keep one")
        rules[key] = _read_week(where, rule)
    for channel in CHANNELS:
        if (channel, _ANY, _ANY) not in rules:
            raise ScheduleError(f"{path.name}: no rule for {channel} without a country: add one")
    states = {country: frozenset(names) for country, names in top.get("states", {}).items()}
    return QuietHours(rules, states)


def parse_state(text: str, country: str) -> str | None:
    """Read a state as somebody typed it: its code, or None for nothing.

    Raises:
        ProfileError: The country has no such state; a typing error must not pass for "unknown".
    """
    state = text.strip().upper()
    if not state:
        return None
    if not _CODE.fullmatch(state) or not load_quiet_hours().knows(country, state):
        raise ProfileError(
            f"there is no such state in {country}: give its two letters, such as OR, or leave it "
            "out for hours that suit every state"
        )
    return state


def _read_key(where: str, rule: Mapping[str, object]) -> tuple[str, str, str]:
    unknown = set(rule) - _RULE_KEYS - set(_WEEKDAYS)
    if unknown:
        raise ScheduleError(f"{where}: unknown key {min(unknown)!r}: take it out")
    if rule.get("channel") not in CHANNELS:
        raise ScheduleError(f"{where}: channel must be one of {', '.join(CHANNELS)}")
    if not rule.get("source"):
        raise ScheduleError(f"{where}: source is missing: say where the hours come from")
    key = (str(rule["channel"]), str(rule.get("country", _ANY)), str(rule.get("state", _ANY)))
    if key[1] == _ANY and key[2] != _ANY:
        raise ScheduleError(f"{where}: a state needs its country")
    return key


def _read_week(where: str, rule: Mapping[str, object]) -> Week:
    usual = _read_hours(where, [rule.get("opens"), rule.get("closes")])
    week = tuple(_read_hours(where, rule[day]) if day in rule else usual for day in _WEEKDAYS)
    if not any(week):
        raise ScheduleError(f"{where}: every day is closed: leave one open")
    return week


def _read_hours(where: str, value: object) -> Hours | None:
    if value == "closed":
        return None
    try:
        opens, closes = (time.fromisoformat(text) for text in _pair(value))
    except (TypeError, ValueError) as fault:
        raise ScheduleError(
            f'{where}: hours must be two times such as "08:00" and "21:00", or "closed"'
        ) from fault
    if _minutes(closes) - _minutes(opens) < SHORTEST.total_seconds() / 60:
        raise ScheduleError(f"{where}: {opens}-{closes}: leave at least {SHORTEST} open")
    return Hours(opens, closes)


def _pair(value: object) -> tuple[str, str]:
    if not isinstance(value, list):
        raise TypeError
    opens, closes = value
    return opens, closes


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute
