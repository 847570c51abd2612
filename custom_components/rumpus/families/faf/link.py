"""What an entry connects to its lobby with."""

from collections.abc import Awaitable, Callable
import contextlib
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ...protocols.faf.client import BACKOFF as CLIENT_BACKOFF
from ...protocols.faf.connection import Connector
from ...protocols.faf.login import Login, PasswordLogin, TokenLogin
from ...protocols.faf.proof import AnyProof, HelperProof, Proof
from ...protocols.faf.timing import Timing
from ...protocols.faf.transports import (
    DEFAULT_PORTS,
    Framing,
    TcpConnector,
    format_address,
)
from ...protocols.faf.websocket import WebSocketConnector
from ...protocols.reconnect import Backoff
from .const import AccountKind
from .data import LobbyData
from .store import Secrets

TIMING: Timing = Timing()
"""How long everything may take."""
BACKOFF: Backoff = CLIENT_BACKOFF
"""The pauses between attempts."""
PROBE_INTERVAL: Final = 300.0
"""Seconds between two looks at a lobby that nobody signs in to."""

type Source = Callable[[], Awaitable[str]]
"""Gives a token, or the signed address of the gateway, for the next connection."""


def create_connector(
    hass: HomeAssistant, data: LobbyData, url: Source | None
) -> Connector:
    """Return what connects to a lobby.

    `url` gives the signed address of the official one's gateway, for each connection anew.
    """
    if data.is_official:
        if url is None:
            raise ValueError("The official lobby is behind a gateway")
        return WebSocketConnector(async_get_clientsession(hass), url)
    if data.host is None or data.framing is None:
        raise ValueError("There is no address")
    port = DEFAULT_PORTS[data.framing] if data.port is None else data.port
    if data.framing is Framing.WEBSOCKET:
        return WebSocketConnector(
            async_get_clientsession(hass, verify_ssl=data.verify_certificate),
            _url(data, data.host, port),
            allow_plain=not data.is_secure,
        )
    return TcpConnector(data.host, port, data.framing)


def _url(data: LobbyData, host: str, port: int) -> str:
    """Return where the WebSocket of a lobby is opened."""
    # The session takes the address as it is: the path is encoded already. What is no name
    # at all stays, and whoever is to connect to it will say so.
    with contextlib.suppress(UnicodeError):
        host = host.encode("idna").decode("ascii")
    scheme = "wss" if data.is_secure else "ws"
    return f"{scheme}://{format_address(host, port)}{data.path}"


def create_login(data: LobbyData, secrets: Secrets, token: Source) -> Login:
    """Return what signs in with the account of an entry."""
    proof: Proof = AnyProof() if data.helper is None else HelperProof(data.helper)
    if data.account is AccountKind.PASSWORD:
        return PasswordLogin(data.login or "", secrets.password_hash or "", proof)
    return TokenLogin(token, proof)


def has_secrets(data: LobbyData, secrets: Secrets) -> bool:
    """Tell whether what the account of an entry needs is there."""
    match data.account:
        case AccountKind.OAUTH:
            return secrets.oauth is not None
        case AccountKind.TOKEN:
            return secrets.token is not None
        case AccountKind.PASSWORD:
            return secrets.password_hash is not None
        case _:
            return True
