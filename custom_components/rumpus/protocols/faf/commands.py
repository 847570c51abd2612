"""What a user may ask of a lobby (the FAF reference, sections 8 and 12).

Nothing here is unknown to any lobby, and nothing is sent that one does not like: that would
cost the connection.
"""

from abc import ABC, abstractmethod
import asyncio
from typing import Final

from ..errors import UnsupportedError
from ..json_lines import JsonObject
from .lobby import Lobby
from .models import Avatar
from .session import Session
from .timing import Timing

_LIST_AVATARS: Final[JsonObject] = {"command": "avatar", "action": "list_avatar"}


class Commands(ABC):
    """The commands of a client.

    All raise DisconnectedError without a login, PeerTimeoutError without an answer,
    UnsupportedError for what cannot be asked, and RefusedError when the lobby refuses.
    """

    def __init__(self, timing: Timing) -> None:
        """Begin with an empty model."""
        self._timing = timing
        self._lobby = Lobby()
        # Whoever is put on one list while on the other costs the connection.
        self._one_change = asyncio.Lock()

    @property
    def lobby(self) -> Lobby:
        """What is known of the lobby; the same object for ever."""
        return self._lobby

    @abstractmethod
    def _require_session(self) -> Session:
        """Return the session; raises DisconnectedError without a login."""

    @abstractmethod
    def _touched(self) -> None:
        """Tell that the lists of friends and foes are others now."""

    async def ping(self) -> float:
        """Return the seconds that an answer takes."""
        return await self._require_session().ping()

    async def request_queues(self) -> None:
        """Ask for all queues, and wait for them (section 7.3)."""
        await self._require_session().request(
            {"command": "matchmaker_info"},
            lambda message: message.get("command") == "matchmaker_info",
            self._timing.reply,
        )

    # Friends and foes (section 8.1). The lobby says nothing about them after the login.

    async def add_friend(self, player_id: int) -> None:
        """Put a player who is online on the list of friends, and off that of foes."""
        async with self._one_change:
            if player_id not in self._lobby.social.friends:
                await self._add("friend", player_id)

    async def remove_friend(self, player_id: int) -> None:
        """Take a player off the list of friends."""
        async with self._one_change:
            if player_id in self._lobby.social.friends:
                await self._remove("friend", player_id)

    async def add_foe(self, player_id: int) -> None:
        """Put a player who is online on the list of foes, and off that of friends."""
        async with self._one_change:
            if player_id not in self._lobby.social.foes:
                await self._add("foe", player_id)

    async def remove_foe(self, player_id: int) -> None:
        """Take a player off the list of foes."""
        async with self._one_change:
            if player_id in self._lobby.social.foes:
                await self._remove("foe", player_id)

    async def _add(self, key: str, player_id: int) -> None:
        session = self._require_session()
        social = self._lobby.social
        other, others = ("foe", social.foes)
        if key == "foe":
            other, others = ("friend", social.friends)
        me = self._lobby.me
        # An id that the lobby has no account for would cost the connection.
        if player_id not in self._lobby.players and player_id not in others:
            raise UnsupportedError("The player is not online")
        if me is not None and me.id == player_id:
            raise UnsupportedError("That is the own account")
        if player_id in others:
            await self._send_social(session, "social_remove", other, player_id)
        await self._send_social(session, "social_add", key, player_id)

    async def _remove(self, key: str, player_id: int) -> None:
        session = self._require_session()
        await self._send_social(session, "social_remove", key, player_id)

    async def _send_social(
        self, session: Session, command: str, key: str, player_id: int
    ) -> None:
        await session.send({"command": command, key: player_id})
        change = self._lobby.set_friend if key == "friend" else self._lobby.set_foe
        if change(player_id, is_listed=command == "social_add"):
            self._touched()

    # Avatars (section 8.1).

    async def list_avatars(self) -> tuple[Avatar, ...]:
        """Return the avatars that the account may wear."""
        await self._require_session().request(
            _LIST_AVATARS,
            lambda message: (
                message.get("command") == "avatar" and "avatarlist" in message
            ),
            self._timing.reply,
        )
        return self._lobby.avatars

    async def select_avatar(self, url: str | None) -> None:
        """Wear one of them, or none, and wait until everybody is told."""
        session = self._require_session()
        if url is not None and all(url != one.url for one in self._lobby.avatars):
            raise UnsupportedError("The account has no such avatar")
        if self._avatar_url == url:
            return
        await session.request(
            {"command": "avatar", "action": "select", "avatar": url},
            lambda _: self._avatar_url == url,
            self._timing.change,
        )

    @property
    def _avatar_url(self) -> str | None:
        me = self._lobby.me
        return None if me is None else me.avatar_url

    # The matchmaker (section 8.2).

    async def stop_search(self, queue: str) -> None:
        """End the own search for a match in a queue, if there is one."""
        session = self._require_session()
        if queue not in self._lobby.searching:
            return
        await session.request(
            {"command": "game_matchmaking", "queue_name": queue, "state": "stop"},
            lambda _: queue not in self._lobby.searching,
            self._timing.reply,
        )
