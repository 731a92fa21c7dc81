"""Stores as earlier releases wrote them: every key, its type and its content, and what is expected.

``releases/<release>.json`` was written by that release, in the middle of its work. It is never
written anew: a release that cannot go on from it loses what it finds when it is installed.
"""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import redis

HERE = Path(__file__).parent / "releases"
RELEASES = sorted(path.stem for path in HERE.glob("*.json"))


def read(release: str) -> dict[str, Any]:
    """A recording: ``keys``, ``secret_keys``, ``task``, ``patients`` by what they went through."""
    recording: dict[str, Any] = json.loads((HERE / f"{release}.json").read_text("utf-8"))
    return recording


def snapshot(client: redis.Redis) -> dict[str, dict[str, Any]]:
    """Every key of a store: its type, its content in base64, and whether it expires."""
    found: dict[str, dict[str, Any]] = {}
    for key in sorted(cast("list[bytes]", client.keys("*"))):
        kind = cast("bytes", client.type(key)).decode()
        found[key.decode()] = {
            "type": kind,
            "expires": client.pttl(key) > 0,
            "content": _content(client, key, kind),
        }
    return found


def _content(client: redis.Redis, key: bytes, kind: str) -> Any:  # noqa: ANN401 - as JSON has it
    match kind:
        case "string":
            return _text(cast("bytes", client.get(key)))
        case "hash":
            fields = cast("dict[bytes, bytes]", client.hgetall(key))
            return {name.decode(): _text(value) for name, value in sorted(fields.items())}
        case "zset":
            rows = cast("list[tuple[bytes, float]]", client.zrange(key, 0, -1, withscores=True))
            return {member.decode(): score for member, score in rows}
        case "list":
            return [_text(item) for item in cast("list[bytes]", client.lrange(key, 0, -1))]
        case "stream":
            entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrange(key))
            return [
                [at.decode(), {name.decode(): _text(value) for name, value in fields.items()}]
                for at, fields in entries
            ]
    raise AssertionError(f"a key of type {kind}")


def play_back(client: redis.Redis, keys: dict[str, dict[str, Any]]) -> None:
    """Write a recorded store into an empty one; what expired then expires in an hour."""
    for name, key in keys.items():
        content = key["content"]
        match key["type"]:
            case "string":
                client.set(name, _bytes(content))
            case "hash":
                client.hset(name, mapping={field: _bytes(v) for field, v in content.items()})
            case "zset":
                client.zadd(name, content)
            case "list":
                client.rpush(name, *(_bytes(item) for item in content))
            case "stream":
                for at, fields in content:
                    client.xadd(name, {field: _bytes(v) for field, v in fields.items()}, id=at)
        if key["expires"]:
            client.expireat(name, int(time.time()) + 3600)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
