"""The forms of a Redis URL: one server, a cluster, a set watched by Sentinels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis.connection import parse_url

Form = Literal["server", "cluster", "sentinel"]

_FORMS: Final[dict[str, tuple[Form, str, int]]] = {
    "redis+cluster": ("cluster", "redis", 6379),
    "rediss+cluster": ("cluster", "rediss", 6379),
    "redis+sentinel": ("sentinel", "redis", 26379),
    "rediss+sentinel": ("sentinel", "rediss", 26379),
}
"""Scheme -> form, the scheme of its connections, the default port."""
EXAMPLES: Final[dict[Form, str]] = {
    "server": "redis://host:6379/0, rediss://user:password@host:6379/0 or "
    "unix:///path/to/socket?db=0",
    "cluster": "redis+cluster://user:password@host1:6379,host2:6379",
    "sentinel": "redis+sentinel://user:password@host1:26379,host2:26379,host3:26379/service-name/0",
}


@dataclass(frozen=True)
class RedisUrl:
    """A Redis URL, read.

    Attributes:
        form: what is behind it.
        hosts: of a cluster some of its nodes, of a Sentinel set its Sentinels; of one server none,
            as redis-py reads that URL itself.
        service: the name that the Sentinels know the set by.
        tls: whether connections are encrypted, those to the Sentinels included.
        options: what redis-py is to connect to the servers with: user, password, database, TLS.
        sentinel_options: the same for the Sentinels, which have users of their own.
    """

    form: Form
    hosts: tuple[tuple[str, int], ...] = ()
    service: str = ""
    tls: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    sentinel_options: Mapping[str, Any] = field(default_factory=dict)


def read_url(url: str) -> RedisUrl:
    """Read a Redis URL.

    Raises:
        ValueError: it has none of the forms; the sentence gives an example and no secret.
    """
    scheme = url.partition("://")[0]
    if scheme not in _FORMS:
        if scheme not in {"redis", "rediss", "unix"} or "," in _split(url)[0]:
            raise ValueError(f"give {'; or '.join(EXAMPLES.values())}")
        return RedisUrl("server")
    form, plain, port = _FORMS[scheme]
    try:
        return _several(url, form, plain, port)
    except ValueError as error:
        raise ValueError(f"{error}; give it as {EXAMPLES[form]}") from None


def _several(url: str, form: Form, plain: str, default_port: int) -> RedisUrl:
    hosts_part, rest = _split(url)
    parts = urlsplit(f"//any{rest}")
    account, _, listed = hosts_part.rpartition("@")
    hosts = tuple(_host(text, default_port) for text in listed.split(","))
    service, _, database = parts.path.strip("/").partition("/")
    query = dict(parse_qsl(parts.query))
    own = {name: query.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    if form == "cluster":
        service, database = "", service
        if database.strip("0") or query.get("db", "0").strip("0"):
            raise ValueError("a cluster has only the database 0")
    elif not service:
        raise ValueError("the name of the set, as its Sentinels know it, is missing")
    if database and not database.isdecimal():
        raise ValueError("the database is a number")
    netloc = f"{account}@any" if account else "any"
    options = dict(parse_url(f"{plain}://{netloc}/{database or 0}?{urlencode(query)}"))  # type: ignore[no-untyped-call]
    for name in ("host", "connection_class", *(("db",) if form == "cluster" else ())):
        options.pop(name, None)
    encryption = {name: value for name, value in options.items() if name.startswith("ssl_")}
    account_there = {name: value for name, value in own.items() if value}
    return RedisUrl(
        form, hosts, unquote(service), plain == "rediss", options, encryption | account_there
    )


def _split(url: str) -> tuple[str, str]:
    """What stands between ``//`` and the path, and the rest; several hosts are not one netloc."""
    behind = url.partition("://")[2]
    end = min(place for sign in "/?#" if (place := f"{behind}{sign}".find(sign)) >= 0)
    return behind[:end], behind[end:]


def _host(text: str, default_port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host:
        raise ValueError("each host is given as host:port, with commas between them")
    return host, port or default_port
