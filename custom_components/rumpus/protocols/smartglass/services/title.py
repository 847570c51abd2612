"""A title's own channel (the SmartGlass reference, sections 7.2 and 12.5)."""

from typing import Final

from ..messages import ConnectionInfo
from .auxiliary import AuxiliaryStream
from .link import ChannelLink, Emit, Service

INFO_TIMEOUT: Final = 3.0
"""Seconds for the console to tell where a title listens."""
CONNECT_TIMEOUT: Final = 5.0
"""Seconds for one endpoint of a title to accept a connection."""


class TitleChannel(Service):
    """The dialogue that leads to a title's stream."""

    def __init__(self, link: ChannelLink, emit: Emit, title_id: int) -> None:
        """Use the channel of a title."""
        super().__init__(link, emit)
        self.title_id = title_id

    async def connection_info(self, timeout: float = INFO_TIMEOUT) -> ConnectionInfo:
        """Ask where the title listens, and for the keys."""
        raise NotImplementedError

    async def open_stream(self, timeout: float = CONNECT_TIMEOUT) -> AuxiliaryStream:
        """Connect to the title; the caller closes the stream."""
        raise NotImplementedError


def title_uri(title_id: int) -> str:
    """Return the address by which a TitleLaunch names a title."""
    raise NotImplementedError
