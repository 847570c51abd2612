"""Connections to a lobby over TCP, and the ports that lobbies listen on."""

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ..errors import DisconnectedError, PeerTimeoutError
from .protocol import Protocol
from .qdatastream import QDataStreamProtocol
from .simple_json import SimpleJsonProtocol

#: Seconds that making a connection may take.
CONNECT_TIMEOUT: Final = 15.0
#: Bytes that are taken off the network before they are read, or twice as many: all that a
#: login brings. What is still on its way when sending finds the end is lost, and the last
#: of it may be a kick.
READ_AHEAD: Final = 1024 * 1024


class Framing(StrEnum):
    """How messages travel (the FAF reference, section 2)."""

    WEBSOCKET = "websocket"
    JSON = "json"
    QDATASTREAM = "qdatastream"


DEFAULT_PORTS: Final[Mapping[Framing, int]] = MappingProxyType(
    {Framing.WEBSOCKET: 8003, Framing.JSON: 8002, Framing.QDATASTREAM: 8001}
)

_PROTOCOLS: Final[Mapping[Framing, type[SimpleJsonProtocol | QDataStreamProtocol]]] = (
    MappingProxyType(
        {
            Framing.JSON: SimpleJsonProtocol,
            Framing.QDATASTREAM: QDataStreamProtocol,
        }
    )
)


def format_address(host: str, port: int) -> str:
    """Return an address as one text, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class TcpConnector:
    """Connects to a lobby that listens on plain TCP."""

    def __init__(
        self,
        host: str,
        port: int | None = None,
        framing: Framing = Framing.JSON,
        *,
        timeout: float = CONNECT_TIMEOUT,
    ) -> None:
        """Take the address; without a port it is the usual one of the framing.

        Raises ValueError for a framing that is not for TCP.
        """
        if framing not in _PROTOCOLS:
            raise ValueError(f"Not a framing for TCP: {framing}")
        self._protocol = _PROTOCOLS[framing]
        self._host = host
        self._port = DEFAULT_PORTS[framing] if port is None else port
        self._timeout = timeout

    @property
    def name(self) -> str:
        """The address."""
        return format_address(self._host, self._port)

    async def connect(self) -> Protocol:
        """Return a new connection. Raises DisconnectedError, PeerTimeoutError."""
        try:
            async with asyncio.timeout(self._timeout):
                reader, writer = await asyncio.open_connection(
                    self._host, self._port, limit=READ_AHEAD
                )
        except TimeoutError as err:
            raise PeerTimeoutError("No connection in time") from err
        except OSError as err:
            problem = err.strerror or type(err).__name__
            raise DisconnectedError(f"Cannot connect: {problem}") from err
        # UnicodeError for names that IDNA cannot carry, ValueError for those with a zero.
        except ValueError as err:
            raise DisconnectedError("Cannot connect: not an address") from err
        return self._protocol(reader, writer)
