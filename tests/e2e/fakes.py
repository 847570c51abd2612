"""Fake devices as child processes that tell what happens to them, one JSON object a line."""

import asyncio
from collections.abc import Callable, Sequence
import contextlib
from pathlib import Path
import signal
from typing import Final

from .server import ROOT, die_with_parent
from .shapes import JsonObject, ShapeError, as_object, parse

START_TIMEOUT: Final = 30.0
STOP_TIMEOUT: Final = 5.0
MAX_NOISE: Final = 200


class FakeError(Exception):
    """A fake device did not do what it should."""


class FakeProcess:
    """One fake device. `events` holds every JSON line that it printed, oldest first.

    Commands go to its standard input, one a line.
    """

    def __init__(
        self, name: str, command: Sequence[str], *, prefix: Sequence[str] = ()
    ) -> None:
        """Describe the process; `prefix` runs it in another network namespace."""
        self.name = name
        self.events: list[JsonObject] = []
        self._command = (*die_with_parent(), *prefix, *command)
        self._noise: list[str] = []
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._changed = asyncio.Condition()
        self._ended = False

    @property
    def position(self) -> int:
        """The number of events so far: a mark for `wait`."""
        return len(self.events)

    async def start(self) -> None:
        """Start the process."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        if self._process.stdout is None or self._process.stderr is None:
            raise FakeError("a process without pipes")
        self._readers = [
            asyncio.create_task(self._read_events(self._process.stdout)),
            asyncio.create_task(self._read_noise(self._process.stderr)),
        ]

    async def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_TIMEOUT):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        await asyncio.gather(*self._readers, return_exceptions=True)

    async def say(self, line: str) -> None:
        """Send a command."""
        if self._process is None or self._process.stdin is None:
            raise FakeError(f"{self.name} does not run")
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()

    async def wait(
        self,
        fits: Callable[[JsonObject], bool],
        what: str,
        timeout: float = START_TIMEOUT,
        *,
        start: int = 0,
    ) -> JsonObject:
        """Wait for an event that fits, from a position on; FakeError tells what happened instead."""
        position = start
        try:
            async with asyncio.timeout(timeout), self._changed:
                while True:
                    for event in self.events[position:]:
                        if fits(event):
                            return event
                    position = len(self.events)
                    if self._ended:
                        raise FakeError(
                            f"{self.name} ended: {' | '.join(self._noise[-8:])}"
                        )
                    await self._changed.wait()
        except TimeoutError:
            raise FakeError(
                f"{self.name}: no {what} in {timeout:g} s; its last events: {self.events[-6:]}"
            ) from None

    async def follow(self, show: Callable[[JsonObject], None]) -> None:
        """Hand every event from now on to a function, until the process ends."""
        position = len(self.events)
        while not self._ended:
            async with self._changed:
                await self._changed.wait()
            for event in self.events[position:]:
                show(event)
            position = len(self.events)

    async def _read_events(self, stream: asyncio.StreamReader) -> None:
        """Keep what the process prints."""
        while line := await stream.readline():
            try:
                event = as_object(parse(line))
            except ShapeError:
                self._keep_noise(line)
                continue
            async with self._changed:
                self.events.append(event)
                self._changed.notify_all()
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def _read_noise(self, stream: asyncio.StreamReader) -> None:
        """Keep what goes wrong, for error texts."""
        while line := await stream.readline():
            self._keep_noise(line)

    def _keep_noise(self, line: bytes) -> None:
        self._noise.append(line.decode(errors="replace").rstrip())
        del self._noise[:-MAX_NOISE]


def python_command(environment: Path, module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs a module of this repository."""
    return (str(environment / "bin" / "python"), "-m", module, *arguments)
