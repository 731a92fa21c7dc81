"""Put right what was understood of a message: record it first, then do what it really asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from schedules.check_ins import Trend
from service.errors import AftervisitError, InvalidInput, NotFound, StoreUnavailable
from service.inbox.answers import Answers
from service.inbox.arrived import Arrived
from service.inbox.care import Care
from service.inbox.desk import Desk, kinds_of
from service.inbox.leaving import Leaving, reason_of
from service.inbox.lifting import RESTORED, Lifting
from service.inbox.meanings import Meaning, require_allowed
from service.inbox.people import Person
from service.inbox.rating import Ratings
from service.store.check_ins import CheckIn
from service.store.conversations import Conversations
from service.store.corrections import Corrections, Counts
from service.store.replies import Replies
from service.store.reply_records import Correction, Heard, Reply
from service.store.suppressions import Suppressions
from service.store.tasks import TaskKind

log = structlog.get_logger(__name__)

GRACE_MS: Final = 10_000
"""A correction that is open for longer was cut off, or is followed twice, which is harmless."""
OPEN_AT_ONCE: Final = 100


class Overtaken(AftervisitError):
    """Somebody else has put the message right meanwhile; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """What became of a correction.

    Attributes:
        reply: with it.
        did: what changed, in words: ``suppressed``; ``came_back``: nothing was stopped, since they
            wrote START after it; those of ``lifting.Lifted``; ``rated``, ``unrated``.
    """

    reply: Reply
    did: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CorrectingParts:
    """What corrections work on."""

    replies: Replies
    corrections: Corrections
    conversations: Conversations
    suppressions: Suppressions
    answers: Answers
    leaving: Leaving
    care: Care
    desk: Desk
    ratings: Ratings


@dataclass(frozen=True, slots=True)
class _Scene:
    """A message among those of its address.

    Attributes:
        others: what else was written from there.
        at_ms: when it was received, business ms UTC; 0 where that is no longer known.
    """

    people: Sequence[Person]
    others: Sequence[Reply]
    at_ms: int


