"""Mails in the shapes of the usual mail servers, bound to an address of a test's own."""

from __future__ import annotations

from pathlib import Path

CORPUS = Path(__file__).parents[1] / "corpus" / "mail"
_TOKENS = ("bounces", "reply", "leave")


def letter(name: str, *, path: str = "", message_id: str = "") -> bytes:
    """One mail of the corpus, with CRLF line ends.

    Args:
        name: of its file, without the suffix.
        path: the signed address that it is to be about.
        message_id: another one than its own.
    """
    text = (CORPUS / f"{name}.eml").read_text("utf-8")
    for head in _TOKENS:
        text = text.replace(f"{head}+TOKEN@mail.clinic.example", path or f"{head}+TOKEN@x.example")
    if message_id:
        head, _, rest = text.partition("\n\n")
        lines = [line for line in head.split("\n") if not line.lower().startswith("message-id:")]
        text = "\n".join([*lines, f"Message-ID: <{message_id}>"]) + "\n\n" + rest
    return text.replace("\n", "\r\n").encode()
