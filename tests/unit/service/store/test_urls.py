"""The forms of a Redis URL, and what is said of one that has none of them."""

from __future__ import annotations

import pytest

from service.errors import ConfigurationError
from service.store.embedded import broker_url
from service.store.urls import RedisUrl, read_url


@pytest.mark.parametrize(
    "url", ["redis://h/0", "rediss://u:p@h:1/2", "unix:///path/to/socket?db=1", "redis://[::1]/0"]
)
def test_one_server_is_left_to_redis_py(url: str) -> None:
    assert read_url(url) == RedisUrl("server")


def test_a_cluster_is_some_of_its_nodes() -> None:
    read = read_url("redis+cluster://user:p%40ss@h1,h2:7000,[::1]:7001")
    assert read.form == "cluster"
    assert read.hosts == (("h1", 6379), ("h2", 7000), ("::1", 7001))
    assert read.options == {"username": "user", "password": "p@ss"}
    assert not read.tls


def test_a_set_is_its_sentinels_its_name_and_a_database() -> None:
    read = read_url("redis+sentinel://:pw@h1,h2:5/my%20set/3?sentinel_password=other")
    assert (read.form, read.service) == ("sentinel", "my set")
    assert read.hosts == (("h1", 26379), ("h2", 5))
    assert read.options == {"password": "pw", "db": 3}
    assert read.sentinel_options == {"password": "other"}


def test_what_is_told_of_certificates_holds_for_sentinels_too() -> None:
    read = read_url("rediss+sentinel://h1/drip?ssl_ca_certs=/ca.pem")
    assert read.tls
    assert read.options == {"db": 0, "ssl_ca_certs": "/ca.pem"}
    assert read.sentinel_options == {"ssl_ca_certs": "/ca.pem"}


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://user:secret@host", "give redis://"),
        ("redis://user:secret@a,b/0", "redis\\+cluster://"),
        ("redis+cluster://", "host:port"),
        ("redis+cluster://:secret@h:port", "host:port"),
        ("redis+cluster://:secret@h/2", "only the database 0"),
        ("redis+cluster://:secret@h?db=2", "only the database 0"),
        ("redis+sentinel://:secret@h", "name of the set"),
        ("redis+sentinel://:secret@h/drip/one", "is a number"),
        ("redis+sentinel://:secret@h:99999/drip", "host:port"),
    ],
)
def test_any_other_is_refused_with_an_example(url: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as raised:
        read_url(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["redis+cluster://h", "redis+sentinel://h/drip"])
def test_a_store_of_several_servers_needs_a_broker_of_its_own(url: str) -> None:
    with pytest.raises(ConfigurationError, match="Set AFTERVISIT_BROKER_URL to amqp://"):
        broker_url(url)
