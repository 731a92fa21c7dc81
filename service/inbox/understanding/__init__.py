"""What an inbound text means. Pure: nothing is read but the rule files beside the code."""

from service.inbox.understanding.intents import Intent, Understanding, understand

__all__ = ["Intent", "Understanding", "understand"]
