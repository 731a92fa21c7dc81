"""The use cases that are about one patient, for staff and for the patient's own page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from messages.catalog import Catalog
from service.bootstrap.open_store import OpenStore
from service.clinics import Clinic
from service.preferences.access import PageAccess
from service.preferences.asking import PageRequests
from service.preferences.choices import Choices
from service.preferences.overview import Overviews
from service.reporting.explain import Explain
from service.reporting.happened import Happened, Records
from service.staff.details import PatientDetails
from service.staff.erasure import Erasure
from service.staff.holdings import Holdings
from service.staff.subscriptions import Staff
from service.store.audit import Audit
from service.store.changes import PatientChanges


class ForPatients(OpenStore):
    """Built lazily on an open store.

    Attributes:
        clinics: by their ids.
    """

    clinics: Mapping[str, Clinic]

    @cached_property
    def catalog(self) -> Catalog:
        """The message library."""
        return Catalog.load()

    @cached_property
    def changes(self) -> PatientChanges:
        """Changes of patients' records."""
        return PatientChanges(self.scripts, self.keyring, self.business)

    @cached_property
    def staff(self) -> Staff:
        """Pauses, resumes and stops for a patient."""
        return Staff(self.patients, self.suppressions, self.business)

    @cached_property
    def details(self) -> PatientDetails:
        """Changes what a patient told about themselves."""
        return PatientDetails(self.patients, self.changes, self.catalog)

    @cached_property
    def audit(self) -> Audit:
        """What was changed, or seen, by whom."""
        return Audit(self.client, self.business, self.machine)

    @cached_property
    def explain(self) -> Explain:
        """What was sent to patients, what was not and why, and what happened besides."""
        records = Records(
            self.patients,
            self.suppressions,
            self.conversations,
            self.replies,
            self.audit,
        )
        return Explain(self.patients, Happened(records), self.business)

    @cached_property
    def holdings(self) -> Holdings:
        """Hands over what is held about a patient."""
        return Holdings(
            self.patients,
            self.suppressions,
            self.check_ins,
            self.conversations,
            self.replies,
            self.explain,
            self.business,
        )

    @cached_property
    def erasure(self) -> Erasure:
        """Erases patients."""
        return Erasure(
            self.patients, self.changes, self.suppressions, self.conversations, self.tasks
        )

    @cached_property
    def page_access(self) -> PageAccess:
        """Opens links to patients' pages."""
        days = self.settings.page_link_days
        return PageAccess(self.patients, self.changes, self.keyring, self.business, days)

    @cached_property
    def choices(self) -> Choices:
        """What patients decide on their page."""
        return Choices(self.patients, self.suppressions, self.tasks)

    @cached_property
    def page_requests(self) -> PageRequests:
        """Sends links to patients' pages."""
        return PageRequests(
            self.patients,
            self.suppressions,
            self.page_access,
            self.responses,
            self.limits,
            self.clinics,
            self.machine,
            self.settings.public_base,
        )

    @cached_property
    def overviews(self) -> Overviews:
        """What patients' pages show."""
        return Overviews(self.patients, self.clinics, self.catalog, self.business)
