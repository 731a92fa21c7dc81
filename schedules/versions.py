"""What differs between two versions of a series, and which steps of them are the same."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from schedules.errors import ScheduleError
from schedules.steps import Series, Step


class Change(StrEnum):
    """What became of a step; the values are for JSON and for words."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    ORDER = "order"
    MESSAGE = "message"
    CHANNEL = "channel"
    TIME = "time"
    KIND = "kind"
    EXPIRY = "expiry"
    BRANCH = "branch"


@dataclass(frozen=True, slots=True)
class StepChange:
    """A step that is not the same in both versions; the side on which it is missing is None."""

    changes: tuple[Change, ...]
    old: Step | None
    new: Step | None

    @property
    def step(self) -> str:
        """Its name, in the newer version where it is there."""
        step = self.new or self.old
        return step.id if step else ""


@dataclass(frozen=True, slots=True)
class Setting:
    """Something of the series as a whole that differs: `title`, `catch_up` and so on, as text."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs. `steps` are in the newer order, removed ones after those before them."""

    old: Series
    new: Series
    settings: tuple[Setting, ...]
    steps: tuple[StepChange, ...]

    def count(self, change: Change) -> int:
        """Return how many steps changed so."""
        return sum(change in each.changes for each in self.steps)


def counterparts(old: Series, new: Series) -> dict[int, int]:
    """Return the place in the older version of each step of the newer that is in both.

    The same step is the one with the same name. Of those that have no namesake, one is the same
    that says the same message: it was given another name, and nobody is to get it twice for that.
    """
    places = {step.id: index for index, step in enumerate(old.steps)}
    found = {at: places[step.id] for at, step in enumerate(new.steps) if step.id in places}
    left = [index for index in range(len(old.steps)) if index not in set(found.values())]
    for at, step in enumerate(new.steps):
        if at in found:
            continue
        same = next((index for index in left if old.steps[index].message == step.message), None)
        if same is not None:
            found[at] = same
            left.remove(same)
    return found


def difference(old: Series, new: Series) -> Difference:
    """Return what differs between two versions of a series.

    Raises:
        ScheduleError: They are of two series.
    """
    if old.name != new.name:
        raise ScheduleError(
            f"{old.name!r} and {new.name!r} are two series: compare versions of one of them"
        )
    same = counterparts(old, new)
    in_order = _in_order([same[at] for at in sorted(same)])
    changed: list[StepChange] = []
    told: set[int] = set()
    removed = [index for index in range(len(old.steps)) if index not in set(same.values())]
    for at, step in enumerate(new.steps):
        index = same.get(at)
        if index is None:
            changed.append(StepChange((Change.ADDED,), None, step))
            continue
        gone = [each for each in removed if each < index and each not in told]
        changed += [StepChange((Change.REMOVED,), old.steps[each], None) for each in gone]
        told.update(gone)
        found = tuple(_changes(old.steps[index], step, moved=index not in in_order))
        if found:
            changed.append(StepChange(found, old.steps[index], step))
    rest = [each for each in removed if each not in told]
    changed += [StepChange((Change.REMOVED,), old.steps[each], None) for each in rest]
    return Difference(old, new, tuple(_settings(old, new)), tuple(changed))


def _changes(old: Step, new: Step, *, moved: bool) -> Iterator[Change]:
    if old.id != new.id:
        yield Change.RENAMED
    if moved:
        yield Change.ORDER
    if old.message != new.message:
        yield Change.MESSAGE
    if old.channel != new.channel:
        yield Change.CHANNEL
    if (old.day, old.at) != (new.day, new.at):
        yield Change.TIME
    if old.kind != new.kind:
        yield Change.KIND
    if old.expires_after != new.expires_after:
        yield Change.EXPIRY
    if old.unless != new.unless:
        yield Change.BRANCH


def _settings(old: Series, new: Series) -> Iterator[Setting]:
    pairs = [
        ("title", old.title, new.title),
        ("frequency", old.frequency, new.frequency),
        ("nightly", str(old.nightly).lower(), str(new.nightly).lower()),
        ("catch_up", old.catch_up, new.catch_up),
    ]
    for language in sorted({words.language for words in (*old.wording, *new.wording)}):
        was, words = old.words(language), new.words(language)
        pairs.append((f"title_{language}", was.title, words.title))
        pairs.append((f"frequency_{language}", was.frequency, words.frequency))
    for name, before, after in pairs:
        if before != after:
            yield Setting(name, before, after)


def _in_order(places: Sequence[int]) -> frozenset[int]:
    """Return a longest run of places that ascends: the fewest others were moved among them."""
    tails: list[int] = []
    ends: list[int] = []  # position in `places` of each tail
    before: list[int | None] = []
    for position, place in enumerate(places):
        length = bisect_left(tails, place)
        before.append(ends[length - 1] if length else None)
        tails[length : length + 1] = [place]
        ends[length : length + 1] = [position]
    run: list[int] = []
    at = ends[-1] if ends else None
    while at is not None:
        run.append(places[at])
        at = before[at]
    return frozenset(run)


def span(duration: timedelta) -> str:
    """Return a duration as a series file writes it: "21d", "2h", "90m"."""
    minutes = int(duration.total_seconds()) // 60
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"
