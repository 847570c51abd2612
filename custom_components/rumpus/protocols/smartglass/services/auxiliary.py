"""The encrypted TCP stream of a title (the SmartGlass reference, section 12.5)."""

from ..messages import ConnectionInfo


class AuxiliaryStream:
    """Frames of bytes, both ways; see protocols/stream.py for its methods."""


async def open_stream(info: ConnectionInfo, timeout: float) -> AuxiliaryStream:
    """Connect to the first of the endpoints that answers."""
    raise NotImplementedError
