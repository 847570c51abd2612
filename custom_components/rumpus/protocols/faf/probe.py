"""Looks at a lobby without staying (the FAF reference, section 6.4)."""

from dataclasses import dataclass

from ..errors import ProtocolError
from .connection import Connector
from .decode import decode_welcome
from .handshake import Handshake, connect
from .login import Login
from .models import Welcome
from .timing import Timing


@dataclass(frozen=True, slots=True)
class Probe:
    """What a lobby tells without a login: the seconds an answer takes, and a session."""

    latency: float
    session: int


async def probe(connector: Connector, timing: Timing | None = None) -> Probe:
    """Ask a lobby whether it is there, and leave.

    Raises DisconnectedError, PeerTimeoutError, ProtocolError when it is no lobby,
    KickedError, GatewayRefusedError, and what the source of the address does.
    """
    timing = timing or Timing()
    connection = await connect(connector, timing)
    try:
        handshake = Handshake(connection, timing)
        latency = await handshake.ping()
        return Probe(latency, await handshake.ask_session())
    finally:
        await connection.close()


async def try_login(
    connector: Connector, login: Login, timing: Timing | None = None
) -> Welcome:
    """Log in, and leave. Any other login of the same account is thrown out by that.

    Raises what `probe` does, LoginRefusedError, BannedError, KickedError, RefusedError,
    ProofRefusedError, ProofFailedError, and what the login's source of tokens does.
    """
    timing = timing or Timing()
    connection = await connect(connector, timing)
    try:
        handshake = Handshake(connection, timing)
        welcome = decode_welcome(await handshake.log_in(login))
    finally:
        await connection.close()
    if welcome is None:
        raise ProtocolError("A welcome that does not say to whom")
    return welcome
