"""A clinics file of two clinics, in two time zones."""

from __future__ import annotations

from pathlib import Path
from typing import Final

RIVERSIDE: Final = """
[[clinic]]
id = "riverside"
name = "Riverside Vein Clinic"
phone = "(503) 555-0100"
postal_address = "12 River Street, Portland, OR 97201"
state = "OR"
timezone = "America/Los_Angeles"
"""
HILLSIDE: Final = """
[[clinic]]
id = "hillside"
name = "Hillside Clinic"
phone = "(212) 555-0100"
postal_address = "3 Hill Street, New York, NY 10001"
state = "NY"
timezone = "America/New_York"
"""
TO_RIVERSIDE: Final = "+15005550006"
TO_HILLSIDE: Final = "+15005550009"
"""The number that each texts from, where they have one each."""


def two_clinics(
    directory: Path, *, segment_price: float | None = None, own_senders: bool = False
) -> Path:
    """The file.

    Args:
        directory: where it is to be.
        segment_price: what a segment costs Riverside; Hillside tells none.
        own_senders: each texts from a number of its own.
    """
    riverside, hillside = RIVERSIDE, HILLSIDE
    if own_senders:
        riverside += f'sms_from = "{TO_RIVERSIDE}"\n'
        hillside += f'sms_from = "{TO_HILLSIDE}"\n'
    if segment_price is not None:
        riverside += f"prices = {{ sms_segment = {segment_price} }}\n"
    path = directory / "clinics.toml"
    path.write_text(riverside + hillside, "utf-8")
    return path
