"""How a route gets at the use cases."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from service.bootstrap import Core


async def _core(request: Request) -> Core:
    return cast("Core", request.app.state.core)


CoreOf = Annotated[Core, Depends(_core)]
"""The open core, as a parameter of a route."""
