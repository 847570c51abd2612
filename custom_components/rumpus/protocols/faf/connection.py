"""What a connection to a lobby can do, whatever it is made of."""

from typing import Protocol

from ..json_lines import JsonObject


class Connection(Protocol):
    """Messages both ways, over TCP or a WebSocket (the FAF reference, section 4.2)."""

    last_heard: float
    """When the other side last gave a sign of life, as the loop's time in seconds.

    Frames of a WebSocket that carry no message count, too.
    """

    def is_connected(self) -> bool:
        """Tell whether, for all that is known, messages can still be sent."""
        ...

    async def read_message(self) -> JsonObject:
        """Wait for the next message.

        Raises DisconnectedError when none can come any more, and ProtocolError for what is
        no JSON object or is too long.
        """
        ...

    async def send_message(self, message: JsonObject, /) -> None:
        """Write a message and wait until it has left.

        Raises DisconnectedError, ProtocolError.
        """
        ...

    def write_message(self, message: JsonObject, /) -> None:
        """Put a message into the write buffer, for what nobody waits for.

        Raises DisconnectedError, ProtocolError.
        """
        ...

    async def close(self) -> None:
        """Send what is unsent and close, within a second or two. Never raises."""
        ...

    def abort(self) -> None:
        """Drop the connection at once, with all that is unsent."""
        ...


class Connector(Protocol):
    """Makes connections to one lobby, one after another."""

    @property
    def name(self) -> str:
        """What the log calls the lobby; nothing secret."""
        ...

    async def connect(self) -> Connection:
        """Return a new connection.

        Raises DisconnectedError when there is none to be had, PeerTimeoutError,
        AuthenticationError when a gateway refuses us, and ProtocolError for an address that
        must not be used.
        """
        ...
