"""Members of staff by name, for pages that tell who did what."""

from __future__ import annotations

from service.accounts.members import SOURCE
from service.web.console.access import Visit


class Names:
    """Looks each member up once a page."""

    def __init__(self, visit: Visit) -> None:
        self._accounts = visit.core.accounts
        self._known = {visit.member.id: visit.member.name}

    def member(self, identifier: str) -> str:
        """The name of a member; the id where they are gone."""
        return self._found(identifier) or identifier

    def by(self, source: str) -> str:
        """The name of a member by the source that the audit has; empty where it is nobody's."""
        return self._found(source.removeprefix(SOURCE)) if source.startswith(SOURCE) else ""

    def _found(self, identifier: str) -> str:
        if identifier not in self._known:
            found = self._accounts.find(identifier)
            self._known[identifier] = found.name if found else ""
        return self._known[identifier]
