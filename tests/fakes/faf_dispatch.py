"""What becomes of a message, and of what goes wrong with it (section 5)."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from tests.fakes.faf_json import JsonObject, JsonValue

if TYPE_CHECKING:
    from tests.fakes.faf_core import Core
    from tests.fakes.faf_session import Session

type Handler = Callable[[Session, JsonObject], Awaitable[None]]
type GameHandler = Callable[[Session, str, list[JsonValue]], None]

BEFORE_LOGIN: Final = frozenset(
    {
        *("ask_session", "auth", "hello", "create_account"),
        *("ping", "pong", "Bottleneck"),
    }
)
_OLD_VERSION: Final = "Your client version is no longer supported."


class ClientError(Exception):
    """A request that is refused with a notice."""

    def __init__(
        self, text: str, style: str = "error", *, is_recoverable: bool = True
    ) -> None:
        """`text` may be HTML."""
        super().__init__(text)
        self.text = text
        self.style = style
        self.is_recoverable = is_recoverable


class LoginError(Exception):
    """Wrong credentials; the connection may try again."""


class BanError(Exception):
    """Somebody who is banned."""


class DisabledError(Exception):
    """A function that is off while the server shuts down."""


class FatalError(Exception):
    """What the server did not reckon with: `invalid`, and the end."""


class Dispatcher:
    """Hands messages to who handles them."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._handlers: dict[str, Handler] = {}
        self.game: GameHandler | None = None

    def add(self, handlers: dict[str, Handler]) -> None:
        """Let commands be handled."""
        self._handlers.update(handlers)

    async def handle(self, session: Session, message: JsonValue) -> None:
        """Handle a message as the rules of section 5 say, in their order."""
        command = message.get("command") if isinstance(message, dict) else None
        self._core.events.emit(
            "received", session=session.key, command=str(command), message=message
        )
        mischief = self._core.mischief
        if str(command) in mischief.drop_at:
            session.abort(f"drop_at {command}")
            return
        if mischief.silent or str(command) in mischief.never_answer:
            return
        await mischief.wait(str(command))
        if session.is_closing:
            return
        if not isinstance(message, dict):
            session.invalid("no object")
        elif not command:
            session.abort("no command")
        elif session.player is None and (
            not isinstance(command, str) or command not in BEFORE_LOGIN
        ):
            session.abort("not signed in")
        else:
            await self._dispatch(session, str(command), message)

    async def _dispatch(
        self, session: Session, command: str, message: JsonObject
    ) -> None:
        target = message.get("target")
        if target == "game":
            arguments = message.get("args", [])
            if self.game is not None and isinstance(arguments, list):
                self.game(session, command, arguments)
            return
        if target == "connectivity" and command == "InitiateTest":
            session.can_play = False
            session.write({"command": "notice", "style": "error", "text": _OLD_VERSION})
            return
        handler = self._handlers.get(command)
        if handler is None:
            session.invalid(command)
            return
        await self._try(session, command, handler, message)

    async def _try(
        self, session: Session, command: str, handler: Handler, message: JsonObject
    ) -> None:
        events = self._core.events
        try:
            await handler(session, message)
        except LoginError as error:
            text = str(error)
            await session.send({"command": "authentication_failed", "text": text})
        except BanError as error:
            await session.notice(str(error))
            session.end("banned")
        except ClientError as error:
            events.emit(
                "client_error", session=session.key, command=command, text=error.text
            )
            await session.notice(error.text, error.style)
            if not error.is_recoverable:
                session.end("refused for good")
        except DisabledError:
            events.emit("disabled", session=session.key, command=command)
            await session.send({"command": "disabled", "request": command})
        except FatalError as error:
            session.invalid(f"{command}: {error}")
        except (LookupError, ValueError, TypeError) as error:
            session.abort(f"{command}: {error!r}")
        except Exception as error:  # noqa: BLE001 - told of when the fake is stopped
            self._core.failures.append(error)
            session.invalid(command)
