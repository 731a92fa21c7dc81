"""What happened to a patient in the reader's language, on the patient's clock and the clinic's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Final

from messages.errors import ContentError
from service.reporting.events import Event
from service.reporting.lines import Line
from service.web.language import words
from service.web.when import spoken_day, spoken_time

_GOOD: Final = frozenset({"sent", "delivered", "opted_in", "resumed", "restarted", "consented"})
_BAD: Final = frozenset({"undelivered", "failed", "parked", "opted_out", "left"})
_CARE: Final = frozenset({"unknown", "pending", "skipped", "paused", "not_sent", "task_open"})


@dataclass(frozen=True, slots=True)
class Told:
    """One thing, ready to be shown.

    Attributes:
        at: on the patient's clock, with its zone.
        day: in words.
        time: in words, with the zone's name.
        there: the same at the clinic, where its clock shows another time; else empty.
        head: what it was.
        badge: what became of it; empty where that is all.
        tone: of the badge.
        details: sentences.
        quote: a reply's own words.
    """

    at: datetime
    day: str
    time: str
    there: str
    head: str
    badge: str
    tone: str
    details: tuple[str, ...]
    quote: str


class Teller:
    """Puts it in words.

    Args:
        language: of the reader.
        clinic_zone: None where the clinic's is not known.
        subject: the title of a message by its name.
        name: of a member of staff by the id.
        series: titles of the patient's series by their subscriptions, where they are in several.
    """

    def __init__(
        self,
        language: str,
        clinic_zone: tzinfo | None,
        subject: Callable[[str], str],
        name: Callable[[str], str],
        series: Mapping[str, str] | None = None,
    ) -> None:
        self._language = language
        self._say = words(language)["console_timeline"]
        self._clinic_zone = clinic_zone
        self._subject = subject
        self._name = name
        self._series = series or {}

    def time(self, at: datetime) -> str:
        """A time of day with the name of its zone: ``8:05 pm PST``."""
        return f"{spoken_time(at.time(), self._language)} {at.tzname()}"

    def there(self, at: datetime) -> str:
        """The same at the clinic, where its clock differs."""
        if self._clinic_zone is None:
            return ""
        there = at.astimezone(self._clinic_zone)
        if there.utcoffset() == at.utcoffset():
            return ""
        return self._say["at_clinic"].format(time=self.time(there))

    def told(self, what: Line | Event) -> Told:
        """A delivery or an event."""
        return self.line(what) if isinstance(what, Line) else self._event(what)

    def line(self, line: Line) -> Told:
        """A delivery: past, under way, or to come."""
        at = line.ended or line.expected or line.due
        if at is None:  # a day without a delivery is never asked for here
            raise ValueError("a line of a timeline has a time")
        channel = self._say[f"channel_{line.channel}"] if line.channel else ""
        head = "delivery" if channel and line.outcome != "skipped" else "delivery_skipped"
        details = [self._of(line.subscription), self._reason(line)]
        if line.code:
            details.append(self._say["code"].format(code=line.code))
        return self._made(
            at,
            self._say[head].format(message=self._subject(line.message or ""), channel=channel),
            self._say[f"outcome_{line.outcome}"],
            line.outcome,
            details,
        )

    def _of(self, subscription: str | None) -> str:
        title = self._series.get(subscription or "", "")
        return self._say["of_series"].format(title=title) if title else ""

    def _reason(self, line: Line) -> str:
        own = self._say.get(f"state_{line.outcome}", "")
        if own or not line.reason:
            return own
        return self._say.get(f"reason_{line.reason}", line.sentence)

    def _event(self, event: Event) -> Told:
        badge, details = "", [self._of(event.subscription), self._by(event)]
        match event.kind:
            case "reply" if event.outcome == "heard":
                head, details = self._reply(event)
            case "response":
                head = self._say["response"].format(
                    message=self._subject(event.reason), channel=self._channel(event)
                )
                badge = self._say[event.outcome]
            case "task":
                kind = event.reason.replace(" ", "_")
                head = self._say["task"].format(kind=self._say.get(f"task_{kind}", kind))
                badge = self._say[event.outcome]
            case _:
                head = self._change(event)
        if event.code:
            details.append(self._say["code"].format(code=event.code))
        return self._made(event.at, head, badge, event.outcome, details, event.text or "")

    def _channel(self, event: Event) -> str:
        return self._say[f"channel_{event.channel}"] if event.channel else ""

    def _reply(self, event: Event) -> tuple[str, list[str]]:
        say = self._say
        details = [say["understood"].format(intents=self._intents(event.reason))]
        if event.messages:
            named = ", ".join(self._subject(each) for each in event.messages)
            details.append(say["answered"].format(messages=named))
        return say["reply"].format(channel=self._channel(event)), details

    def _intents(self, reason: str) -> str:
        said = (self._say.get(f"intent_{each}", each) for each in reason.split(","))
        return ", ".join(said)

    def _change(self, event: Event) -> str:
        say, reason = self._say, event.reason
        filled = self._filled(event)
        if filled is not None:
            key, values = filled
            return say[key].format(**values)
        known = (f"{event.outcome}_{reason}", f"{event.kind}_{reason}", event.outcome)
        return next((say[each] for each in known if each in say), event.sentence)

    def _filled(self, event: Event) -> tuple[str, dict[str, str]] | None:
        """Words with places for values, and the values; None where there are none to fill in."""
        say, reason, found = self._say, event.reason, None
        match event.outcome:
            case "consented":
                method = words(self._language)["consent"].get(reason, reason)
                channels = say[f"channels_{event.channel}"]
                found = "consent", {"channels": channels, "method": method}
            case "corrected":
                found = "corrected", {"intents": self._intents(reason)}
            case "changed":
                fields = ", ".join(say.get(f"field_{each}", each) for each in reason.split(","))
                found = "changed", {"fields": fields}
            case "moved":
                found = "moved", {"day": spoken_day(date.fromisoformat(reason), self._language)}
            case "sent_now":
                found = "sent_now", {"message": self._subject(reason)}
            case "paused" if event.until is not None:
                found = "paused_until", {"day": spoken_day(event.until.date(), self._language)}
        return found

    def _by(self, event: Event) -> str:
        """Who did it, and for which channel, where that is told."""
        parts = []
        if event.channel and event.kind in {"opt_out", "opt_in", "mail"}:
            channels = self._say[f"channels_{event.channel}"]
            parts.append(self._say["for_channel"].format(channels=channels))
        head, _, name = event.by.partition(":")
        if head:
            named = self._name(name) if head == "staff" else name or head
            form = self._say.get(f"by_{head}", self._say["by_other"])
            parts.append(form.format(name=named))
        told = ", ".join(parts)
        return f"{told[:1].upper()}{told[1:]}." if told else ""

    def _made(
        self,
        at: datetime,
        head: str,
        badge: str,
        outcome: str,
        details: list[str],
        quote: str = "",
    ) -> Told:
        short = outcome.removeprefix("response_")
        tones = {"good": _GOOD, "bad": _BAD, "care": _CARE}
        tone = next((tone for tone, known in tones.items() if short in known), "quiet")
        return Told(
            at=at,
            day=spoken_day(at.date(), self._language),
            time=self.time(at),
            there=self.there(at),
            head=head,
            badge=badge,
            tone=tone,
            details=tuple(filter(None, details)),
            quote=self._say["reply_quoted"].format(text=quote) if quote else "",
        )


def titles(blocks: Callable[[str, str], Mapping[str, str]], language: str) -> Callable[[str], str]:
    """The title of a message by its name: the subject of its e-mail, else the name itself."""

    def title(message: str) -> str:
        try:
            return blocks(message, language).get("subject") or message.replace("-", " ")
        except ContentError:  # it has left the library, or was never written in that language
            return message.replace("-", " ")

    return title
