"""A small library on disk, written message by message."""

from collections.abc import Callable
from pathlib import Path

import pytest

WriteMessage = Callable[..., Path]

TOML = """\
strand = "lifestyle"
topic = "walking"
sources = ["feet:lifestyle-strategies"]
reviewed = 2026-11-21
"""

EN = """\
{% block subject %}A short walk after dinner{% endblock %}
{% block sms %}{{ clinic_name }}: Walk ten minutes after dinner.{% endblock %}
{% block email %}
Walk for **ten minutes** after dinner.
{% endblock %}
"""


def blocks(subject: str = "A subject", sms: str = "A text", email: str = "A body") -> str:
    return (
        f"{{% block subject %}}{subject}{{% endblock %}}\n"
        f"{{% block sms %}}{sms}{{% endblock %}}\n"
        f"{{% block email %}}{email}{{% endblock %}}\n"
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    library = tmp_path / "library"
    library.mkdir()
    return library


@pytest.fixture
def write(root: Path) -> WriteMessage:
    def write_message(
        name: str = "evening-walk", toml: str | None = TOML, **languages: str
    ) -> Path:
        folder = root / name
        folder.mkdir()
        if toml is not None:
            (folder / "message.toml").write_text(toml, "utf-8")
        for language, text in (languages or {"en": EN}).items():
            (folder / f"{language}.jinja").write_text(text, "utf-8")
        return folder

    return write_message
