"""What the store's errors mean: sentences for those that are its state, with what to do."""

from __future__ import annotations

import re

import redis
from redis.exceptions import (
    AskError,
    ClusterError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    SlotNotCoveredError,
    TryAgainError,
)
from redis.sentinel import MasterNotFoundError

_SENTENCES: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    (
        (redis.BusyLoadingError,),
        "The store is loading its data after a start. Try again in a moment.",
    ),
    (
        (redis.TimeoutError,),
        "The store did not answer in time. Look at its load and disk, then try again.",
    ),
    (
        (MasterNotFoundError,),
        (
            "No Sentinel that answers names a primary of the store that is up. If that does not "
            "pass within seconds, look at the Sentinels and at the servers they watch."
        ),
    ),
    (
        (redis.ConnectionError,),
        "The store cannot be reached: {error}. See that it runs, then try again.",
    ),
    (
        (ReadOnlyError,),
        (
            "The store's server has become a read-only replica. Try again; if it stays so, point "
            "AFTERVISIT_REDIS_URL at the primary."
        ),
    ),
    (
        (OutOfMemoryError,),
        "The store is out of memory and takes no writes. Raise maxmemory, then try again.",
    ),
    (
        (ClusterError, AskError, TryAgainError, SlotNotCoveredError),
        "The store's cluster is changing or incomplete. Try again in a moment.",
    ),
    (
        (RedisClusterException,),
        (
            "The store's cluster cannot be used: {error}. See that its nodes run as a cluster, "
            "then try again."
        ),
    ),
)
_STATE_SENTENCES = {
    "MISCONF": "The store cannot write to its disk and takes no writes. Free the disk, then try "
    "again.",
    "NOREPLICAS": "The store lacks the replicas it is told to have, and takes no writes. Bring "
    "them back, then try again.",
    "BUSY": "The store is busy with a long script. Try again in a moment.",
    "UNKILLABLE": "The store is busy with a long script. Try again in a moment.",
}
_STATE = re.compile(rf"(?:^|: )({'|'.join(_STATE_SENTENCES)})\b")


def root_of(error: Exception) -> Exception:
    """The error that a node answered with, where redis-py's cluster client wrapped it."""
    while isinstance(error, RedisClusterException) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    return error


def unavailable(error: Exception) -> str | None:
    """What to tell of an error that is the server's state, None for one that is our fault."""
    for kinds, sentence in _SENTENCES:
        if isinstance(error, kinds):
            return sentence.format(error=str(error).rstrip("."))
    code = _STATE.search(str(error))
    return _STATE_SENTENCES[code[1]] if code else None
