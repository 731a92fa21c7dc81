"""Members of staff as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

_COLOURS = {"active": "green", "invited": "yellow", "disabled": "dim"}


def table(rows: Sequence[Mapping[str, object]]) -> RenderableType:
    """Members, a line each."""
    if not rows:
        return Text("Nobody can sign in yet. Invite somebody: aftervisit staff invite --help")
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("Name", "E-mail", "Role", "Clinics", "Standing", "2nd step"):
        shown.add_column(name, overflow="fold")
    for row in rows:
        clinics = row["clinics"]
        standing = str(row["standing"])
        shown.add_row(
            str(row["name"]),
            str(row["email"]),
            str(row["role"]),
            ", ".join(clinics) if isinstance(clinics, list) else "all",
            Text(standing, style=_COLOURS.get(standing, "")),
            "yes" if row["second_factor"] else "no",
        )
    return shown
