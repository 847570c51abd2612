"""Waiting for something to be reported after the device was asked for it."""

import asyncio
from collections.abc import Callable
from typing import Final

from ..errors import DisconnectedError, PeerTimeoutError, ProtocolError

MAX_WAITING: Final = 64
"""Callers that may wait for the same thing at once."""


class Reports[T]:
    """Reports of one kind, and who waits for the next one."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._waiting: set[asyncio.Future[T]] = set()

    def report(self, value: T) -> None:
        """Wake all who wait, with what was reported."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(value)
        self._waiting.clear()

    def fail(self) -> None:
        """Wake all who wait, as the connection is gone."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(DisconnectedError("The device has disconnected"))
        self._waiting.clear()

    async def after(
        self, ask: Callable[[], None], matches: Callable[[T], bool], timeout: float
    ) -> T:
        """Ask, and return the first report that matches.

        Raises what asking raises, DisconnectedError and PeerTimeoutError.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise ProtocolError("Too many wait for the same thing")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                waiter: asyncio.Future[T] = loop.create_future()
                self._waiting.add(waiter)
                try:
                    ask()
                    while not matches(value := await waiter):
                        waiter = loop.create_future()
                        self._waiting.add(waiter)
                finally:
                    self._waiting.discard(waiter)
        except TimeoutError:
            raise PeerTimeoutError("The device did not report the change") from None
        return value