class Correcting:
    """The use case behind the console."""

    def __init__(self, parts: CorrectingParts) -> None:
        self._parts = parts
        self._lifting = Lifting(parts.suppressions)

    def correct(
        self,
        address: str,
        identifier: str,
        meaning: Meaning,
        *,
        number: int,
        by: str,
        why: str = "",
        patient: str = "",
    ) -> Corrected:
        """Record what a message means and do what follows from it; all of it durable.

        What was understood at first stays on record beside it. Given once more, it is the same.

        Args:
            address: digest of the address it came from.
            identifier: the message's.
            meaning: what it means.
            number: of corrections that stood when that was decided.
            by: who says so: ``staff:<id>``.
            why: in their words; needed where somebody did not mean to leave.
            patient: whose rating it is, where several share the address.

        Raises:
            InvalidInput: that cannot be; nothing was changed.
            NotFound: there is no such message.
            Overtaken: somebody else was first.
            StoreUnavailable: not, or not wholly, done; ask again, it is idempotent.
        """
        reply = self._parts.replies.read(address, identifier)
        if reply is None:
            raise NotFound("There is no such message.")
        if not reply.done:
            raise StoreUnavailable("The message is being followed; try again in a moment.")
        known = reply.correction
        theirs = known.patient if known else ""
        if Meaning.of(reply.meant) == meaning and patient in {"", theirs}:
            return self._complete(reply) if known and not known.done else Corrected(reply, ())
        if number != (known.number if known else 0):
            raise Overtaken("Somebody else has put this message right; look at it again.")
        require_allowed(reply, meaning, why)
        scene = self._scene(reply)
        rated = self._rated(reply, meaning, scene, patient)
        heard, counts = _recorded(reply, meaning, scene.others)
        recorded = self._parts.corrections.record(
            reply, heard, by=by, why=why.strip(), patient=rated, counts=counts
        )
        if recorded is None:
            raise Overtaken("Somebody else has put this message right; look at it again.")
        return self._complete(recorded)

    def finish_open(self, now_ms: int) -> int:
        """Complete what a crash cut off between a correction's record and its effects; how many.

        Args:
            now_ms: machine ms UTC. Everything older than ``GRACE_MS`` is looked at, however old.

        Raises:
            StoreUnavailable: what is left stays open.
        """
        finished = 0
        found = self._parts.replies.open_before(now_ms - GRACE_MS, OPEN_AT_ONCE, corrected=True)
        for reply in found:
            try:
                self._complete(reply)
            except StoreUnavailable:
                raise
            except AftervisitError as error:
                log.error("correction_stays_open", reply=reply.id, fault=str(error))
                continue
            except Exception as error:  # noqa: BLE001 - one must not hold up the others
                log.error("correction_stays_open", reply=reply.id, fault=type(error).__name__)
                continue
            finished += 1
        return finished

    def _scene(self, reply: Reply) -> _Scene:
        people = self._parts.answers.people(self._parts.suppressions.patients(reply.address))
        said = self._parts.conversations.of(reply.address)
        replies = [(each.what, each.at_ms) for each in said if isinstance(each.what, Reply)]
        at_ms = next((at for other, at in replies if other.id == reply.id), 0)
        return _Scene(people, [other for other, _ in replies if other.id != reply.id], at_ms)

    def _rated(self, reply: Reply, meaning: Meaning, scene: _Scene, patient: str) -> str:
        """Whose rating it is; empty where it is none.

        Raises:
            InvalidInput: that is not certain.
        """
        if meaning.rating is None:
            return ""
        on_it = [person.contact.id for person in scene.people]
        if patient:
            if patient not in on_it:
                raise InvalidInput("patient", "patient_elsewhere", "Choose who uses this address.")
            return patient
        for one in on_it:
            if self._parts.ratings.holds(one, reply.id):
                return one
        asked = self._parts.care.asked(scene.people, scene.at_ms)
        if asked is not None:
            return asked[0].contact.id
        raise InvalidInput(
            "patient", "patient_missing", "Say whose rating it is: that cannot be told by itself."
        )

    def _complete(self, reply: Reply) -> Corrected:
        correction = reply.correction
        assert correction is not None  # noqa: S101 - every caller has looked
        scene = self._scene(reply)
        meant = replace(
            reply,
            heard=correction.heard,
            stops=reply.counted[-1] if reply.counted else 0,
            by=correction.by,
            new=False,
        )
        arrived = Arrived(
            meant,
            self._parts.answers.clinic(reply.clinic, scene.people),
            scene.people,
            awaited=False,
            content=lambda: self._parts.replies.content(reply),
        )
        did = self._of_the_ledger(reply, arrived, correction, scene)
        rated, going = self._rate(reply, correction, scene)
        wanted, before = kinds_of(correction.heard), kinds_of(correction.before)
        wanted |= {TaskKind.WORSE} if going is Trend.WORSE else set()
        before |= {TaskKind.WORSE} if correction.before.says("check_in") else set()
        self._parts.desk.suit(arrived, wanted, before)
        self._parts.corrections.done(reply)
        did += [rated] if rated else []
        log.info("reply_corrected", reply=reply.id, means=list(correction.heard.words), did=did)
        return Corrected(replace(reply, correction=replace(correction, done=True)), tuple(did))

    def _of_the_ledger(
        self, reply: Reply, arrived: Arrived, correction: Correction, scene: _Scene
    ) -> list[str]:
        """Stop, or take a stop back, first of all: nothing may hold that up."""
        meant = arrived.reply
        told = [each.heard for each in self._parts.corrections.of(reply)]
        given = {reason_of(each) for each in (reply.heard, *told) if each.says("opt_out")}
        if correction.heard.says("opt_out") or correction.heard.says(RESTORED):
            before = correction.before
            if not (correction.stops[-1] or before.says("opt_out") or before.says(RESTORED)):
                return ["came_back"]
            self._parts.leaving.stop(meant)
            wrong = given - {reason_of(correction.heard)}
            if wrong:
                self._lifting.lift_beside(meant, wrong)
            return ["suppressed"]
        did: list[str] = []
        if given:
            lifted = self._lifting.lift(
                replace(reply, by=correction.by),
                given,
                others=scene.others,
                people=scene.people,
            )
            did.append(lifted)
        if correction.heard.says("opt_in") and not correction.before.says("opt_in"):
            # Arrival does not tell whether a stop has come since: the provider's own time does.
            start = replace(meant, stops=correction.stood, via="list")
            message = self._parts.leaving.start(replace(arrived, reply=start))
            did.append({"rejoined": "lifted", "": "kept_stop"}.get(message, "kept"))
        return did

    def _rate(
        self, reply: Reply, correction: Correction, scene: _Scene
    ) -> tuple[str, Trend | None]:
        """Have the message hold the rating that it means, of whom it is, and of nobody else."""
        rating, ratings = correction.heard.check_in, self._parts.ratings
        did = ""
        for person in scene.people:
            patient = person.contact.id
            if (rating is None or patient != correction.patient) and ratings.holds(
                patient, reply.id
            ):
                ratings.remove(patient, reply.id)
                did = "unrated"
        whose = next((p for p in scene.people if p.contact.id == correction.patient), None)
        if rating is None or whose is None:
            return did, None
        at_ms = scene.at_ms or correction.at_ms
        topic, number = self._parts.care.question(whose, at_ms)
        check_in = CheckIn(reply.id, topic, rating, at_ms, number)
        return "rated", ratings.put(whose.contact.id, check_in)


def _recorded(reply: Reply, meaning: Meaning, others: Sequence[Reply]) -> tuple[Heard, Counts]:
    """What is recorded of a correction, and whether it is one more stop or a start."""
    now, heard = reply.meant, meaning.heard
    came_back = any(o.meant.says("opt_in") and o.at_ms > reply.at_ms for o in others)
    stops_now = now.says("opt_out") or now.says(RESTORED)
    if heard.says("opt_out"):
        return heard, "" if now.says("opt_out") or came_back else "out"
    if heard.says("opt_in"):
        return heard, "" if now.says("opt_in") else "in"
    took_back = reply.heard.says("opt_in") or now.says("opt_in")
    if took_back and _stood(reply) and not came_back:
        # As a start it lifted what a stop had done: that stop stands again.
        return replace(heard, words=(*heard.words, RESTORED)), "" if stops_now else "out"
    return heard, ""


def _stood(reply: Reply) -> int:
    """How many stops stood before a start."""
    own = reply.stops if reply.heard.says("opt_in") else 0
    return max(own, reply.correction.stood if reply.correction else 0)
