"""The scripts, driven through every state and event: they make the table's moves, and no other.

A scene brings one delivery into a state. Each event is then applied to it, with the token and the
attempt that the scene left, stale ones among them; and applied once more, to the same effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from schedules.delivery import MOVES, REPORTS, State
from service.dispatch.receipts import LATER_MS
from service.dispatch.turns import turned
from service.store.dead_letters import DeadLetterStore, DeliveryId
from service.store.records import Again, Claimed, FlightState
from tests.contract.store.installation import DUE, Installed, ended

SID = "SM1"
AGAIN = Again(0, State.UNDELIVERED.code, 1, 1, DUE)
RANKS = {
    State.SENT: 2,
    State.UNKNOWN: 3,
    State.DELIVERED: 4,
    State.UNDELIVERED: 4,
    State.FAILED: 4,
}


@dataclass
class Scene:
    """One delivery, the first step of its subscription, and what a worker holds of it.

    Attributes:
        claimed: the latest claim, or a stale one.
        attempt: of the latest begin, empty for none.
    """

    store: Installed
    patient: str
    claimed: Claimed
    attempt: str = ""

    @property
    def member(self) -> str:
        return f"{self.patient}.1"

    def state(self) -> State:
        """Where the store says that the delivery stands."""
        fields = self.store.fields(self.patient)
        subscription = fields.subscription(1)
        assert subscription is not None
        history = self.store.patients.history(self.patient)
        (recorded,) = [State.from_code(e.state) for e in history if e.index == 0] or [State.PENDING]
        flight = subscription.flight
        if recorded is not State.PENDING or flight is None:
            return recorded
        if flight.state in {FlightState.BEGUN, FlightState.IN_QUESTION}:
            return State.BEGUN
        return State.CLAIMED if flight.state is FlightState.CLAIMED else State.PENDING

    def claim(self) -> None:
        found = self.store.claim(limit=1)
        if found:
            self.claimed = turned(found[0], 0)

    def begin(self) -> None:
        attempt = self.attempt or self.store.patients.new_attempt(self.patient)
        if self.store.begin(self.store.beginning(self.claimed, attempt=attempt)) == "ok":
            self.attempt = attempt

    def conclude(self, state: State, *, begun: bool) -> None:
        attempt = (self.attempt or "-") if begun else ""
        self.store.conclude(ended(self.claimed, state=state.code, attempt=attempt))

    def give_back(self, *, begun: bool) -> None:
        conclusion = ended(self.claimed, "hold", attempt=self.attempt or "-" if begun else "")
        self.store.conclude(conclusion)

    def receive(self, report: State, again: Again | None = None) -> None:
        if self.attempt:
            store = self.store.dispatch
            store.receive(
                self.attempt, report.code, RANKS[report], SID, None, again=again, now_ms=DUE
            )

    def sweep(self) -> None:
        self.store.expire()
        self.store.sweep()

    def retry(self) -> None:
        letters = DeadLetterStore(self.store.scripts, self.store.partitions, self.store.business)
        letters.retry(DeliveryId(self.patient, 1, 0), "test")


def new(store: Installed) -> Scene:
    """Due, after a claim that was given back: its token is stale."""
    store.wipe()
    store.business.ms = DUE
    patient, _ = store.enrol()
    scene = Scene(store, patient, store.claim_one())
    store.conclude(ended(scene.claimed, "back"))
    return scene


def concluded(scene: Scene, state: State, *, begun: bool = True) -> Scene:
    scene.claim()
    if begun:
        scene.begin()
    scene.conclude(state, begun=begun)
    return scene


def failed_for_good(scene: Scene) -> Scene:
    """Sent, then reported as failed: pending once more, its attempt over."""
    concluded(scene, State.SENT)
    scene.receive(State.UNDELIVERED, AGAIN)
    return scene


def then(scene: Scene, *steps: str) -> Scene:
    for step in steps:
        scene.attempt = "" if step == "begin" else scene.attempt
        getattr(scene, step)()
    return scene


SCENES: dict[str, tuple[State, Callable[[Scene], Scene]]] = {
    "due": (State.PENDING, lambda scene: scene),
    "failed for good": (State.PENDING, failed_for_good),
    "retried by staff": (
        State.PENDING,
        lambda s: then(concluded(s, State.PARKED, begun=False), "retry"),
    ),
    "held for a retry": (
        State.PENDING,
        lambda s: replace_held(then(s, "claim", "begin")),
    ),
    "claimed": (State.CLAIMED, lambda s: then(s, "claim")),
    "claimed again": (State.CLAIMED, lambda s: then(failed_for_good(s), "claim")),
    "refused and claimed again": (
        State.CLAIMED,
        lambda s: then(concluded(s, State.FAILED), "retry", "claim"),
    ),
    "begun": (State.BEGUN, lambda s: then(s, "claim", "begin")),
    "begun again": (State.BEGUN, lambda s: then(failed_for_good(s), "claim", "begin")),
    "in question": (State.BEGUN, lambda s: then(s, "claim", "begin", "sweep")),
    "sent": (State.SENT, lambda s: concluded(s, State.SENT)),
    "delivered": (State.DELIVERED, lambda s: concluded(s, State.DELIVERED)),
    "undelivered": (State.UNDELIVERED, lambda s: concluded(s, State.UNDELIVERED)),
    "failed": (State.FAILED, lambda s: concluded(s, State.FAILED)),
    "unknown": (State.UNKNOWN, lambda s: concluded(s, State.UNKNOWN)),
    "skipped": (State.SKIPPED, lambda s: concluded(s, State.SKIPPED, begun=False)),
    "parked": (State.PARKED, lambda s: concluded(s, State.PARKED, begun=False)),
}


def replace_held(scene: Scene) -> Scene:
    scene.give_back(begun=True)
    return scene


def skip(scene: Scene) -> None:
    """Pass it over: what a provider refused before goes back to that."""
    again = scene.claimed.subscription.again
    was = State.SKIPPED if again is None else State.from_code(again.was)
    scene.conclude(State.SKIPPED if was is State.PARKED else was, begun=False)


def recorded(state: State) -> Callable[[Scene], None]:
    return lambda scene: scene.conclude(state, begun=True)


def reported(report: State) -> Callable[[Scene], None]:
    return lambda scene: scene.receive(report)


def reported_then(report: State, again: Again | None = None) -> Callable[[Scene], None]:
    """A receipt that comes before the worker's own record, which follows."""

    def event(scene: Scene) -> None:
        scene.receive(report, again)
        scene.conclude(State.SENT, begun=True)

    return event


