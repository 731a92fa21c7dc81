"""An inbound message as it is recorded, and the compact texts it is stored as.

A record is one hash in the partition of the address it came from (see ``PartitionKeys.reply``).
Its fields: ``a`` address, ``h`` channel, ``i`` what was understood, ``ci`` the check-in it holds,
``ru`` the rules that said so, ``k`` keyword, ``w`` the provider's own keyword, ``o``
``OptOutType``, ``g`` clinic, ``v`` how we learned of it, ``at`` when it was received, ``n`` stops
before it, ``as`` messages of its address within an hour before it, ``c`` the encrypted text with
its addresses, ``d`` set once its effects are complete, ``m`` and ``r`` the answers' names and
encrypted text. Of its corrections by staff: ``xv`` how many, ``xi`` ``xc`` ``xp`` what it means
now, ``xw`` what it meant before, ``xb`` who says so, ``xt`` when (business ms), ``xn`` the number
of each as a stop (0 for none), ``xs`` stops before it where it is a start, ``xd`` set once its
effects are complete, ``xh`` all of them, encrypted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from service.store.records import LETTER, Channel, PatientFields

Via = Literal["webhook", "list"]
UNCLEAR = "?"
"""A check-in that cannot be told: several numbers, a range."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was understood of a message; stored, so that its effects stay what they were.

    Attributes:
        words: intents, in their order, then what more is known: ``everything``,
            ``wrong_number``, ``died``.
        check_in: 0 to 10; None where it holds none, or not one that can be told.
        rules: names of the rules that fired, for staff.
    """

    words: tuple[str, ...]
    check_in: int | None = None
    rules: tuple[str, ...] = ()

    def says(self, word: str) -> bool:
        """Whether a word is among those understood."""
        return word in self.words

    @property
    def keyword(self) -> str:
        """What it asks of the ledger: ``stop``, ``stop_all``, ``start``, ``help``, or nothing."""
        if self.says("opt_out"):
            return "stop_all" if self.says("everything") or self.says("died") else "stop"
        if self.says("opt_in"):
            return "start"
        return "help" if self.says("help") else ""


@dataclass(frozen=True, slots=True)
class NewReply:
    """An inbound message as it is to be recorded.

    Attributes:
        message_id: the provider's id.
        address: digest of the address it came from.
        channel: of that address.
        heard: what was understood of it.
        word: the provider's own keyword that the text is, else empty.
        opt_out_type: what the provider says it did about it, else empty.
        clinic: id of the clinic that it was sent to, empty where that is not certain.
        via: by webhook (or mail), or found in the provider's list.
        at_ms: when it was received, machine ms UTC.
        content: the text and its addresses; encrypted before it is stored.
    """

    message_id: str
    address: str
    channel: Channel
    heard: Heard
    word: str
    opt_out_type: str
    clinic: str
    via: Via
    at_ms: int
    content: Mapping[str, str]

    def fields(self) -> dict[str, str | int]:
        """All but the content, as stored."""
        unclear = UNCLEAR if self.heard.says("check_in") else ""
        number = self.heard.check_in
        return {
            "a": self.address,
            "h": LETTER[self.channel],
            "i": ",".join(self.heard.words),
            "ci": unclear if number is None else number,
            "ru": ",".join(self.heard.rules),
            "k": self.heard.keyword,
            "w": self.word,
            "o": self.opt_out_type,
            "g": self.clinic,
            "v": self.via,
            "at": self.at_ms,
        }


@dataclass(frozen=True, slots=True)
class Correction:
    """What a member of staff says that a message means; the newest, where there are several.

    Attributes:
        number: 1 for the first.
        heard: what it means.
        before: what it was taken for until then, without its rating.
        by: who says so.
        at_ms: business ms UTC.
        stops: for each correction its number among the stops of the address, 0 where it is none.
        stood: where it is a start: stops of the address when that was recorded.
        patient: whose rating it is.
        done: its effects are complete.
    """

    number: int
    heard: Heard
    before: Heard
    by: str
    at_ms: int
    stops: tuple[int, ...]
    stood: int
    patient: str
    done: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """A recorded message.

    Attributes:
        id: keyed hash of the provider's id; fit for logs.
        stops: of its address, this one included, when it was recorded.
        new: whether the call that returned this recorded it.
        asked: how many messages its address has sent lately.
        done: its effects are complete, and ``messages`` and ``answer`` stand.
        messages: names of the answers in the library.
        answer: the answers' text, None where there is none.
        correction: by staff, None where there is none.
        by: who says what it means, where it was not understood but corrected.
    """

    id: str
    address: str
    channel: Channel
    heard: Heard
    word: str
    opt_out_type: str
    clinic: str
    via: Via
    at_ms: int
    stops: int
    new: bool
    asked: int
    done: bool
    messages: tuple[str, ...]
    answer: str | None
    correction: Correction | None = None
    by: str = ""

    @property
    def source(self) -> str:
        """Who says so, for the ledger and the audit."""
        return self.by or f"reply:{self.id}"

    @property
    def counted(self) -> tuple[int, ...]:
        """Its numbers among the stops of its address, one each time that it was taken for one."""
        own = (self.stops,) if self.heard.says("opt_out") else ()
        return (*own, *(filter(None, self.correction.stops) if self.correction else ()))

    @property
    def meant(self) -> Heard:
        """What it means: as corrected, else as it was understood."""
        return self.correction.heard if self.correction else self.heard


@dataclass(frozen=True, slots=True)
class Recorded:
    """A message on record, and what was known of its address when it was put there or found.

    Attributes:
        patients: ids of those entered under the address.
        awaited: whether somebody is joining who has yet to say YES from there.
    """

    reply: Reply
    patients: tuple[str, ...]
    awaited: bool


def reply_of(fields: PatientFields, *, new: bool, asked: int, answer: str | None) -> Reply:
    """Read a record, or one of an earlier release, which knew keywords only."""
    text = {name: fields.text(name) or "" for name in ("a", "w", "o", "g", "m")}
    return Reply(
        id=fields.id,
        address=text["a"],
        channel="email" if fields.text("h") == LETTER["email"] else "sms",
        heard=_heard(fields),
        word=text["w"],
        opt_out_type=text["o"],
        clinic=text["g"],
        via="list" if fields.text("v") == "list" else "webhook",
        at_ms=int(fields.fields["at"]),
        stops=int(fields.fields["n"]),
        new=new,
        asked=asked,
        done="d" in fields.fields,
        messages=_split(text["m"]),
        answer=answer,
        correction=_correction(fields),
    )


_EARLIER: dict[str, tuple[str, ...]] = {
    "stop": ("opt_out",),
    "stop_all": ("opt_out", "everything"),
    "start": ("opt_in",),
    "help": ("help",),
    "": ("other",),
}
"""What a keyword of release 0.1.0 meant."""


def _heard(fields: PatientFields) -> Heard:
    words = fields.text("i")
    if words is None:
        return Heard(_EARLIER[fields.text("k") or ""])
    number = fields.text("ci") or ""
    return Heard(
        _split(words),
        int(number) if number.isdigit() else None,
        _split(fields.text("ru") or ""),
    )


def _correction(fields: PatientFields) -> Correction | None:
    number = fields.text("xv")
    if number is None:
        return None
    rating = fields.text("xc") or ""
    words = _split(fields.text("xi") or "")
    return Correction(
        number=int(number),
        heard=Heard(words, int(rating) if rating else None, ("staff",)),
        before=Heard(_split(fields.text("xw") or "")),
        by=fields.text("xb") or "",
        at_ms=int(fields.text("xt") or 0),
        stops=tuple(map(int, _split(fields.text("xn") or ""))),
        stood=int(fields.text("xs") or 0),
        patient=fields.text("xp") or "",
        done="xd" in fields.fields,
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))
