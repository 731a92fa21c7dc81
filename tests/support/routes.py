"""The routes of the console, as the application has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from service.accounts.roles import Right
from service.bootstrap import Core
from service.web.app import create_app
from service.web.console.access import Needs


@dataclass(frozen=True)
class Route:
    """One way to ask for something of the console."""

    method: str
    path: str
    needs: tuple[Needs, ...]

    @property
    def address(self) -> str:
        """Its path, filled in with what names nothing."""
        return self.of({})

    @property
    def parameters(self) -> list[str]:
        """What its path names."""
        return re.findall(r"\{(\w+)[^}]*\}", self.path)

    def of(self, objects: Mapping[str, str]) -> str:
        """Its path for some objects; what is not among them names nothing."""
        return re.sub(
            r"\{(\w+)[^}]*\}", lambda found: objects.get(found[1], "000000000000"), self.path
        )

    @property
    def right(self) -> Right | None:
        """What it asks for; None where being signed in is enough."""
        (needs,) = self.needs
        return needs.right


def routes_of(core: Core) -> list[Route]:
    """All of the console's, as the application has them."""
    return [
        Route(method, route.path or "", tuple(_needs(route.dependant)))
        for route in iter_route_contexts(create_app(core).routes)
        if (route.path or "").startswith("/console")
        for method in sorted(route.methods or ())
    ]


def _needs(dependant: Dependant) -> Iterator[Needs]:
    if isinstance(dependant.call, Needs):
        yield dependant.call
    for each in dependant.dependencies:
        yield from _needs(each)
