"""What a service needs of the session that carries it (the SmartGlass reference, section 9).

A service belongs to one channel. The session opens that channel, moves messages, acks and
retransmits; what a message means is the service's business alone.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Protocol

from ...errors import DisconnectedError
from ...json_lines import JsonObject
from ..messages import Message

if TYPE_CHECKING:
    from ..events import ConsoleEvent

type Emit = Callable[[ConsoleEvent], None]
"""Takes what a service has to tell."""


class ChannelLink(Protocol):
    """One channel of a session, as its service sees it."""

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent now."""

    async def send(self, message: Message) -> None:
        """Send a message and wait for its ack.

        Raises RejectedError, PeerTimeoutError, DisconnectedError; ChannelError when the
        channel is not open.
        """

    def send_nowait(self, message: Message) -> None:
        """Send a message that nobody waits for; the same errors when it cannot be sent."""

    async def send_json(self, obj: JsonObject) -> None:
        """Send an object, in fragments when it is long, and wait for the acks.

        Raises what `send` does, and ProtocolError for what JSON cannot carry.
        """


class Service:
    """One channel's behaviour, and the part that all of them have in common.

    The session calls `opened` when the channel is open, then `received` or
    `received_json` for all that comes, and `closed` when the channel or the session is
    gone. None of these raises, whatever the console sent.
    """

    def __init__(self, link: ChannelLink, emit: Emit) -> None:
        """Use a channel that may not be open yet; `emit` gets the events."""
        self._link = link
        self._emit = emit
        self._gone: asyncio.Event | None = None
        self._period = 0
        self._behind: set[asyncio.Task[None]] = set()

    def opened(self) -> None:
        """The channel is open: begin with nothing known."""
        self.closed()
        self._gone = asyncio.Event()

    def closed(self) -> None:
        """The channel is gone: forget what was known; those who wait fail.

        They get DisconnectedError. Emits nothing: that the link is lost the session tells.
        """
        self._period += 1
        if self._gone is not None:
            self._gone.set()
            self._gone = None
        for task in self._behind:
            task.cancel()

    def received(self, message: Message) -> None:
        """Take a message of this channel."""

    def received_json(self, obj: JsonObject) -> None:
        """Take an object of this channel, complete and parsed."""

    def _require_period(self, period: int) -> None:
        """Raise DisconnectedError when the channel was closed since `period`."""
        if period != self._period:
            raise DisconnectedError("The channel was closed in the meantime")

    def _run_behind(self, work: Coroutine[None, None, None]) -> None:
        """Do something that nobody waits for, until the channel is closed.

        It begins at once: what it sends first leaves before anything else does.
        """
        loop = asyncio.get_running_loop()
        task = asyncio.Task(work, loop=loop, eager_start=True)
        if not task.done():
            self._behind.add(task)
            task.add_done_callback(self._behind.discard)

    async def _pause(self, seconds: float) -> None:
        """Wait; raise DisconnectedError as soon as the channel is closed."""
        if self._gone is None:
            raise DisconnectedError("The channel is not open")
        try:
            async with asyncio.timeout(seconds):
                await self._gone.wait()
        except TimeoutError:
            return
        raise DisconnectedError("The channel was closed in the meantime")
