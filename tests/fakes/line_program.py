"""A fake device as a program: events go out and commands come in, a line each."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import contextlib
import json
import signal
import sys
from types import TracebackType
from typing import Self, TextIO

type RunCommand = Callable[[list[str]], Awaitable[Mapping[str, object]]]


class CommandError(Exception):
    """A line that is no command; the text tells why and never what it was."""


class LineProgram:
    """Runs until SIGTERM, SIGINT, or the command `quit`."""

    def __init__(
        self,
        output: TextIO | None = None,
        commands: asyncio.StreamReader | None = None,
    ) -> None:
        """Say things on `output`, by default standard output, and read likewise."""
        self._output = output
        self._commands = commands
        self._stop = asyncio.Event()
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Stop in good order at a signal from now on."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
            self._stack.callback(loop.remove_signal_handler, number)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close what was opened."""
        await self._stack.aclose()

    def say(self, kind: str, data: Mapping[str, object]) -> None:
        """Write a line."""
        entry = {"kind": kind, "data": data}
        line = json.dumps(entry, ensure_ascii=False, default=str)
        print(line, file=self._output, flush=True)

    async def obey(self, run: RunCommand) -> None:
        """Carry out commands until it is over."""
        lines = self._commands or await self._standard_input()
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._obey(lines, run))
            await self._stop.wait()
            reading.cancel()

    async def _standard_input(self) -> asyncio.StreamReader:
        """Return standard input; an empty one when it cannot be waited for."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        try:
            transport, _ = await loop.connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
            )
        except ValueError, OSError:
            reader.feed_eof()
        else:
            self._stack.callback(transport.close)
        return reader

    async def _obey(self, lines: asyncio.StreamReader, run: RunCommand) -> None:
        async for line in lines:
            words = line.decode(errors="replace").split()
            if not words:
                continue
            if words[0] == "quit":
                self._stop.set()
                return
            try:
                answer = await run(words)
            except CommandError as error:
                self.say("error", {"command": words[0], "reason": str(error)})
            else:
                # Not the rest of the line: it may be a text that nobody should see.
                self.say("done", {"command": words[0], **answer})
