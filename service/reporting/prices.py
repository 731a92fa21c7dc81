"""What messages cost a clinic: the one place that prices come from."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

_PLACES: Final = Decimal("0.0001")
"""Providers price a segment in hundredths of a cent."""


class Prices(BaseModel):
    """What a clinic's providers charge, as its part of the clinics file tells.

    Attributes:
        sms_segment: for one segment of a text, carriers' fees included.
        email: for one e-mail.
        currency: ISO 4217, three letters.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sms_segment: Annotated[Decimal, Field(ge=0, le=100)]
    email: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(0)
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"

    def cost(self, *, segments: int = 0, emails: int = 0) -> Decimal:
        """What that many segments of texts and that many e-mails cost together, unrounded."""
        return self.sms_segment * segments + self.email * emails


def shown(cost: Decimal, currency: str) -> str:
    """A cost for people: ``0.0079 USD`` of one message, ``12.40 USD`` from a unit on."""
    if abs(cost) >= 1 or cost == cost.quantize(Decimal("0.01")):
        return f"{cost:,.2f} {currency}"
    return f"{cost.quantize(_PLACES).normalize():f} {currency}"
