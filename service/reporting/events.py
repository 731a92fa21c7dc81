"""What happened to a patient beside their deliveries, each as staff read it: pure wording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final, Literal

from service.clock import from_ms
from service.inbox.understanding import told
from service.store.audit import Entry
from service.store.conversations import Sent
from service.store.records import Channel
from service.store.reply_records import Reply
from service.store.tasks import Task

Kind = Literal[
    "reply",
    "response",
    "task",
    "consent",
    "opt_out",
    "opt_in",
    "pause",
    "resume",
    "change",
    "mail",
    "retry",
]
"""What an event is; deliveries are of the kind ``delivery``."""

SUPPRESSED: Final[Mapping[str, str]] = {
    "stop": "Opted out",
    "one_click": "Opted out",
    "provider_opt_out": "The provider has the address as opted out",
    "complaint": "Our mail was reported as unwanted",
    "staff": "Stopped",
    "invalid": "The address was found not to work",
    "wrong_number": "Somebody else was said to have this number",
    "died": "The patient was said to have died",
}
"""What became known where an address was suppressed, by the stored reason."""
STATES: Final[Mapping[str, str]] = {
    "queued": "waits to be sent",
    "begun": "is being sent",
    "sent": "was sent",
    "failed": "was refused",
    "unknown": "may have been sent; the provider gave no answer",
    "expired": "came too late and was not sent",
    "suppressed": "was not sent, since the address is suppressed",
}
"""What has become of a message outside of a series, by ``responses.WORDS``."""
MAILS: Final[Mapping[str, str]] = {
    "bounce": "An e-mail came back",
    "delayed": "An e-mail is late, its mail server says,",
    "delivered": "An e-mail arrived, its mail server says,",
    "complaint": "An e-mail was reported as unwanted",
    "not_spam": "An e-mail was reported as wanted after all",
    "leave": "Asked to leave",
    "automatic": "An automatic e-mail came in, from which nothing follows,",
}
"""Mail that came back, by its kind; a reply is told as such."""
_KNOWN: Final = frozenset({"provider_opt_out", "complaint", "invalid", *MAILS})
"""Reasons whose words tell by whom."""
_NAMES: Final[Mapping[Channel, str]] = {"sms": "text", "email": "e-mail"}
_PLURALS: Final[Mapping[Channel, str]] = {"sms": "texts", "email": "e-mail"}
_SOURCES: Final[Mapping[str, str]] = {
    "cli": "by staff",
    "staff": "by staff",
    "page": "on their page",
    "one_click": "by the link in an e-mail",
    "reply": "by a reply",
    "mail": "by e-mail",
    "join": "by joining",
    "carrier": "by the provider",
}
_INTENTS: Final[Mapping[str, str]] = {
    "opt_out": "an opt-out",
    "opt_in": "a wish to come back",
    "help": "a call for help",
    "affirm": "a yes",
    "decline": "a no",
    "check_in": "a rating",
    "urgent": "something urgent",
    "everything": "from everything",
    "wrong_number": "the wrong number",
    "died": "a death",
    "other": "something for a person to read",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Attributes:
        at: when, on the patient's clock.
        outcome: a word that no delivery has.
        reason: a word, or several with commas.
        sentence: the same for staff, in English.
        subscription: where it is about one.
        messages: names in the library of what was said by us.
        rules: names of the rules that understood a reply.
        text: a reply's own words, where they were asked for.
        code: the provider's.
        by: who did it, as the audit has it; empty where that is told by the kind.
        until: when a pause ends by itself, on the patient's clock.
    """

    at: datetime
    kind: Kind
    outcome: str
    reason: str
    sentence: str
    channel: Channel | None = None
    subscription: str | None = None
    messages: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    text: str | None = None
    code: str | None = None
    by: str = ""
    until: datetime | None = None


def of_reply(reply: Reply, at: datetime, text: str | None) -> Event:
    """A message that came in: what was understood, and what was answered."""
    heard = ", ".join(_INTENTS.get(word, word.replace("_", " ")) for word in reply.heard.words)
    if not reply.done:
        answered = "It is not followed yet."
    elif reply.messages:
        answered = f"It was answered: {', '.join(reply.messages)}."
    elif reply.word or reply.opt_out_type:
        answered = "We gave no answer: the provider answers that word."
    else:
        answered = "It got no answer."
    return Event(
        at=at,
        kind="reply",
        outcome="heard",
        reason=",".join(reply.heard.words) or "other",
        sentence=f"They wrote by {_NAMES[reply.channel]}, understood as {heard}. {answered}",
        channel=reply.channel,
        messages=reply.messages,
        rules=told(reply.heard.rules, text or ""),
        text=text,
    )


def of_sent(sent: Sent, at: datetime) -> Event:
    """A message outside of a series: an answer, a confirmation, a link."""
    code = f" (Provider's code {sent.code}.)" if sent.code else ""
    name = _NAMES[sent.channel].capitalize()
    return Event(
        at=at,
        kind="response",
        outcome=f"response_{sent.state}",
        reason=sent.message,
        sentence=f"{name} outside of the series: {sent.message}. It {STATES[sent.state]}.{code}",
        channel=sent.channel,
        messages=(sent.message,),
        code=sent.code or None,
    )


