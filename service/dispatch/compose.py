"""From a decision to a message ready to go: wording, sender, links, receipts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from messages.email import Envelope, compose
from messages.render import Renderer, Skeleton
from schedules.series import Series
from service.carriers.base import OutgoingEmail, OutgoingText
from service.clinics import Clinic
from service.clock import from_ms
from service.dispatch.return_paths import ReturnPaths
from service.dispatch.senders import Sender, Senders
from service.errors import ConfigurationError
from service.preferences.links import link_to, seal
from service.store.keyring import Index, KeyRing
from service.store.records import Channel, Patient, Subscription

UNSUBSCRIBE = "unsubscribe"
"""Purpose of the tokens in ``/u/<token>``; they hold an address's digest, never the address."""
RETRY_FRAGMENT = "#rc=3&rp=all"
"""Twilio: retry this webhook three times on any failure; the fragment is not sent to us."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What identifies one intended message to a patient.

    Attributes:
        message: name in the library.
        channel: the one channel it goes by.
        attempt: id of the attempt that would carry it.
        at_ms: business ms UTC, for the Date header.
        validity_s: how long the provider may hold a text; None for e-mail.
        links_ended: from the patient's record; a link to their page is made under it.
    """

    patient: Patient
    subscription: Subscription
    series: Series
    message: str
    channel: Channel
    attempt: str
    at_ms: int
    validity_s: int | None
    links_ended: int = 0


