"""The fake phone beside a daemon, in a namespace of its own."""

import asyncio
import contextlib
import json
from pathlib import Path
import sys
from typing import Final

from .network import Network
from tests.e2e.shapes import JsonObject, JsonValue, as_object, get_str
from tests.interop.report import CheckError

_ROOT: Final = Path(__file__).resolve().parents[3]
_PATIENCE: Final = 45.0
_END: Final = 5.0


class Phone:
    """A running fake phone; ``start`` makes its namespace."""

    def __init__(self, network: Network, name: str, number: int) -> None:
        """Make the host; nothing runs yet."""
        network.add_host(name, number)
        self.address = network.address(name)
        self.device_id = ""
        self._prefix = network.command_prefix(name)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._events: list[JsonObject] = []

    async def start(self) -> None:
        """Start the program and wait until it listens."""
        self._process = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "KILL", "--"),
            *self._prefix,
            *(sys.executable, "-m", f"{__package__}.phone_program", self.address),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            cwd=_ROOT,
        )
        assert self._process.stdout is not None
        self._reader = asyncio.create_task(self._follow(self._process.stdout))
        self.device_id = get_str(await self.wait("ready"), "id")

    async def stop(self) -> None:
        """End the program: its input ends."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            async with asyncio.timeout(_END):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        if self._reader is not None:
            await self._reader

    async def do(self, what: str, **data: JsonValue) -> None:
        """Have the phone do something, and wait until it has."""
        assert self._process is not None
        assert self._process.stdin is not None
        mark = len(self._events)
        wish: JsonObject = {"do": what, **data}
        self._process.stdin.write(json.dumps(wish).encode() + b"\n")
        await self.wait("done", mark)

    @property
    def mark(self) -> int:
        """The number of events so far, to wait for what comes after."""
        return len(self._events)

    async def wait(self, kind: str, mark: int = 0, **data: JsonValue) -> JsonObject:
        """Wait for an event after the mark, with these values, and return it."""
        try:
            async with asyncio.timeout(_PATIENCE), self._changed:
                while True:
                    for event in self._events[mark:]:
                        if event.items() >= {"event": kind, **data}.items():
                            return event
                    await self._changed.wait()
        except TimeoutError as err:
            seen = [event.get("event") for event in self._events[mark:]]
            raise CheckError(f"the phone saw no {kind}, only {seen}") from err

    async def _follow(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            with contextlib.suppress(ValueError):
                event = as_object(json.loads(line))
                async with self._changed:
                    self._events.append(event)
                    self._changed.notify_all()
