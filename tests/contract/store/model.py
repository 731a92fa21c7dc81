"""What the model of the store knows, and what patients and staff do to both."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from service.store.address_changes import AddressChanges
from service.store.changes import PatientChanges
from service.store.flights import Beginning
from service.store.keys import new_patient_id
from service.store.records import Channel, Claimed, Status
from service.store.reply_records import Heard, NewReply
from tests.contract.store.installation import Installed
from tests.support.sets import Store

PHONES = ("+15035550100", "+15035550101")
MAILBOX = "ana@example.org"
REASONS = ("stop", "staff", "invalid")
STEPS = 3
PROFILE = settings(
    max_examples=40,
    stateful_step_count=50,
    deadline=None,
    derandomize=False,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


@dataclass
class ModelPatient:
    """What the model knows of a patient: an identifier, a phone, perhaps a mailbox.

    Attributes:
        undoable: numbers of the subscriptions that staff have stopped, and may go on with.
    """

    id: str
    phone: str
    by_mail: bool
    subscriptions: int = 1
    undoable: set[int] = field(default_factory=set)

    def suppressions(self, ledger: dict[tuple[Channel, str], set[str]]) -> dict[Channel, bool]:
        found: dict[Channel, bool] = {"sms": bool(ledger.get(("sms", self.phone)))}
        if self.by_mail:
            found["email"] = bool(ledger.get(("email", MAILBOX)))
        return found


@dataclass
class Hold:
    """What a worker holds: a claim, and the attempt once it has begun."""

    claimed: Claimed
    beginning: Beginning | None = None


@dataclass
class Log:
    """Every attempt that was begun, and what it was concluded as."""

    begun: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    not_sent: set[str] = field(default_factory=set)


@dataclass
class Text:
    """A text from a patient: STOP or START.

    Attributes:
        stops: of its number when it came, itself included.
    """

    message_id: str
    phone: str
    keyword: str
    stops: int = 0


class People(RuleBasedStateMachine):
    """Patients and staff, on a store and on the model of it."""

    server: ClassVar[Store]

    @initialize()
    def install(self) -> None:
        self._opened = Installed.fresh(self.server)
        self.store = self._opened.__enter__()
        self.people: list[ModelPatient] = []
        self.ledger: dict[tuple[Channel, str], set[str]] = {}
        self.log = Log()
        self.holds: list[Hold] = []
        self.attempts: list[Beginning] = []
        self.texts: list[Text] = []
        self.stopped: list[tuple[ModelPatient, int]] = []
        self.stops: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        for number in range(2):  # on one phone, one of them with a mailbox as well
            self.enrol(PHONES[0], 1, by_mail=bool(number))

    def teardown(self) -> None:
        if hasattr(self, "_opened"):
            self._opened.__exit__(None, None, None)

    # -- patients and staff

    @rule(phone=st.sampled_from(PHONES), by_mail=st.booleans(), partition=st.integers(1, 2))
    def enrol(self, phone: str, partition: int, *, by_mail: bool) -> None:
        # Ids decide the order of what is due at once, so a replay needs the same ones.
        letters = hashlib.sha256(str(len(self.people)).encode()).digest()
        person = ModelPatient(
            new_patient_id(partition, lambda count: letters[:count]), phone, by_mail
        )
        channels: tuple[Channel, ...] = ("sms", "email") if by_mail else ("sms",)
        _, enrolled = self.store.enrol(
            person.id, phone=phone, email=MAILBOX if by_mail else None, channels=channels
        )
        self.people.append(person)
        silent = all(person.suppressions(self.ledger).values())
        assert enrolled.status is (Status.OPTED_OUT if silent else Status.ACTIVE)

    @rule(draw=st.data())
    def enrol_in_another_series(self, draw: st.DataObject) -> None:
        if not self.people:
            return
        person = draw.draw(st.sampled_from(self.people))
        channels: tuple[Channel, ...] = ("sms", "email") if person.by_mail else ("sms",)
        name = f"series-{person.subscriptions}"
        enrolled = self.store.create(person.id, {}, channels=channels, series=name, new=False)
        assert (enrolled.outcome, enrolled.number) == ("ok", person.subscriptions + 1)
        person.subscriptions += 1

    @rule(
        address=st.sampled_from([("sms", PHONES[0]), ("sms", PHONES[1]), ("email", MAILBOX)]),
        reason=st.sampled_from(REASONS),
        on=st.booleans(),
    )
    def suppress_or_lift(self, address: tuple[Channel, str], reason: str, *, on: bool) -> None:
        standing = self.ledger.setdefault(address, set())
        if on:
            standing.add(reason)
            self.store.suppress(*address, reason)
        else:
            standing.discard(reason)
            self.store.lift(*address, reason)
        self._told(address)

    def _told(self, address: tuple[Channel, str]) -> None:
        """Patients were told how an address stands: what it has stopped, staff do not undo."""
        if self.ledger.get(address, set()) - {"invalid"}:
            for person in self.people:
                if address[1] in {person.phone, MAILBOX if person.by_mail else ""}:
                    person.undoable.clear()

    @rule(phone=st.sampled_from(PHONES), keyword=st.sampled_from(["stop", "start"]))
    def text(self, phone: str, keyword: str) -> None:
        """STOP, or START; of several, the order in which they came counts."""
        text = Text(f"SM{len(self.texts)}", phone, keyword)
        self.texts.append(text)
        self.stops[phone] += keyword == "stop"
        text.stops = self.stops[phone]
        self._heard(text, new=True)

    @precondition(lambda self: self.texts)
    @rule(draw=st.data())
    def text_comes_again(self, draw: st.DataObject) -> None:
        """The provider repeats itself, or the list tells what a webhook told before."""
        self._heard(draw.draw(st.sampled_from(self.texts)), new=False)

    def _heard(self, text: Text, *, new: bool) -> None:
        """What the inbox does about it."""
        store, standing = self.store, self.ledger.setdefault(("sms", text.phone), set())
        digest = store.digest("sms", text.phone)
        reply = store.replies.record(
            NewReply(
                message_id=text.message_id,
                address=digest,
                channel="sms",
                heard=Heard(("opt_out" if text.keyword == "stop" else "opt_in",)),
                word="",
                opt_out_type="",
                clinic="",
                via="webhook",
                at_ms=store.machine.ms,
                content={},
            )
        ).reply
        assert (reply.new, reply.stops) == (new, text.stops)
        answered = self.answered[text.phone] >= text.stops
        if text.keyword == "stop":
            assert store.replies.overtaken(reply) == answered
            if new or not answered:
                store.suppress("sms", text.phone, "stop")
                standing.add("stop")
                self._told(("sms", text.phone))
        else:
            overtaken = store.suppressions.lift(
                "sms", digest, source="test", lifts=("stop",), stops=reply.stops
            ).overtaken
            assert overtaken == (text.stops < self.stops[text.phone])
            if not overtaken:
                self.answered[text.phone] = text.stops
                standing.discard("stop")
            store.lift("sms", text.phone, "nothing")  # carries the ledger to the patients
            self._told(("sms", text.phone))

    @rule(draw=st.data(), pause=st.booleans())
    def pause_or_resume(self, draw: st.DataObject, *, pause: bool) -> None:
        if not self.people:
            return
        person = draw.draw(st.sampled_from(self.people))
        number = draw.draw(st.integers(1, person.subscriptions))
        status, other = Status.PAUSED, Status.ACTIVE
        if not pause:
            status, other = other, status
        self.store.set_status(person.id, status, [other], number)

    @rule(draw=st.data(), ahead_ms=st.sampled_from([-1, 0, 1, 86_400_000]))
    def pause_until(self, draw: st.DataObject, ahead_ms: int) -> None:
        """Also one that is paused already, and one whose time is over at once."""
        if not self.people:
            return
        person = draw.draw(st.sampled_from(self.people))
        self.store.set_status(
            person.id,
            Status.PAUSED,
            [Status.ACTIVE, Status.PAUSED],
            draw.draw(st.integers(1, person.subscriptions)),
            until_ms=self.store.business.ms + ahead_ms,
        )

    @rule(draw=st.data(), by_staff=st.booleans())
    def stop_one(self, draw: st.DataObject, *, by_staff: bool) -> None:
        """The patient leaves one series, or staff stop it: perhaps by mistake, perhaps twice."""
        person = draw.draw(st.sampled_from(self.people))
        number = draw.draw(st.integers(1, person.subscriptions))
        stands = self.store.status(person.id, number)
        if stands is Status.COMPLETED:
            return
        self.stopped.append((person, number))
        self.store.stop_one(person.id, number, undoable=by_staff)
        if not by_staff:
            person.undoable.discard(number)
        elif stands in {Status.ACTIVE, Status.PAUSED}:
            person.undoable.add(number)

    @precondition(lambda self: self.stopped)
    @rule(draw=st.data())
    def restart(self, draw: st.DataObject) -> None:
        """Staff undo a stop: only one of their own, only where nothing else was stopped since."""
        person, number = draw.draw(st.sampled_from(self.stopped[-3:]))
        before = self.store.subscription(person.id, number)
        if before.index >= STEPS and not self.store.fields(person.id).again(number):
            return  # nothing of it is left: a worker would complete it
        if all(person.suppressions(self.ledger).values()):
            wanted = {"silent", "final", "going"}
        elif before.status is not Status.OPTED_OUT:
            wanted = {"going"}
        else:
            wanted = {"ok"} if number in person.undoable else {"final"}
        answer = self.store.restart(person.id, number)
        assert answer in wanted
        after = self.store.subscription(person.id, number)
        assert (after.index, after.flight) == (before.index, before.flight)
        if answer == "ok":
            person.undoable.discard(number)
            assert after.status in {Status.ACTIVE, Status.PAUSED}
            assert not after.left
        else:
            assert after == before

    @rule(draw=st.data(), phone=st.sampled_from(PHONES))
    def correct_the_phone(self, draw: st.DataObject, phone: str) -> None:
        """Whatever the old number has opted out of stays with it, and the new one's own counts."""
        person = draw.draw(st.sampled_from(self.people))
        if phone == person.phone:
            return
        store = self.store
        fields = store.fields(person.id)
        known = replace(store.patients.contact(fields), phone=person.phone)
        parts = (store.scripts, store.patients._keyring, store.suppressions)
        changes = AddressChanges(*parts, store.business, store.machine)
        consent = {"channel": "sms", "method": "verbal", "wording": "2026-01", "address": phone}
        assert changes.correct(fields, known, replace(known, phone=phone), consent, source="test")
        person.phone = phone

    @rule(draw=st.data(), ahead=st.integers(0, 3))
    def move_the_start(self, draw: st.DataObject, ahead: int) -> None:
        """To another day, whatever is under way."""
        person = draw.draw(st.sampled_from(self.people))
        number = draw.draw(st.integers(1, person.subscriptions))
        before = self.store.subscription(person.id, number)
        changes = PatientChanges(
            self.store.scripts, self.store.patients._keyring, self.store.business
        )
        day = before.start + timedelta(days=ahead)
        moved = changes.move(before, day, source="test")
        after = self.store.subscription(person.id, number)
        assert (moved == "ok") == (before.status in {Status.ACTIVE, Status.PAUSED})
        assert after.start == (day if moved == "ok" else before.start)
        assert (after.index, after.status) == (before.index, before.status)

    def _person(self, identifier: str) -> ModelPatient:
        return next(person for person in self.people if person.id == identifier)
