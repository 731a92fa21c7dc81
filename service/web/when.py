"""Days and times of day as people say them, in the languages of the pages."""

from __future__ import annotations

from datetime import date, datetime, time

from service.web.language import words


def spoken_day(day: date, language: str) -> str:
    """A day of this year or the next: ``Wednesday, June 3``."""
    say = words(language)["when"]
    weekday, month = say["weekdays"].split(",")[day.weekday()], _month(day, language)
    return say["day"].format(weekday=weekday, month=month, day=day.day)


def short_day(day: date, language: str) -> str:
    """A day in little room, as for an axis: ``Jun 3``."""
    form = words(language)["when"]["short"]
    return form.format(month=_month(day, language)[:3], day=day.day)


def spoken_date(day: date, language: str) -> str:
    """A day of any year: ``June 3, 2026``."""
    form = words(language)["when"]["date"]
    return form.format(month=_month(day, language), day=day.day, year=day.year)


def spoken_time(moment: time, language: str) -> str:
    """A time of day on a clock of twelve hours: ``8:05 pm``."""
    say = words(language)["when"]
    half = say["halves"].split(",")[moment.hour // 12]
    hour = (moment.hour + 11) % 12 + 1
    return say["time"].format(hour=hour, minute=f"{moment.minute:02}", half=half)


def spoken_moment(at: datetime, language: str) -> str:
    """An instant of any year, on the clock of its zone: ``June 3, 2026, 8:05 pm``."""
    return f"{spoken_date(at.date(), language)}, {spoken_time(at.time(), language)}"


def _month(day: date, language: str) -> str:
    return words(language)["when"]["months"].split(",")[day.month - 1]
