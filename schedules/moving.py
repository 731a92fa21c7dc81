"""Where a patient who is under way comes to stand when they are moved to another version.

Nothing they had is sent again, and nothing that is still to come is lost. What the newer version
has for a time that has passed is due at once, and then goes as its catch-up policy has it, like
whatever else is late: never in a flood.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from schedules.calendar import Profile
from schedules.plan import plan_step
from schedules.steps import At, Series, Step
from schedules.versions import counterparts


@dataclass(frozen=True, slots=True)
class Underway:
    """What a patient's subscription to the older version has come to.

    `index` is the step that comes next. `passed` are steps before it that were never attempted;
    all others before it count as received, whatever became of them, for they may have been.
    `done` are later steps that they had before, from an earlier move; `before` are the versions
    that they were in then, each with the steps that went out, for a step may have come and gone.
    """

    index: int
    start: date
    enrolled_at: datetime
    passed: Collection[int] = ()
    done: Collection[int] = ()
    before: Collection[tuple[Series, Collection[int]]] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """Where they stand in the newer version, and what that changes for them.

    `index` is the step that comes next there, `done` the later ones that are not sent; `due` is
    when the next is due (it may be past), None where nothing is left. `same` says that the next
    step is the one that came next before. The rest are names of steps: `gets` those that come only
    by the move, `loses` those that come no more, `shifted` those that come at another time,
    `changed` those that are not quite the same (their message, channel or branch, for instance),
    `late` those whose time has passed, and of which the catch-up policy decides.
    """

    index: int
    done: tuple[int, ...]
    due: datetime | None
    same: bool
    gets: tuple[str, ...]
    loses: tuple[str, ...]
    shifted: tuple[str, ...]
    changed: tuple[str, ...]
    late: tuple[str, ...]


def plan_move(
    old: Series, new: Series, underway: Underway, profile: Profile, now: datetime
) -> Move:
    """Return where a patient comes to stand, from dates and what they had alone.

    A step that was passed over comes again where the newer version has it for a time still ahead.
    """
    start, enrolled_at = underway.start, underway.enrolled_at
    due = [plan_step(new, at, profile, start, enrolled_at).due for at in range(len(new.steps))]
    same = counterparts(old, new)
    coming = _coming(new, same, underway, due, now)
    index = coming[0] if coming else len(new.steps)
    places = range(underway.index, len(old.steps))
    waiting = {place for place in places if place not in underway.done}
    kept = sorted((same[at], at) for at in coming if same.get(at) in waiting)
    both = {at for _, at in kept}
    return Move(
        index=index,
        done=tuple(at for at in range(index, len(new.steps)) if at not in set(coming)),
        due=due[index] if coming else None,
        same=same.get(index) == underway.index,
        gets=tuple(new.steps[at].id for at in coming if at not in both),
        loses=tuple(old.steps[place].id for place in sorted(waiting - {each for each, _ in kept})),
        shifted=tuple(
            new.steps[at].id
            for place, at in kept
            if plan_step(old, place, profile, start, enrolled_at).due != due[at]
        ),
        changed=tuple(
            new.steps[at].id
            for place, at in kept
            if _content(old.steps[place]) != _content(new.steps[at])
        ),
        late=tuple(new.steps[at].id for at in coming if due[at] <= now),
    )


def _coming(
    new: Series,
    same: Mapping[int, int],
    underway: Underway,
    due: Sequence[datetime],
    now: datetime,
) -> list[int]:
    """Return the steps of the newer version that are still to come, in order."""
    had = {
        at
        for version, places in underway.before
        for at, place in counterparts(version, new).items()
        if place in places
    }
    return [
        at
        for at in range(len(new.steps))
        if at not in had and _comes(same.get(at), underway, due[at], now)
    ]


def _content(step: Step) -> Step:
    """Return a step as if it had no name and no time of its own."""
    return replace(step, id="", day=0, at=At("enrolment"))


def _comes(place: int | None, underway: Underway, due: datetime, now: datetime) -> bool:
    """Say whether a step of the newer version is still to come, from its place in the older."""
    if place is None:
        return True
    if place in underway.done:
        return False
    if place < underway.index:
        return place in underway.passed and due > now
    return True
