"""Friends, foes, avatars and the rest that clients ask for (sections 8.1 and 8.3)."""

from typing import TYPE_CHECKING, Final

from tests.fakes.faf_dispatch import FatalError, Handler
from tests.fakes.faf_json import JsonObject, JsonValue, items_of, text_of, whole
from tests.fakes.faf_models import Account, Player

if TYPE_CHECKING:
    from tests.fakes.faf_core import Core
    from tests.fakes.faf_session import Session

_MISSIONS: Final = (("Black Day", "faf_coop_operation_trident.v0001"),)
_LISTS: Final = ("friend", "foe")


class Social:
    """Handles what players think of each other."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.handlers: dict[str, Handler] = {
            "social_add": self._add,
            "social_remove": self._remove,
            "avatar": self._avatar,
            "coop_list": self._coop_list,
            "modvault": self._modvault,
            "ice_servers": self._ice_servers,
            "admin": self._admin,
        }

    # --- lists ---

    def add(self, account: Account, kind: str, other: int) -> None:
        """Put somebody on a list. Raises FatalError for what a database refuses."""
        mine, opposite = (
            (account.friends, account.foes)
            if kind == "friend"
            else (account.foes, account.friends)
        )
        if other in mine:
            return
        if other in opposite or other not in self._core.accounts:
            raise FatalError("the database refused")
        mine.append(other)
        self._emit(account, kind, "added", other)

    def remove(self, account: Account, kind: str, other: JsonValue) -> None:
        """Take somebody off a list."""
        mine = account.friends if kind == "friend" else account.foes
        for number in [number for number in mine if number == other]:
            mine.remove(number)
            self._emit(account, kind, "removed", number)

    def _emit(self, account: Account, kind: str, deed: str, other: int) -> None:
        events = self._core.events
        match kind, deed:
            case "friend", "added":
                events.emit("friend_added", login=account.login, other=other)
            case "friend", _:
                events.emit("friend_removed", login=account.login, other=other)
            case _, "added":
                events.emit("foe_added", login=account.login, other=other)
            case _:
                events.emit("foe_removed", login=account.login, other=other)

    async def _add(self, session: Session, message: JsonObject) -> None:
        assert session.player is not None
        for kind in _LISTS:
            if kind in message:
                try:
                    other = whole(message[kind])
                except (TypeError, ValueError) as error:
                    raise FatalError("the database refused") from error
                self.add(session.player.account, kind, other)
                return

    async def _remove(self, session: Session, message: JsonObject) -> None:
        assert session.player is not None
        for kind in _LISTS:
            if kind in message:
                self.remove(session.player.account, kind, message[kind])
                return
        raise LookupError("neither a friend nor a foe")

    # --- avatars ---

    async def _avatar(self, session: Session, message: JsonObject) -> None:
        assert session.player is not None
        account = session.player.account
        action = text_of(message, "action")
        if action == "list_avatar":
            avatars: list[JsonValue] = [
                {"url": url, "tooltip": tooltip}
                for url, tooltip in account.avatars.items()
            ]
            await session.send({"command": "avatar", "avatarlist": avatars})
        elif action == "select":
            url = message["avatar"]
            if url is None or (isinstance(url, str) and url in account.avatars):
                account.avatar = url
                self._core.events.emit("avatar", login=account.login, url=url)
                self._core.touch_player(session.player)
        else:
            raise ValueError("another action")

    # --- what hardly anybody asks for any more ---

    async def _coop_list(self, session: Session, message: JsonObject) -> None:
        for number, (name, filename) in enumerate(_MISSIONS):
            await session.send(
                {
                    "command": "coop_info",
                    "uid": number,
                    "type": "FA Campaign",
                    "name": name,
                    "description": "A mission.",
                    "filename": f"maps/{filename}.zip",
                    "featured_mod": "coop",
                }
            )

    async def _modvault(self, session: Session, message: JsonObject) -> None:
        if message["type"] not in ("start", "like", "download"):
            raise ValueError("another type")

    async def _ice_servers(self, session: Session, message: JsonObject) -> None:
        await session.send({"command": "ice_servers", "ice_servers": []})

    async def _admin(self, session: Session, message: JsonObject) -> None:
        assert session.player is not None
        action = message["action"]
        if session.player.account.power < 2:
            return
        match action:
            case "broadcast":
                text = text_of(message, "message")
                self._core.broadcast(
                    {"command": "notice", "style": "info", "text": text}
                )
            case "closeFA":
                self._player(message).write({"command": "notice", "style": "kill"})
            case "closelobby":
                if (other := self._player(message).session) is not None:
                    other.kick()
            case "join_channel":
                channel = text_of(message, "channel")
                for number in items_of(message, "user_ids"):
                    player = self._core.players.get(whole(number))
                    if player is not None:
                        player.write({"command": "social", "autojoin": [channel]})

    def _player(self, message: JsonObject) -> Player:
        return self._core.players[whole(message["user_id"])]
