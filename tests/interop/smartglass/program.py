"""A program of ours at a host of the private network, told and heard in lines."""

import asyncio
from collections.abc import Callable, Sequence
import contextlib
import json
from pathlib import Path
from typing import Final

from tests.e2e.shapes import JsonObject, JsonValue, as_object
from tests.interop.report import CheckError

ROOT: Final = Path(__file__).resolve().parents[3]
_PATIENCE: Final = 20.0
_END: Final = 5.0


class Program:
    """A child process that prints a JSON object with kind and data per line."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        """Nothing runs yet."""
        self.name = name
        self._command = tuple(command)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self.events: list[tuple[str, JsonObject]] = []
        self.log: list[str] = []
        self._mark = 0

    async def start(self) -> None:
        """Start it and wait until it is ready. Raises CheckError."""
        self._process = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "KILL", "--"),
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        self._reader = asyncio.create_task(self._follow(self._process.stdout))
        await self.wait("ready")

    async def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(_END):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._reader is not None:
            await self._reader

    def mark(self) -> None:
        """Let `wait` look only at what comes from now on."""
        self._mark = len(self.events)

    def seen(self, kind: str, **data: JsonValue) -> list[JsonObject]:
        """Return what came of a kind since the mark."""
        return [
            found
            for name, found in self.events[self._mark :]
            if name == kind and found.items() >= data.items()
        ]

    async def tell(self, line: str) -> JsonObject:
        """Send a line and return what the program answers. Raises CheckError."""
        assert self._process is not None
        assert self._process.stdin is not None
        before = len(self.events)
        self._process.stdin.write(f"{line}\n".encode())

        def answered() -> JsonObject | None:
            for kind, data in self.events[before:]:
                if kind == "error":
                    raise CheckError(
                        f"{self.name}: {line.split(maxsplit=1)[0]}: {data}"
                    )
                if kind == "done":
                    return data
            return None

        return await self._until(answered, f"answer to {line.split(maxsplit=1)[0]}")

    async def do(self, what: str, **data: JsonValue) -> JsonObject:
        """Send a wish as JSON and return what the program answers."""
        wish: JsonObject = {"do": what, **data}
        return await self.tell(json.dumps(wish))

    async def wait(self, kind: str, **data: JsonValue) -> JsonObject:
        """Wait for something of a kind, with these values, and return it."""

        def happened() -> JsonObject | None:
            return next(iter(self.seen(kind, **data)), None)

        return await self._until(happened, f"{kind} {data or ''}".strip())

    async def wait_times(self, times: int, kind: str, **data: JsonValue) -> None:
        """Wait until something of a kind has come several times."""

        def happened() -> JsonObject | None:
            found = self.seen(kind, **data)
            return found[-1] if len(found) >= times else None

        await self._until(happened, f"{times} of {kind}")

    async def _until(
        self, look: Callable[[], JsonObject | None], what: str
    ) -> JsonObject:
        try:
            async with asyncio.timeout(_PATIENCE), self._changed:
                while (found := look()) is None:
                    await self._changed.wait()
                return found
        except TimeoutError as err:
            kinds = [kind for kind, _ in self.events[self._mark :]]
            last = self.log[-1] if self.log else ""
            raise CheckError(f"{self.name}: no {what}; {kinds}; {last}") from err

    async def _follow(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            try:
                event = as_object(json.loads(line))
                kind, data = event["kind"], as_object(event["data"])
            except ValueError, KeyError:
                self.log.append(line.decode(errors="replace").rstrip())
                continue
            async with self._changed:
                self.events.append((str(kind), data))
                self._changed.notify_all()
        with contextlib.suppress(RuntimeError):
            async with self._changed:
                self._changed.notify_all()
