"""Looks at a lobby without staying (the FAF reference, section 6.4)."""

from dataclasses import dataclass

from .connection import Connector
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

    Raises DisconnectedError, PeerTimeoutError, ProtocolError when it is no lobby, and
    GatewayRefusedError.
    """
    raise NotImplementedError


async def try_login(
    connector: Connector, login: Login, timing: Timing | None = None
) -> Welcome:
    """Log in, and leave. The same account's other login is thrown out by that.

    Raises what `probe` does, LoginRefusedError, BannedError, KickedError, RefusedError,
    ProofRefusedError, ProofFailedError, and what the login's source of tokens does.
    """
    raise NotImplementedError