EVENTS: dict[str, Callable[[Scene], None]] = {
    "claim": Scene.claim,
    "begin": Scene.begin,
    "give back unbegun": lambda scene: scene.give_back(begun=False),
    "give back begun": lambda scene: scene.give_back(begun=True),
    "sweep": Scene.sweep,
    "pass over": skip,
    "park": lambda scene: scene.conclude(State.PARKED, begun=False),
    "retry": Scene.retry,
    "fails for good": lambda scene: scene.receive(State.UNDELIVERED, AGAIN),
    "fails for good before the record": reported_then(State.UNDELIVERED, AGAIN),
    **{f"record {state}": recorded(state) for state in (State.SENT, State.FAILED, State.UNKNOWN)},
    **{f"report {report}": reported(report) for report in sorted(REPORTS)},
    **{f"report {report}, record": reported_then(report) for report in sorted(REPORTS)},
}


def test_the_scripts_make_every_move_of_the_table_and_no_other(store: Installed) -> None:
    made: set[tuple[State, State]] = set()
    for name, (state, arrange) in SCENES.items():
        for event, apply in EVENTS.items():
            scene = arrange(new(store))
            assert scene.state() is state, name
            apply(scene)
            after = scene.state()
            assert after is state or after in MOVES[state], f"{name}: {event} made it {after}"
            made.add((state, after))
            if event not in {"claim", "begin", "sweep"}:
                apply(scene)
                assert scene.state() is after, f"{name}: {event} once more"
    expected = {(start, end) for start, ends in MOVES.items() for end in ends}
    assert {move for move in made if move[0] is not move[1]} == expected


def test_what_failed_for_good_is_claimed_with_the_step_at_the_cursor_beside_it(
    store: Installed,
) -> None:
    scene = failed_for_good(new(store))
    (found,) = store.claim()
    assert (found.subscription.index, found.fields.again(1)) == (1, [AGAIN])
    again = turned(found, 0)
    beginning = store.beginning(again)
    assert store.begin(beginning) == "ok"
    record = store.dispatch.attempt(beginning.attempt)
    assert record is not None
    assert (record.index, record.attempts, record.failures) == (0, 1, 1)
    assert store.conclude(ended(again, state="s", attempt=beginning.attempt))
    subscription = store.subscription(scene.patient)
    assert (subscription.index, store.fields(scene.patient).again(1)) == (1, [])


def test_what_fails_while_the_next_step_is_under_way_is_looked_at_in_time(
    store: Installed,
) -> None:
    scene = concluded(new(store), State.SENT)
    scene_attempt, wake = scene.attempt, DUE + LATER_MS
    (following,) = store.claim()
    beginning = store.beginning(following)
    store.begin(beginning)
    again = replace(AGAIN, from_ms=wake)
    for _ in range(2):
        store.dispatch.receive(scene_attempt, "u", 4, SID, None, again=again, now_ms=DUE)
    assert store.place(scene.member) == {"held"}
    assert store.conclude(ended(following, when_ms=DUE * 2, state="s", attempt=beginning.attempt))
    assert store.due_ms(scene.member) == wake
    assert store.fields(scene.patient).text("b1") is None


def test_a_series_is_not_over_while_something_of_it_is_tried_again(store: Installed) -> None:
    scene = new(store)
    scene.claim()
    scene.begin()
    scene.receive(State.UNDELIVERED, AGAIN)
    conclusion = ended(scene.claimed, "end", state="s", attempt=scene.attempt)
    assert store.conclude(conclusion)
    assert scene.state() is State.PENDING
    assert store.place(scene.member) == {"due"}
    (found,) = store.claim()
    assert store.conclude(ended(turned(found, 0), "end", state="u"))
    assert store.place(scene.member) == set()


def test_a_day_on_which_nothing_arrived_is_given_back(store: Installed) -> None:
    scene = new(store)
    scene.claim()
    today = 739_000
    beginning = store.beginning(scene.claimed, cap_day=today)
    store.begin(beginning)
    store.conclude(ended(scene.claimed, state="s", attempt=beginning.attempt))
    assert store.fields(scene.patient).text("r") == str(today)
    store.dispatch.receive(beginning.attempt, "u", 4, SID, None, again=AGAIN, now_ms=DUE)
    assert store.fields(scene.patient).text("r") == ""


def test_a_retry_taken_back_by_a_receipt_is_not_begun(store: Installed) -> None:
    scene = then(failed_for_good(new(store)), "claim")
    scene.receive(State.DELIVERED)
    assert scene.state() is State.DELIVERED
    assert store.begin(store.beginning(scene.claimed)) == "stopped"
