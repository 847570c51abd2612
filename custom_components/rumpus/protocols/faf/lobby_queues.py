"""The queues of a lobby's matchmaker (the FAF reference, section 7.3)."""

from dataclasses import replace
from typing import Final

from .events import LobbyEvent, QueueChanged, QueueRemoved
from .models import Queue

MAX_QUEUES: Final = 64
"""Queues that are kept; a lobby has about five."""
STEADY: Final = 1.0
"""Seconds by which the time of a round may move without being another time: each message
has it anew, by another two decimals and another delay on its way."""
MAX_SILENCE: Final = 300.0
"""Seconds after its round when a queue is there no more: every round is followed by a
message, and by one more for the next round after three minutes at most."""


class QueueTable:
    """Queues by their name, merged from messages that tell of some only."""

    def __init__(self) -> None:
        """Begin without queues."""
        self.queues: dict[str, Queue] = {}

    def is_full_for(self, name: str) -> bool:
        """Whether there is no room for another queue."""
        return len(self.queues) >= MAX_QUEUES and name not in self.queues

    def put(self, queue: Queue) -> list[LobbyEvent]:
        """Keep what is known of a queue now, and return what to tell of it."""
        before = self.queues.get(queue.name)
        if before is not None and abs(before.pop_at - queue.pop_at) < STEADY:
            queue = replace(queue, pop_at=before.pop_at, pop_time=before.pop_time)
            if queue == before:
                return []
        self.queues[queue.name] = queue
        return [QueueChanged(queue)]

    def expire(self, now: float) -> list[LobbyEvent]:
        """Forget the queues that the server has stopped to tell of."""
        gone = [
            queue for queue in self.queues.values() if queue.pop_at + MAX_SILENCE < now
        ]
        return self._remove(gone)

    def clear(self) -> list[LobbyEvent]:
        """Forget all queues."""
        return self._remove(list(self.queues.values()))

    def _remove(self, queues: list[Queue]) -> list[LobbyEvent]:
        for queue in queues:
            del self.queues[queue.name]
        return [QueueRemoved(queue) for queue in queues]
