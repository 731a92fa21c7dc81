"""All checks of an installation, in the order in which to mend things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.clock import SystemClock
from service.doctor import dispatching, machine, returning, senders, servers, ticking
from service.doctor.sentences import refused
from service.errors import ConfigurationError, StoreUnavailable
from service.store import connection
from service.store.embedded import broker_url
from service.store.server_check import FORM, check_server
from service.store.set_check import check_set

if TYPE_CHECKING:
    from service.clock import MachineClock
    from service.findings import Finding
    from service.settings import Settings


def diagnose(
    settings: Settings, *, connect: bool = False, clock: MachineClock | None = None
) -> list[Finding]:
    """Look at everything; sends nothing, shows no secret and no patient.

    An embedded store that rests is started for the time it takes; nothing else is changed.

    Args:
        settings: the installation's.
        connect: greet the mail server, too.
        clock: this machine's.
    """
    clock = clock or SystemClock()
    clinic_finding, clinics = senders.clinics(settings)
    return [
        machine.releases(),
        *machine.data_directory(settings),
        machine.zones(),
        *machine.clocks(settings, clock),
        *_store_and_keys(settings, clock),
        *senders.carriers(settings),
        clinic_finding,
        *senders.alerts(clinics),
        senders.public_url(settings),
        *senders.twilio(settings, clinics),
        *senders.mail(settings, clinics, connect=connect),
        *returning.mail(settings, clinics, connect=connect),
    ]


def _store_and_keys(settings: Settings, clock: MachineClock) -> list[Finding]:
    """The servers, and whether the store and the keys belong together."""
    found: list[Finding] = []
    broker = settings.broker_url
    try:
        with servers.store_url(settings) as url:
            if url is None:
                found.append(servers.unstarted())
            else:
                found += _store(settings, clock, url)
                found.append(_broker(broker, url))
                return found
    except (StoreUnavailable, ConfigurationError) as error:
        found.append(refused("store", error))
    found.append(machine.keys(settings, begun=False)[0])
    if broker:
        found.append(servers.broker(broker))
    return found


def _broker(url: str | None, store: str) -> Finding:
    try:
        return servers.broker(url or broker_url(store))
    except ConfigurationError as error:
        return refused("broker", error)


def _store(settings: Settings, clock: MachineClock, url: str) -> list[Finding]:
    """A store that should answer.

    Raises:
        StoreUnavailable: it does not.
        ConfigurationError: its URL or our password is wrong.
    """
    with connection.connect(url) as client:
        found = check_server(client)
        if any(finding.name == FORM for finding in found):
            return found
        found += [*check_set(client), *servers.packing(client)]
        begun = servers.has_record(client)
        key_finding, ring = machine.keys(settings, begun=begun)
        record = servers.record(client, ring)
        found += [key_finding, record, *servers.clocks(client, settings, clock)]
        found += ticking.beat(client, clock)
    if begun and record.status == "ok":
        found += dispatching.records(settings, url)
    return found