class Composer:
    """Renders deliveries into outgoing messages; reads nothing but what it was given.

    Attributes:
        return_paths: by which mail comes back; None where it goes to the sender.
    """

    def __init__(
        self,
        renderer: Renderer,
        clinics: Mapping[str, Clinic],
        senders: Senders,
        keyring: KeyRing,
        index: Index,
        public_url: str | None,
        *,
        receipts: bool,
        return_paths: ReturnPaths | None = None,
    ) -> None:
        self._renderer = renderer
        self._clinics = clinics
        self._senders = senders
        self._keyring = keyring
        self._index = index
        self._public_url = public_url or ""
        self._receipts = receipts
        self.return_paths = return_paths
        # A text is the same for every patient of a clinic: names are in e-mails only.
        self._texts: dict[tuple[str, str, str, str, int], str] = {}
        self._skeletons: dict[tuple[str, str, str, str, int], Skeleton] = {}

    def clinic(self, patient: Patient) -> Clinic:
        """The patient's clinic.

        Raises:
            ConfigurationError: it has left the clinics file.
        """
        return self.clinic_named(patient.clinic)

    def clinic_named(self, identifier: str) -> Clinic:
        """A clinic by its id.

        Raises:
            ConfigurationError: it has left the clinics file.
        """
        clinic = self._clinics.get(identifier)
        if clinic is None:
            raise ConfigurationError(
                f"The clinic {identifier} of a patient is not in the clinics file; put it back."
            )
        return clinic

    def sender(self, patient: Patient, channel: Channel) -> Sender:
        """Who a patient's message of a channel goes out as."""
        return self.sender_of(self.clinic(patient), channel)

    def sender_of(self, clinic: Clinic, channel: Channel) -> Sender:
        """Who a clinic's messages of a channel go out as.

        Raises:
            ConfigurationError: it has no sender for that channel.
        """
        return self._senders.of(clinic, channel)

    def text(self, delivery: Delivery) -> OutgoingText:
        """A text, ready but for the instant at which it is begun.

        Raises:
            ContentError: the message cannot be rendered.
        """
        patient = delivery.patient
        clinic, series = self.clinic(patient), delivery.series
        known = (delivery.message, patient.language, clinic.id, series.name, series.version)
        body = self._texts.get(known)
        if body is None:
            context = self.context(clinic, series, patient.language)
            body = self._renderer.sms(delivery.message, patient.language, context).text
            self._texts[known] = body
        callback = None
        if self._receipts:
            callback = (
                f"{self._public_url}/webhooks/twilio/status?a={delivery.attempt}{RETRY_FRAGMENT}"
            )
        return OutgoingText(
            attempt=delivery.attempt,
            to=patient.phone or "",
            body=body,
            sender=self.sender(patient, "sms").address,
            validity_s=delivery.validity_s or 0,
            status_callback=callback,
            begun_at=0.0,
        )

    def body_digest(self, body: str) -> str:
        """A keyed hash of a text, by which it is found again in the provider's list."""
        return self._index.digest("body", body)

    def email(self, delivery: Delivery) -> OutgoingEmail:
        """An e-mail, ready but for the instant at which it is begun.

        Raises:
            ContentError: the message cannot be rendered.
        """
        patient, clinic = delivery.patient, self.clinic(delivery.patient)
        recipient = patient.email or ""
        mailbox = self._index.digest("email", recipient)
        unsubscribe = self._unsubscribe_url(mailbox)
        content = self._skeleton(delivery, clinic).letter(
            {
                "given_name": patient.given_name,
                "unsubscribe_url": unsubscribe,
                "page_url": self.page_url([(patient.id, delivery.links_ended)], delivery.at_ms),
            }
        )
        sender = self.sender(patient, "email")
        domain = sender.address.rpartition("@")[2]
        # The same delivery has the same Message-ID whenever it is composed: should a clinic choose
        # to resend an ambiguous one, mailboxes can tell.
        name = self._index.digest("message", f"{delivery.subscription.id}.{delivery.message}")
        message_id = f"<{name}@{domain}>"
        paths, attempt = self.return_paths, delivery.attempt
        inbox = paths if clinic.email_replies == "inbox" else None
        envelope = Envelope(
            sender=sender.address,
            sender_name=sender.name,
            recipient=recipient,
            message_id=message_id,
            date=from_ms(delivery.at_ms),
            list_id=f"tips.{clinic.id}.{domain}",
            unsubscribe_url=unsubscribe,
            unsubscribe_mailto=paths.leave_uri(mailbox) if paths else None,
            reply_to=inbox.reply(attempt, patient.id) if inbox else None,
        )
        return OutgoingEmail(
            attempt=attempt,
            to=recipient,
            sender=paths.bounce(attempt) if paths else sender.address,
            content=compose(content, envelope),
            message_id=message_id,
            begun_at=0.0,
            mailbox=mailbox,
        )

    def _skeleton(self, delivery: Delivery, clinic: Clinic) -> Skeleton:
        series, language = delivery.series, delivery.patient.language
        known = (delivery.message, language, clinic.id, series.name, series.version)
        skeleton = self._skeletons.get(known)
        if skeleton is None:
            context = self.context(clinic, series, language)
            skeleton = self._renderer.skeleton(delivery.message, language, context)
            self._skeletons[known] = skeleton
        return skeleton

    def unsubscribe_url(self, recipient: str) -> str:
        """The one-click address of a mailbox (RFC 8058)."""
        return self._unsubscribe_url(self._index.digest("email", recipient))

    def _unsubscribe_url(self, mailbox: str) -> str:
        return f"{self._public_url}/u/{self._keyring.seal_token(UNSUBSCRIBE, mailbox.encode())}"

    def page_url(self, people: Sequence[tuple[str, int]], now_ms: int) -> str:
        """The address of the page of one patient, or of several who share an address.

        Args:
            people: ids, each with ``PatientFields.links_ended``.
            now_ms: business ms UTC.
        """
        return f"{self._public_url}/p/{seal(self._keyring, link_to(people, now_ms))}"

    def context(self, clinic: Clinic, series: Series, language: str) -> dict[str, str]:
        """The variables of a message that are the same for every patient of a clinic."""
        words = series.words(language)
        return {
            "given_name": "",
            "clinic_name": clinic.name,
            "clinic_phone": clinic.phone,
            "clinic_address": clinic.postal_address,
            "emergency_number": clinic.emergency_number,
            "crisis_line": clinic.crisis_line,
            "series_title": words.title,
            "frequency": words.frequency,
            "unsubscribe_url": self._public_url,
            "link": self._public_url,
            "task": "-",
            "choices": "-",
            "answer": "-",
            "page_url": f"{self._public_url}/p",
        }
