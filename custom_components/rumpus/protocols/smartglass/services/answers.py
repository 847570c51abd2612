"""Waiting for what the console answers to one request."""

import asyncio

from ...errors import DisconnectedError, PeerTimeoutError, RumpusError


class Answer[T]:
    """An answer that somebody waits for; only the first one given counts."""

    def __init__(self) -> None:
        """Begin without an answer."""
        self._future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    @property
    def is_given(self) -> bool:
        """Whether waiting is over."""
        return self._future.done()

    def give(self, value: T) -> None:
        """Answer."""
        if not self._future.done():
            self._future.set_result(value)

    def fail(self, error: RumpusError) -> None:
        """Let whoever waits fail."""
        if not self._future.done():
            self._future.set_exception(error)
            # Looked at, so that asyncio does not complain when nobody waits any more.
            self._future.exception()

    def lose(self) -> None:
        """Let whoever waits know that the channel is gone."""
        self.fail(DisconnectedError("The channel was closed in the meantime"))

    async def wait(self, seconds: float) -> T:
        """Return the answer; raise PeerTimeoutError without one, or what `fail` was told."""
        await asyncio.wait((self._future,), timeout=seconds)
        if not self._future.done():
            raise PeerTimeoutError("The console did not answer in time")
        return self._future.result()
