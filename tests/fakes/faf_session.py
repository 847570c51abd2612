"""One connection of a client, and whoever signed in on it."""

from typing import TYPE_CHECKING

from tests.fakes.faf_framing import GoneError, Link, MalformedError
from tests.fakes.faf_json import JsonObject
from tests.fakes.faf_models import Player

if TYPE_CHECKING:
    from tests.fakes.faf_lobby import FakeLobby

_HIGHEST_SESSION = 4_294_967_294


class Session:
    """Messages of one connection are handled strictly one after the other."""

    def __init__(self, lobby: FakeLobby, link: Link, key: int) -> None:
        """`key` counts connections; `number` is what the client is told."""
        self._lobby = lobby
        self._core = lobby.core
        self.link = link
        self.key = key
        self.number = self._core.random.randint(0, _HIGHEST_SESSION)
        self.player: Player | None = None
        self.user_agent: str | None = None
        self.version: str | None = None
        self.can_play = True
        self.is_closing = False

    @property
    def login(self) -> str | None:
        """Who signed in."""
        return None if self.player is None else self.player.login

    async def run(self) -> None:
        """Handle messages until the end."""
        core = self._core
        core.sessions.append(self)
        core.events.emit("connected", session=self.key, transport=self.link.transport)
        if core.mischief.deaf:
            self.link.pause()
        try:
            while True:
                message = await self.link.receive()
                if not self.is_closing:
                    await self._lobby.dispatcher.handle(self, message)
        except GoneError as error:
            self._ended("closed", str(error))
            self.link.close()
        except MalformedError as error:
            self.abort(str(error))
        finally:
            core.sessions.remove(self)
            self._ended("closed", "stopped")

    # --- to the client ---

    def write(self, message: JsonObject) -> None:
        """Send a message some time; what nobody waits for."""
        if self.is_closing:
            return
        if self._core.logs_sent:
            self._core.events.emit(
                "sent",
                session=self.key,
                command=str(message.get("command")),
                login=self.login,
            )
        self._core.mischief.send(self, message)

    async def send(self, message: JsonObject) -> None:
        """Send a message that was asked for; nothing is read before it is sent."""
        self.write(message)
        await self.link.drain()

    async def notice(self, text: str, style: str = "error") -> None:
        """Tell the user something."""
        await self.send({"command": "notice", "style": style, "text": text})

    # --- the end ---

    def invalid(self, what: str) -> None:
        """Answer what was not understood, and end the connection."""
        if self.is_closing:
            return
        self._core.events.emit("invalid", session=self.key, command=what)
        self.write({"command": "invalid"})
        self.end("invalid")

    def kick(self, text: str | None = None) -> None:
        """Sign the client out."""
        message: JsonObject = {"command": "notice", "style": "kick"}
        if text is not None:
            message["text"] = text
        self.write(message)
        self._core.events.emit("kicked", session=self.key, login=self.login)
        self.end("kicked")

    def end(self, reason: str) -> None:
        """End the connection after what is to be sent."""
        if not self.is_closing:
            self._ended("closed", reason)
            self.link.close()

    def abort(self, reason: str) -> None:
        """End the connection at once, without a word."""
        if not self.is_closing:
            self._ended("dropped", reason)
        self.link.abort()

    def _ended(self, kind: str, reason: str) -> None:
        """Do once what the end of a connection means."""
        if self.is_closing:
            return
        self.is_closing = True
        self._core.events.emit(
            "dropped" if kind == "dropped" else "closed",
            session=self.key,
            login=self.login,
            reason=reason,
        )
        self.leave()

    def leave(self) -> None:
        """Let whoever signed in be offline."""
        player, self.player = self.player, None
        if player is not None:
            self._lobby.connection_lost(player)
