"""What Celery is given for the broker that the settings name."""

from __future__ import annotations

import pytest

from service.errors import ConfigurationError
from service.worker.app import make_app
from service.worker.brokers import Broker, broker_of


@pytest.mark.parametrize("url", ["amqp://u:p@h:5672//", "redis://h/1", "redis+socket:///s?v=1"])
def test_celerys_own_urls_are_left_as_they_are(url: str) -> None:
    assert broker_of(url) == Broker(url)


def test_sentinels_become_celerys_list_of_them() -> None:
    broker = broker_of("redis+sentinel://me:p%40@h1:1,[::1]:2/drip/3?sentinel_password=x")
    assert broker.url == "sentinel://me:p%40@h1:1/3;sentinel://me:p%40@[::1]:2/3"
    assert broker.options == {"master_name": "drip", "sentinel_kwargs": {"password": "x"}}


def test_celery_is_told_the_name_of_the_set() -> None:
    app = make_app("redis+sentinel://h1,h2/drip")
    assert app.conf.broker_url == "sentinel://h1:26379/0;sentinel://h2:26379/0"
    assert app.conf.broker_transport_options["master_name"] == "drip"


@pytest.mark.parametrize(
    "url",
    ["redis+cluster://:secret@h", "rediss+sentinel://:secret@h/drip", "sentinel://:secret@h:1/0"],
)
def test_what_celery_cannot_use_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"AFTERVISIT_BROKER_URL.*redis\+sentinel") as told:
        broker_of(url)
    assert "secret" not in str(told.value)
