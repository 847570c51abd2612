"""Waits for text messages that were asked for.

The answer to a request is of the same type as what a phone tells unasked, comes in any number
of packets, and nothing says which one is the last.
"""

import asyncio
from typing import Final

from ....protocols.errors import DisconnectedError
from ....protocols.kdeconnect.plugins.sms import TextMessage, TextMessages

FIRST_WAIT: Final = 5.0
"""Seconds that a phone may take to begin with its answer."""
QUIET_TIME: Final = 0.5
"""Seconds without a further packet after which an answer is complete."""
LONGEST_WAIT: Final = 10.0
"""Seconds after which an answer is complete even if there are further packets."""
MAX_COLLECTED: Final = 2000
"""Messages kept of one answer."""


class Collector:
    """Collects an answer: of one conversation, or else the newest message of each."""

    def __init__(self, thread_id: int | None = None, count: int | None = None) -> None:
        """Wait for at most `count` messages."""
        self._thread_id = thread_id
        self._count = MAX_COLLECTED if count is None else count
        self._found: dict[tuple[int, int], TextMessage] = {}
        self._news = asyncio.Event()
        self._is_lost = False

    @property
    def thread_id(self) -> int | None:
        """The conversation that was asked for, None for all of them."""
        return self._thread_id

    @property
    def messages(self) -> list[TextMessage]:
        """What has come, in no order."""
        return list(self._found.values())

    def received(self, update: TextMessages) -> None:
        """Take what belongs to the answer."""
        if self._thread_id is None:
            self._take_newest(update)
        elif self._thread_id in update.threads:
            for message in update.messages:
                if message.thread_id == self._thread_id and not self._is_full:
                    self._found[message.id, message.date_ms] = message
        elif update.messages:
            return
        # A conversation that there is not has no messages.
        self._news.set()

    def lost(self) -> None:
        """The device has gone."""
        self._is_lost = True
        self._news.set()

    async def async_wait(
        self,
        first: float | None = None,
        quiet: float | None = None,
        longest: float | None = None,
    ) -> None:
        """Wait until the answer is complete; times are in seconds.

        Raises TimeoutError when none begins, DisconnectedError when the device goes.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(FIRST_WAIT if first is None else first):
            await self._news.wait()
        deadline = loop.time() + (LONGEST_WAIT if longest is None else longest)
        pause = QUIET_TIME if quiet is None else quiet
        try:
            while not self._is_full and not self._is_lost:
                self._news.clear()
                async with asyncio.timeout_at(min(deadline, loop.time() + pause)):
                    await self._news.wait()
        except TimeoutError:
            pass
        if self._is_lost:
            raise DisconnectedError("the device has gone")

    @property
    def _is_full(self) -> bool:
        return len(self._found) >= self._count

    def _take_newest(self, update: TextMessages) -> None:
        for message in update.messages:
            key = (message.thread_id, 0)
            known = self._found.get(key)
            if known is None:
                if not self._is_full:
                    self._found[key] = message
            elif (known.date_ms, known.id) <= (message.date_ms, message.id):
                self._found[key] = message
