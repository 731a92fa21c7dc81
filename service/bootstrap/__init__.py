"""The composition root: the only place that builds adapters and wires them into use cases."""

from service.bootstrap.core import Core, StoreUrls, clinics_of, open_core, store_urls
from service.bootstrap.mail import arrivals_of
from service.bootstrap.sending import Dispatch, carriers_of, require_fit_to_send

__all__ = [
    "Core",
    "Dispatch",
    "StoreUrls",
    "arrivals_of",
    "carriers_of",
    "clinics_of",
    "open_core",
    "require_fit_to_send",
    "store_urls",
]
