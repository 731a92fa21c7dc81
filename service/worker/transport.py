"""Celery's Redis transport, for a worker that outlives whatever its broker goes through.

Three things end a worker of kombu 5.7, or leave it running and silent: a broker that dies while a
task has been taken and not begun; a broker that answers but takes no writes (a replica after a
fail-over, a full disk or memory); and an acknowledgement that fails while the queue can still be
read, for then the task's place among those prefetched is never free again. A drain that is lost is
queued anew by the tick, and one that is handed out twice claims what is due or nothing.
"""

from __future__ import annotations

from kombu.transport import TRANSPORT_ALIASES, redis, virtual
from redis.exceptions import ResponseError


class _QoS(redis.QoS):
    """What was taken and is not acknowledged; a failure at the broker leaves nothing here."""

    def ack(self, delivery_tag: str) -> None:
        """Take a task as done here even where the broker cannot be told; Celery logs that."""
        try:
            super().ack(delivery_tag)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def restore_unacked_once(self, stderr: object = None) -> None:
        """Give back what was not begun, at the end; not where there is no connection any more."""
        if self.channel.connection.client is not None:
            super().restore_unacked_once(stderr)


class _Channel(redis.Channel):
    QoS = _QoS


class Transport(redis.Transport):
    """``redis://``, ``rediss://`` and ``redis+socket://``; what a broker refuses is an outage."""

    Channel = _Channel
    connection_errors = (*redis.Transport.connection_errors, ResponseError)


class _SentinelChannel(redis.SentinelChannel):
    QoS = _QoS


class SentinelTransport(redis.SentinelTransport):
    """``sentinel://``, the same."""

    Channel = _SentinelChannel
    connection_errors = (*redis.SentinelTransport.connection_errors, ResponseError)


def register() -> None:
    """Have every broker URL of Redis lead to these."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
    TRANSPORT_ALIASES["sentinel"] = f"{__name__}:SentinelTransport"
