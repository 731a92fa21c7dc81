"""Whether a server is fit to be the store: its version, memory policy, durability and role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from service.errors import ConfigurationError
from service.findings import Finding, Status
from service.store.cluster import ClusterClient
from service.store.connection import appendfsync, has_waitaof, store_errors
from service.store.urls import EXAMPLES

if TYPE_CHECKING:
    import redis

FORM = "store: form"
"""The finding where the URL is in the form for something else: nothing more can be asked then."""
_WEIGHT: tuple[Status, ...] = ("ok", "warning", "problem")
OLDEST = (7, 0)
"""The oldest Redis that will do; every Valkey passes as 7.2 or newer."""


def check_server(client: redis.Redis) -> list[Finding]:
    """Look at a server that is to be the store, or at every primary of a cluster.

    Raises:
        StoreUnavailable: it does not answer.
        ConfigurationError: it refuses our password.
    """
    with store_errors(client):
        if not isinstance(client, ClusterClient):
            return _check_one(client)
        return _worst({name: _check_one(node, alone=False) for name, node in client.primaries()})


def _check_one(client: redis.Redis, *, alone: bool = True) -> list[Finding]:
    facts: dict[str, Any] = client.info()
    mode = facts.get("redis_mode") or facts.get("server_mode") or "standalone"  # Redis; Valkey
    if alone and mode != "standalone":
        return [_other_form(mode)]
    policy = appendfsync(client)
    waitaof = has_waitaof(client)
    return [_version(facts), _role(facts), _eviction(facts), *_durability(facts, policy, waitaof)]


def _worst(found: Mapping[str, list[Finding]]) -> list[Finding]:
    """One finding of each name, of the node that is worst off."""
    worst: dict[str, Finding] = {}
    for node, findings in found.items():
        for finding in findings:
            told = replace(finding, detail=f"{node}: {finding.detail}")
            before = worst.setdefault(finding.name, told)
            if _WEIGHT.index(told.status) > _WEIGHT.index(before.status):
                worst[finding.name] = told
    return list(worst.values())


def _other_form(mode: str) -> Finding:
    what, form = "a Sentinel", EXAMPLES["sentinel"]
    if mode == "cluster":
        what, form = "one node of a cluster", EXAMPLES["cluster"]
    return Finding(
        FORM,
        "problem",
        f"AFTERVISIT_REDIS_URL points at {what}, as if it were the store by itself.",
        f"Give it in the form {form}.",
    )


def require_fit(client: redis.Redis) -> list[Finding]:
    """The same at the start of a process: the warnings, to be logged.

    Raises:
        StoreUnavailable: it does not answer.
        ConfigurationError: the server will not do; says what to change.
    """
    findings = check_server(client)
    for finding in findings:
        if finding.status == "problem":
            raise ConfigurationError(f"{finding.detail} {finding.remedy}")
    return [finding for finding in findings if finding.status == "warning"]


def _version(facts: dict[str, Any]) -> Finding:
    name = "store: version"
    if "valkey_version" in facts:
        return Finding(name, "ok", f"Valkey {facts['valkey_version']}.")
    version = str(facts.get("redis_version", "unknown"))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if numbers >= OLDEST:
        return Finding(name, "ok", f"Redis {version}.")
    return Finding(
        name, "problem", f"The store's Redis is {version}.", "Use Redis 7.0 or newer, or Valkey."
    )


def _role(facts: dict[str, Any]) -> Finding:
    if facts.get("role") == "master":
        return Finding("store: role", "ok", f"Primary, {facts['connected_slaves']} replicas.")
    return Finding(
        "store: role",
        "problem",
        "The store's server is a replica and takes no writes.",
        "Point AFTERVISIT_REDIS_URL at the primary.",
    )


def _eviction(facts: dict[str, Any]) -> Finding:
    name, policy = "store: eviction", facts.get("maxmemory_policy")
    if policy == "noeviction":
        return Finding(name, "ok", "The store throws nothing away (noeviction).")
    if policy is None:
        return Finding(
            name,
            "warning",
            "The server does not tell what it does when its memory is full.",
            "Check with whoever runs it that maxmemory-policy is noeviction.",
        )
    return Finding(
        name,
        "problem",
        f"The store's maxmemory-policy is {policy}: when memory is full it would silently throw "
        f"away patients and opt-outs.",
        "Set maxmemory-policy noeviction on that server.",
    )


def _durability(facts: dict[str, Any], policy: str | None, waitaof: bool) -> list[Finding]:  # noqa: FBT001
    name = "store: durability"
    if not facts.get("aof_enabled"):
        return [
            Finding(
                name,
                "problem",
                "The store keeps no append-only file: a restart of the server would lose opt-outs.",
                "Set appendonly yes and appendfsync always on that server.",
            )
        ]
    found = [_sync(name, policy, waitaof)]
    if facts.get("aof_last_write_status", "ok") != "ok":
        found.append(
            Finding(
                "store: disk",
                "problem",
                "The store's last write to its append-only file failed.",
                "Free or mend the disk of that server.",
            )
        )
    return found


def _sync(name: str, policy: str | None, waitaof: bool) -> Finding:  # noqa: FBT001
    if policy == "always":
        return Finding(name, "ok", "Every write is on disk before it is answered (always).")
    told = f"appendfsync is {policy}" if policy else "The server does not tell its appendfsync"
    if waitaof:
        return Finding(
            name,
            "warning",
            f"{told}, so each opt-out waits for the disk (WAITAOF): it is as safe, but answers to "
            f"opt-outs take up to a second or two.",
            "Set appendfsync always on that server for fast webhooks.",
        )
    if policy is None:
        return Finding(
            name,
            "warning",
            f"{told}, and it has no WAITAOF to ask instead.",
            "Check with whoever runs it that appendfsync is always, or use Redis 7.2 or newer.",
        )
    return Finding(
        name,
        "problem",
        f"{told}, and this Redis has no WAITAOF: a power cut would lose acknowledged opt-outs.",
        "Set appendfsync always on that server, or use Redis 7.2 or newer, or Valkey.",
    )
