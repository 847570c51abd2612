"""A session as MRP's client sees it (the Apple TV reference, part A, section 6.6)."""

import asyncio
from collections.abc import Awaitable, Callable
import logging
from typing import Final

from ..errors import DisconnectedError, RumpusError
from .data_channel import DataChannel, MessageReceived
from .wire import Closed

_LOGGER: Final = logging.getLogger(__name__)


class Tunnel:
    """The MessageTransport through AirPlay: messages both ways, and their end."""

    def __init__(self, close: Callable[[], Awaitable[None]]) -> None:
        """Prepare; closing it closes the session."""
        self._close = close
        self._channel: DataChannel | None = None
        self._closed: Closed | None = None
        self._has_ended = False
        self._error: RumpusError | None = None

    @property
    def is_connected(self) -> bool:
        """Whether messages can be sent."""
        return (
            not self._has_ended
            and self._channel is not None
            and self._channel.is_connected
        )

    def attach(self, channel: DataChannel) -> None:
        """Use that channel, which is connected."""
        self._channel = channel

    def start(self, received: MessageReceived, closed: Closed) -> None:
        """Begin to hand over messages; those that came before are not lost.

        `closed` is called once, unless `close` is called first: with the reason, or None
        when the device ended the session in order. When that has happened already, it is
        called soon.
        """
        if self._channel is None:
            raise RuntimeError("The session has never been up")
        self._closed = closed
        if self._has_ended:
            asyncio.get_running_loop().call_soon(self._tell)
        else:
            self._channel.start(received)

    def send(self, message: bytes) -> None:
        """Send one serialized message. Raises DisconnectedError, MessageTooLargeError."""
        if self._has_ended or self._channel is None:
            raise DisconnectedError("Not connected")
        self._channel.send(message)

    async def close(self) -> None:
        """End the whole session. Never raises, and may be called again."""
        self._has_ended = True
        self._closed = None
        await self._close()

    def end(self, error: RumpusError | None) -> None:
        """Tell that the session has ended; the first reason counts."""
        if not self._has_ended:
            self._has_ended = True
            self._error = error
        self._tell()

    def _tell(self) -> None:
        closed, self._closed = self._closed, None
        if closed is None:
            return
        try:
            closed(self._error)
        except Exception:  # nothing of the session may be left open because of that
            _LOGGER.exception("Who was told of the end of a session has failed")
