"""Celery's brokers: most URLs are Celery's own; a Redis watched by Sentinels has our form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from service.errors import ConfigurationError
from service.store.urls import EXAMPLES, RedisUrl, read_url


@dataclass(frozen=True)
class Broker:
    """What Celery is to connect to.

    Attributes:
        url: in Celery's words.
        options: transport options that belong to it.
    """

    url: str
    options: dict[str, Any] = field(default_factory=dict)


def broker_of(url: str) -> Broker:
    """Read ``AFTERVISIT_BROKER_URL``.

    Raises:
        ConfigurationError: Celery can use no such broker; says what else to give.
    """
    scheme = url.partition("://")[0]
    if scheme == "sentinel":
        raise ConfigurationError(
            f"AFTERVISIT_BROKER_URL names no set. Give {EXAMPLES['sentinel']}, the Sentinels as "
            f"for AFTERVISIT_REDIS_URL."
        )
    if not scheme.endswith(("+cluster", "+sentinel")):
        return Broker(url)
    try:
        read = read_url(url)
    except ValueError as error:
        raise ConfigurationError(f"AFTERVISIT_BROKER_URL cannot be read: {error}.") from None
    if read.form == "cluster" or read.tls:
        what = "a cluster" if read.form == "cluster" else "a set with Sentinels over TLS"
        raise ConfigurationError(
            f"Celery cannot use {what} as its broker. Give AFTERVISIT_BROKER_URL another server: "
            f"amqp://user:password@host:5672// (RabbitMQ), redis://host:6379/1, rediss://, or "
            f"{EXAMPLES['sentinel']}."
        )
    return _watched(read)


def _watched(read: RedisUrl) -> Broker:
    account = ""
    if read.options.get("password"):
        user = quote(read.options.get("username", ""), safe="")
        account = f"{user}:{quote(read.options['password'], safe='')}@"
    places = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in read.hosts]
    database = read.options.get("db", 0)
    options: dict[str, Any] = {"master_name": read.service}
    if read.sentinel_options:
        options["sentinel_kwargs"] = dict(read.sentinel_options)
    return Broker(";".join(f"sentinel://{account}{place}/{database}" for place in places), options)
