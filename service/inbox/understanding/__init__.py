"""What an inbound text means. Pure: nothing is read but the files beside the code."""

from service.inbox.understanding.intents import (
    Intent,
    Understanding,
    understand,
    understand_by_rules,
)
from service.inbox.understanding.likeness import told

__all__ = ["Intent", "Understanding", "told", "understand", "understand_by_rules"]
