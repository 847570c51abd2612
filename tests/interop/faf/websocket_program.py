"""The `websockets` library as both ends of a lobby, driven by lines of JSON.

It runs in an environment of its own. The library is fetched by name, as its types are
of no use where the types are checked.
"""

import asyncio
import contextlib
import http
import importlib
import json
import random
import sys
from typing import Any, Final

from .desk import answers

server: Any = importlib.import_module("websockets.asyncio.server")
client: Any = importlib.import_module("websockets.asyncio.client")
exceptions: Any = importlib.import_module("websockets.exceptions")
version: Any = importlib.import_module("websockets.version")

_SHOWN: Final = 500
_HOST: Final = "127.0.0.1"
_MAX: Final = 32 * 1024 * 1024


def say(kind: str, **data: Any) -> None:
    """Print what happened."""
    print(json.dumps({"kind": kind, "data": data}), flush=True)


class Peer:
    """A lobby, or a client."""

    def __init__(self) -> None:
        """Nothing runs."""
        self.mode = "lines"
        self.refusal = 0
        self._server: Any = None
        self._client: Any = None
        self._reader: asyncio.Task[None] | None = None
        self._chance = random.Random(1)

    # --- a lobby ---

    async def listen(self, port: int = 0) -> dict[str, Any]:
        """Be a lobby."""
        self._server = await server.serve(
            self._serve,
            _HOST,
            port,
            process_request=self._admit,
            ping_interval=None,
        )
        return {"port": self._server.sockets[0].getsockname()[1]}

    async def unlisten(self) -> dict[str, Any]:
        """Be none any more."""
        self._server.close()
        await self._server.wait_closed()
        return {}

    def _admit(self, connection: Any, request: Any) -> Any:
        say("request", path=request.path)
        if self.refusal:
            return connection.respond(http.HTTPStatus(self.refusal), "no\n")
        return None

    async def _serve(self, connection: Any) -> None:
        say("connected", extensions=[e.name for e in connection.protocol.extensions])
        with contextlib.suppress(exceptions.ConnectionClosed):
            async for frame in connection:
                text = frame if isinstance(frame, str) else frame.decode()
                message = json.loads(text)
                say(
                    "frame",
                    text=text[:_SHOWN],
                    is_text=isinstance(frame, str),
                    command=message.get("command"),
                )
                for answer in answers(message):
                    await self._send(connection, [answer])
        say("lost", code=connection.close_code)

    async def _send(self, connection: Any, messages: list[Any]) -> None:
        """Send messages as the mode says."""
        texts = [json.dumps(message, separators=(",", ":")) for message in messages]
        match self.mode:
            case "lines":
                for text in texts:
                    await connection.send(text + "\n")
            case "frames":
                for text in texts:
                    await connection.send(text)
            case "fragments":
                for text in texts:
                    cut = [text[at : at + 7] for at in range(0, len(text), 7)]
                    await connection.send([*cut, "\n"])
            case "bridge":
                data = "".join(text + "\n" for text in texts).encode()
                while data:
                    size = self._chance.choice((1, 5, 50, 5000))
                    await connection.send(data[:size])
                    data = data[size:]

    async def behave(self, mode: str = "lines", refusal: int = 0) -> dict[str, Any]:
        """Send as "lines", "frames", "fragments" or "bridge"; refuse with a status."""
        self.mode, self.refusal = mode, refusal
        return {}

    async def send(self, messages: list[Any]) -> dict[str, Any]:
        """Send messages."""
        for connection in self._server.connections:
            await self._send(connection, messages)
        return {}

    async def raw(self, text: str) -> dict[str, Any]:
        """Send a frame."""
        for connection in self._server.connections:
            await connection.send(text)
        return {}

    async def ping(self) -> dict[str, Any]:
        """Wait for the answers to control frames."""
        latency = 0.0
        for connection in self._server.connections:
            latency = await (await connection.ping(b"rumpus"))
        return {"latency": latency}

    async def close(self, code: int = 1000) -> dict[str, Any]:
        """End the connections."""
        for connection in tuple(self._server.connections):
            await connection.close(code)
        return {}

    async def abort(self) -> dict[str, Any]:
        """Cut the connections."""
        for connection in tuple(self._server.connections):
            connection.transport.abort()
        return {}

    # --- a client ---

    async def connect(self, url: str) -> dict[str, Any]:
        """Be a client."""
        self._client = await client.connect(url, max_size=_MAX)
        self._reader = asyncio.create_task(self._read())
        return {}

    async def _read(self) -> None:
        with contextlib.suppress(exceptions.ConnectionClosed):
            async for frame in self._client:
                is_text = isinstance(frame, str)
                text = frame if is_text else frame.decode()
                say(
                    "got",
                    is_text=is_text,
                    text=text[:_SHOWN],
                    size=len(text),
                    ends=text.endswith("\n"),
                )
        say("ended", code=self._client.close_code)

    async def tell(self, text: str) -> dict[str, Any]:
        """Send a frame as a client."""
        await self._client.send(text)
        return {}

    async def leave(self) -> dict[str, Any]:
        """Be no client any more."""
        await self._client.close()
        assert self._reader is not None
        await self._reader
        return {}


async def main() -> None:
    """Run until standard input ends."""
    peer = Peer()
    reader = asyncio.StreamReader(limit=_MAX)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    say("ready", version=version.version)
    while line := await reader.readline():
        wish = json.loads(line)
        try:
            done = await getattr(peer, wish.pop("do"))(**wish)
        except (
            *(OSError, ValueError, TypeError),
            exceptions.WebSocketException,
        ) as error:
            say("error", reason=repr(error))
        else:
            say("done", **done)


if __name__ == "__main__":
    asyncio.run(main())
