"""Home Assistant's WebSocket API: commands by number, subscriptions as queues."""

import asyncio
import contextlib
import itertools
from typing import Final, Self

import aiohttp

from .shapes import (
    JsonObject,
    JsonValue,
    as_object,
    get_object,
    get_optional_str,
    get_str,
    parse,
)

COMMAND_TIMEOUT: Final = 60.0
MAX_MESSAGE: Final = 64 * 1024 * 1024


class ApiError(Exception):
    """Home Assistant refused something. `code` is its short name, `message` what a user would see."""

    def __init__(
        self, what: str, code: str, message: str, translation_key: str | None = None
    ) -> None:
        """Keep the parts."""
        super().__init__(f"{what}: {message} ({code})")
        self.code = code
        self.message = message
        self.translation_key = translation_key


class Subscription:
    """The events of one subscription, oldest first. Ends with ConnectionError when the connection is lost."""

    def __init__(self, client: WebSocketClient, number: int) -> None:
        """Made by WebSocketClient.subscribe."""
        self._client = client
        self._number = number
        self._events: asyncio.Queue[JsonValue | ConnectionError] = asyncio.Queue()

    def put(self, event: JsonValue | ConnectionError) -> None:
        """Add an event; for WebSocketClient."""
        self._events.put_nowait(event)

    async def get(self) -> JsonValue:
        """Wait for the next event; bound it with asyncio.timeout."""
        event = await self._events.get()
        if isinstance(event, ConnectionError):
            self._events.put_nowait(event)
            raise event
        return event

    async def close(self) -> None:
        """Unsubscribe."""
        await self._client.unsubscribe(self._number)

    async def __aenter__(self) -> Self:
        """Nothing to do: the subscription runs since it was made."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Unsubscribe."""
        with contextlib.suppress(ConnectionError, ApiError):
            await self.close()


class WebSocketClient:
    """One authenticated connection."""

    def __init__(self) -> None:
        """Nothing is connected yet."""
        self.version = ""
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[JsonValue]] = {}
        self._subscriptions: dict[int, Subscription] = {}
        self._reader: asyncio.Task[None] | None = None

    @property
    def is_connected(self) -> bool:
        """Whether commands can be sent."""
        return self._reader is not None and not self._reader.done()

    async def connect(
        self, session: aiohttp.ClientSession, url: str, token: str
    ) -> None:
        """Connect and sign in; ApiError when the token is refused."""
        self._socket = await session.ws_connect(
            f"{url}/api/websocket", max_msg_size=MAX_MESSAGE, heartbeat=30
        )
        hello = as_object(parse(await self._socket.receive_str()))
        self.version = get_optional_str(hello, "ha_version") or ""
        await self._socket.send_json({"type": "auth", "access_token": token})
        answer = as_object(parse(await self._socket.receive_str()))
        if answer.get("type") != "auth_ok":
            await self._socket.close()
            raise ApiError("sign-in", "auth_invalid", str(answer.get("message")))
        self._reader = asyncio.create_task(self._read(self._socket))

    async def close(self) -> None:
        """Close the connection; every waiting caller gets a ConnectionError."""
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)

    async def command(self, kind: str, **fields: JsonValue) -> JsonValue:
        """Send a command and return its result; ApiError when it is refused."""
        number = next(self._numbers)
        return await self._ask(number, kind, fields)

    async def subscribe(self, kind: str, **fields: JsonValue) -> Subscription:
        """Send a command that events follow on."""
        number = next(self._numbers)
        subscription = self._subscriptions[number] = Subscription(self, number)
        try:
            await self._ask(number, kind, fields)
        except BaseException:
            del self._subscriptions[number]
            raise
        return subscription

    async def unsubscribe(self, number: int) -> None:
        """End a subscription."""
        if self._subscriptions.pop(number, None) is not None and self.is_connected:
            await self.command("unsubscribe_events", subscription=number)

    async def _ask(self, number: int, kind: str, fields: JsonObject) -> JsonValue:
        """Send one numbered command and wait for its answer."""
        if self._socket is None or not self.is_connected:
            raise ConnectionError("not connected to Home Assistant")
        answer: asyncio.Future[JsonValue] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await self._socket.send_json({"id": number, "type": kind} | fields)
            async with asyncio.timeout(COMMAND_TIMEOUT):
                message = as_object(await answer)
        finally:
            self._answers.pop(number, None)
        if not message.get("success"):
            error = get_object(message, "error")
            raise ApiError(
                kind,
                get_str(error, "code"),
                get_str(error, "message"),
                get_optional_str(error, "translation_key"),
            )
        return message.get("result")

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Hand every message to whom it belongs."""
        lost = ConnectionError("the connection to Home Assistant was closed")
        try:
            async for packet in socket:
                if packet.type is not aiohttp.WSMsgType.TEXT:
                    continue
                batch = parse(packet.data)
                for message in batch if isinstance(batch, list) else [batch]:
                    self._dispatch(as_object(message))
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(lost)
            for subscription in self._subscriptions.values():
                subscription.put(lost)

    def _dispatch(self, message: JsonObject) -> None:
        """Hand one message to whom it belongs."""
        number = message.get("id")
        if not isinstance(number, int):
            return
        if message.get("type") == "event":
            if subscription := self._subscriptions.get(number):
                subscription.put(message.get("event"))
        elif (answer := self._answers.get(number)) is not None and not answer.done():
            answer.set_result(message)
