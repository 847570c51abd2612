"""A title's own channel (the SmartGlass reference, sections 7.2, 7.6 and 12.5)."""

from typing import Final, override

from ...errors import PeerTimeoutError, ProtocolError
from ..messages import (
    ActiveSurfaceChange,
    AuxiliaryStream as Greeting,
    ConnectionInfo,
    Message,
)
from .answers import Answer
from .auxiliary import AuxiliaryStream, open_stream
from .link import ChannelLink, Emit, Service

INFO_TIMEOUT: Final = 3.0
"""Seconds for the console to tell where a title listens."""
CONNECT_TIMEOUT: Final = 5.0
"""Seconds for one endpoint of a title to accept a connection."""
MAX_TITLE_ID: Final = 0xFFFF_FFFF


class TitleChannel(Service):
    """The dialogue that leads to a title's stream.

    The console may greet on its own; the answer that counts is the one with the keys.
    """

    def __init__(self, link: ChannelLink, emit: Emit, title_id: int) -> None:
        """Use the channel of a title."""
        super().__init__(link, emit)
        self.title_id = title_id
        self._surface: ActiveSurfaceChange | None = None
        self._waiting: set[Answer[ConnectionInfo]] = set()

    @property
    def surface(self) -> ActiveSurfaceChange | None:
        """What the title shows, if it has said so on this channel."""
        return self._surface

    @override
    def closed(self) -> None:
        """The channel is gone: whoever waits fails."""
        self._surface = None
        for answer in self._waiting:
            answer.lose()
        super().closed()

    @override
    def received(self, message: Message) -> None:
        """Take an answer, or a greeting, which tells nothing."""
        if isinstance(message, ActiveSurfaceChange):
            self._surface = message
        elif isinstance(message, Greeting) and message.connection_info is not None:
            for answer in self._waiting:
                answer.give(message.connection_info)

    async def connection_info(self, timeout: float = INFO_TIMEOUT) -> ConnectionInfo:
        """Ask where the title listens, and for the keys.

        Raises PeerTimeoutError when the title does not tell, and what ChannelLink.send
        raises.
        """
        answer = Answer[ConnectionInfo]()
        self._waiting.add(answer)
        try:
            try:
                await self._link.send(Greeting())
            except PeerTimeoutError:
                # The answer is worth more than its ack.
                if not answer.is_given:
                    raise
            return await answer.wait(timeout)
        finally:
            self._waiting.discard(answer)

    async def open_stream(self, timeout: float = CONNECT_TIMEOUT) -> AuxiliaryStream:
        """Ask, and connect to the title; the caller closes the stream.

        Each endpoint gets `timeout` seconds. Raises what `connection_info` does, then
        DisconnectedError when no endpoint accepts, ProtocolError for an answer of no use.
        """
        return await open_stream(await self.connection_info(), timeout)


def title_uri(title_id: int) -> str:
    """Return the address by which a TitleLaunch names a title.

    Raises ProtocolError for a number that is no title id.
    """
    if not 0 <= title_id <= MAX_TITLE_ID:
        raise ProtocolError("Title ids have 32 bits")
    return f"ms-xbl-{title_id:08X}://default/"
