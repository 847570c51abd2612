"""What carries the messages: a TCP connection, or the tunnel in AirPlay."""

from collections.abc import Callable
from typing import Protocol

from ..errors import RumpusError

type Received = Callable[[bytes], None]
"""Takes one serialized ProtocolMessage; it does not raise."""
type Closed = Callable[[RumpusError | None], None]
"""Takes why the connection ended; None when the peer closed it in order."""


class MessageTransport(Protocol):
    """A way to send messages to a device and to get its messages."""

    @property
    def is_connected(self) -> bool:
        """Whether messages can be sent."""

    def start(self, received: Received, closed: Closed) -> None:
        """Begin to hand over messages; those that came before are not lost.

        `closed` is called once, unless `close` was called first.
        """

    def send(self, message: bytes) -> None:
        """Send one serialized ProtocolMessage. Raises DisconnectedError."""

    async def close(self) -> None:
        """End the connection; never raises, and may be called again."""
