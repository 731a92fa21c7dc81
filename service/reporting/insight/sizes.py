"""How many segments the library's texts take."""

from __future__ import annotations

from messages.catalog import Catalog
from messages.errors import ContentError
from messages.render import Renderer
from messages.sample import sample_context


class Sizes:
    """Counts each message once, with made-up values of a usual length."""

    def __init__(self, catalog: Catalog, renderer: Renderer) -> None:
        self._catalog = catalog
        self._renderer = renderer
        self._known: dict[str, int] = {}

    def segments(self, message: str) -> int:
        """Segments of a message's text, in the language that takes the most; 1 if it has none."""
        if message not in self._known:
            self._known[message] = self._counted(message)
        return self._known[message]

    def _counted(self, message: str) -> int:
        try:
            languages = self._catalog[message].languages
            texts = (self._renderer.sms(message, each, sample_context(each)) for each in languages)
            return max((text.segments for text in texts), default=1)
        except ContentError:
            return 1