def of_task(task: Task, at: datetime) -> Event:
    """Something that was put before staff."""
    by = f" by {task.by}" if task.by else ""
    return Event(
        at=at,
        kind="task",
        outcome=f"task_{task.state.word}",
        reason=task.kind.value,
        sentence=f"It was put before staff ({task.kind.word}), and is {task.state.word}{by} now.",
    )


def of_consent(consent: Mapping[str, str], zone: tzinfo) -> Event:
    """A consent, by its evidence."""
    channel: Channel = "email" if consent["channel"] == "email" else "sms"
    method = consent.get("method", "unknown")
    wording = f", wording {consent['wording']}" if consent.get("wording") else ""
    return Event(
        at=datetime.fromisoformat(consent["at"]).astimezone(zone),
        kind="consent",
        outcome="consented",
        reason=method,
        sentence=f"Agreed to messages by {_NAMES[channel]} ({method}{wording}).",
        channel=channel,
    )


def of_entry(
    entry: Entry, zone: tzinfo, where: Channel | None, said_by: Channel | None
) -> Event | None:
    """A change that the audit holds; None for what is told otherwise.

    Args:
        entry: the change.
        zone: the patient's.
        where: channel of the address that it is about; None where it is about the patient.
        said_by: channel of the reply that it came from; None where it came from none.
    """
    at = from_ms(entry.at_ms).astimezone(zone)
    found = _told(entry, zone)
    if found is None:
        return None
    kind, outcome, reason, told = found
    by = f"by {_NAMES[said_by]}" if said_by else _source(entry.by)
    came_by = "email" if entry.by.startswith("mail:") else said_by
    what = f"for {_PLURALS[where]}" if where and where != came_by else ""
    parts = ("" if reason in _KNOWN else by, what, f"on {at:%A %d %b %H:%M}")
    return Event(
        at=at,
        kind=kind,
        outcome=outcome,
        reason=reason,
        sentence=f"{' '.join((told, *filter(None, parts)))}.",
        channel=where,
        subscription=entry.on if where is None and "." in entry.on else None,
        code=entry.by.removeprefix("carrier:") if entry.by.startswith("carrier:") else None,
        by=entry.by,
        until=None if entry.until_ms is None else from_ms(entry.until_ms).astimezone(zone),
    )


_PLAIN: Final[Mapping[str, tuple[Kind, str, str]]] = {
    "suppression_lifted": ("opt_in", "opted_in", "Came back"),
    "status_o": ("opt_out", "left", "Left this series"),
    "status_p": ("pause", "paused", "Paused"),
    "status_a": ("resume", "resumed", "Resumed"),
    "restarted": ("resume", "restarted", "A stop of this series was undone"),
    "links_ended": ("change", "links_ended", "Older links to their page ended"),
    "moved_on": ("change", "moved_on", "Moved to another version of the series"),
    "retried": ("retry", "retried", "A delivery was put up for another try"),
}
"""Kind, outcome and words of changes that need no more."""

_CHANGED: Final[Mapping[str, tuple[str, str]]] = {
    "amended": ("changed", "Changed: {},"),
    "moved": ("moved", "Moved this series to begin on {},"),
    "sent_now": ("sent_now", "Had one message sent at once, {},"),
}
"""Outcome of a change, and its words around the reason."""


def _told(entry: Entry, zone: tzinfo) -> tuple[Kind, str, str, str] | None:
    """Kind, outcome, reason and words of a change; None for what is told otherwise."""
    if entry.what == "suppressed":
        known = SUPPRESSED.get(entry.reason, f"Suppressed ({entry.reason})")
        return "opt_out", "opted_out", entry.reason, known
    if entry.what == "reply_corrected" or entry.what in _CHANGED:
        return _changed(entry)
    if entry.what.startswith("mail_") and entry.what.removeprefix("mail_") in MAILS:
        reason = entry.what.removeprefix("mail_")
        return "mail", "mail", reason, MAILS[reason]
    if entry.until_ms is not None:
        until = from_ms(entry.until_ms).astimezone(zone)
        return "pause", "paused", "paused_until", f"Paused until {until:%A %d %b}"
    if entry.what not in _PLAIN:
        return None
    kind, outcome, words = _PLAIN[entry.what]
    reason = entry.reason if kind in {"opt_in", "opt_out"} and entry.reason else outcome
    return kind, outcome, reason, words


def _changed(entry: Entry) -> tuple[Kind, str, str, str]:
    words = entry.reason.split(",")
    if entry.what in _CHANGED:
        outcome, told = _CHANGED[entry.what]
        return "change", outcome, entry.reason, told.format(", ".join(words))
    meant = ", ".join(_INTENTS[word] for word in words if word in _INTENTS)
    return "reply", "corrected", entry.reason, f"What they wrote was put right: it is {meant},"


def _source(by: str) -> str:
    head, _, name = by.partition(":")
    told = _SOURCES.get(head, f"by {head}")
    return f"{told} ({name})" if head in {"cli", "staff"} and name else told
