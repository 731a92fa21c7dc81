from __future__ import annotations

from datetime import date, time

from service.web.when import spoken_date, spoken_day, spoken_time


def test_days_and_times_are_said_as_people_say_them() -> None:
    day = date(2026, 6, 3)
    assert spoken_day(day, "en") == "Wednesday, June 3"
    assert spoken_day(day, "es") == "miércoles 3 de junio"
    assert spoken_date(day, "en") == "June 3, 2026"
    assert spoken_date(day, "es") == "3 de junio de 2026"


def test_noon_and_midnight_have_their_halves_right() -> None:
    times = (time(0, 5), time(11, 59), time(12, 0), time(20, 15))
    assert [spoken_time(each, "en") for each in times] == [
        "12:05 am",
        "11:59 am",
        "12:00 pm",
        "8:15 pm",
    ]
    assert spoken_time(time(20, 15), "es") == "8:15 p. m."
