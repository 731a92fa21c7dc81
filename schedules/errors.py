"""What can go wrong in a schedule. Each message says what to do next."""


class ScheduleError(Exception):
    """Base of the errors of this package."""


class SeriesError(ScheduleError):
    """A series is missing, or its file is not what a series file must be."""


class ProfileError(ScheduleError, ValueError):
    """A patient's time zone, country, state or channel is not one we can plan with."""
