"""A client of a lobby that stays logged in (the FAF reference, sections 5 to 10)."""

from collections.abc import Callable
from enum import StrEnum
import logging
from typing import Final

from ..errors import RumpusError
from ..reconnect import TaskFactory
from .connection import Connector
from .events import LobbyEvent
from .lobby import Lobby
from .login import Login
from .models import Avatar
from .timing import Timing

USER_AGENT: Final = "rumpus"
"""How we call ourselves."""


class ClientStatus(StrEnum):
    """How far a client has come."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    SIGNING_IN = "signing_in"
    ONLINE = "online"
    STOPPED = "stopped"


class LobbyClient:
    """Logs in to a lobby, keeps its model up to date, and comes back when it is lost.

    It stops for good on KickedError, LoginRefusedError, BannedError, OAuthError (any
    AuthenticationError of the token's source) and after three ProofRefusedError,
    ProofFailedError or GatewayRefusedError in a row; `start` begins anew then.
    Commands raise DisconnectedError without a login, PeerTimeoutError, RefusedError,
    and UnsupportedError for what might cost the connection.
    """

    def __init__(
        self,
        connector: Connector,
        login: Login,
        *,
        logger: logging.Logger | logging.LoggerAdapter[logging.Logger],
        name: str,
        timing: Timing | None = None,
        user_agent: str = USER_AGENT,
        create_task: TaskFactory | None = None,
    ) -> None:
        """Prepare; raises ValueError for a user agent that lobbies do not take."""
        raise NotImplementedError

    @property
    def lobby(self) -> Lobby:
        """What is known of the lobby; the same object for ever."""
        raise NotImplementedError

    @property
    def status(self) -> ClientStatus:
        """How far it has come."""
        raise NotImplementedError

    @property
    def stop_error(self) -> RumpusError | None:
        """Why there are no further attempts."""
        raise NotImplementedError

    @property
    def last_error(self) -> RumpusError | OSError | None:
        """Why the last attempt failed, or the link was lost; None while online."""
        raise NotImplementedError

    @property
    def latency(self) -> float | None:
        """Seconds that the last answer to a ping took; None when not known."""
        raise NotImplementedError

    @property
    def clock_skew(self) -> float | None:
        """Seconds that the clock of the lobby is ahead of ours; None when not known."""
        raise NotImplementedError

    def subscribe(self, listener: Callable[[LobbyEvent], None]) -> Callable[[], None]:
        """Call back for every event; returns what ends that."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin with an attempt at once, also after it has stopped for good."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Log out and end all attempts. Never raises."""
        raise NotImplementedError

    def wake(self) -> None:
        """Try again at once, unless it has stopped for good."""
        raise NotImplementedError

    async def wait_attempt(self) -> bool:
        """Wait for the end of the attempt under way or next; True when online."""
        raise NotImplementedError

    async def request_queues(self) -> None:
        """Ask for all queues, and wait for them."""
        raise NotImplementedError

    async def ping(self) -> float:
        """Return the seconds that an answer takes."""
        raise NotImplementedError

    async def add_friend(self, player_id: int) -> None:
        """Put a player on the list of friends, and off that of foes."""
        raise NotImplementedError

    async def remove_friend(self, player_id: int) -> None:
        """Take a player off the list of friends."""
        raise NotImplementedError

    async def add_foe(self, player_id: int) -> None:
        """Put a player on the list of foes, and off that of friends."""
        raise NotImplementedError

    async def remove_foe(self, player_id: int) -> None:
        """Take a player off the list of foes."""
        raise NotImplementedError

    async def list_avatars(self) -> tuple[Avatar, ...]:
        """Return the avatars that the account may choose from."""
        raise NotImplementedError

    async def select_avatar(self, url: str | None) -> None:
        """Wear one of them, or none."""
        raise NotImplementedError

    async def stop_search(self, queue: str) -> None:
        """End the search for a match in a queue."""
        raise NotImplementedError
