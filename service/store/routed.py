"""Pipelines on a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.client import Pipeline

if TYPE_CHECKING:
    from service.store.cluster import ClusterClient
    from service.store.lines import Command


class RoutedPipeline(Pipeline):
    """A pipeline whose commands go to the nodes that hold their keys, one round trip for each."""

    def __init__(self, client: ClusterClient, *, transaction: bool) -> None:
        super().__init__(client.connection_pool, client.response_callbacks, transaction, None)
        self._client = client
        self._at_once = transaction

    def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - redis-py's own
        """Send all; their answers in order.

        Raises:
            redis.RedisError: a node cannot be reached; a command may have been done.
            TypeError: a transaction over several slots, or a command without a key.
        """
        commands = list(self.command_stack)
        self.reset()
        if not commands:
            return []
        slots = [self._client.slot_of(words) for words, _ in commands]
        if self._at_once:
            return self._execute_at_once(commands, slots, raise_on_error=raise_on_error)
        answers = self._client.run(commands, slots)
        if raise_on_error:
            self.raise_first_error(commands, answers)  # type: ignore[no-untyped-call]
        return answers

    def _execute_at_once(
        self, commands: list[Command], slots: list[int], *, raise_on_error: bool
    ) -> list[Any]:
        if len(set(slots)) > 1:
            raise TypeError("a transaction has all its keys in one slot")
        pipeline = self._client.node_of(slots[0])[1].pipeline(transaction=True)
        for words, options in commands:
            pipeline.execute_command(*words, **options)  # type: ignore[no-untyped-call]
        return list(pipeline.execute(raise_on_error))
