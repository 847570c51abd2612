"""Both ends of a session without sockets, and a client with a fake console."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
import time
from typing import Final
from uuid import UUID

from custom_components.rumpus.protocols.smartglass.console import Console
from custom_components.rumpus.protocols.smartglass.const import ACK_CHANNEL_ID
from custom_components.rumpus.protocols.smartglass.crypto import Crypto
from custom_components.rumpus.protocols.smartglass.discovery import Discoverer, Network
from custom_components.rumpus.protocols.smartglass.events import ConsoleEvent
from custom_components.rumpus.protocols.smartglass.messages import (
    Ack,
    ActiveTitle,
    ConsoleStatus,
    Message,
    MessageFragment,
    StartChannelResponse,
    decode_message,
    encode_message,
)
from custom_components.rumpus.protocols.smartglass.packets import MessageHeader
from custom_components.rumpus.protocols.smartglass.session import (
    MessageReceived,
    Session,
    SessionEvent,
)
from custom_components.rumpus.protocols.smartglass.timing import Timing
from tests.fakes.xbox import FakeConsole

PARTICIPANT: Final = 31
SECRET: Final = bytes(range(64))
CLIENT_UUID: Final = UUID("de305d54-75b4-431b-adb2-eb6b9e546014")
PATIENCE: Final = 5.0
"""Seconds that a test waits for what ought to happen at once."""

#: Short pauses, for a console that is on the same machine.
QUICK: Final = Timing(
    discovery=1.0,
    discovery_interval=0.02,
    connect=(0.02,) * 40,
    pending_interval=0.02,
    pending=1.0,
    acks=(0.02,) * 30,
    channel=1.0,
    status=0.5,
    heartbeat=0.1,
    silence=0.4,
    farewell=0.3,
    power_off=0.8,
    power_off_silence=0.2,
    power_off_heartbeat=0.05,
    launch=0.2,
)
#: The same for what has to fail soon.
HASTY: Final = replace(
    QUICK, discovery=0.1, connect=(0.02,) * 3, acks=(0.02,) * 3, channel=0.1, status=0.1
)


def status(*title_ids: int, build: int = 19041) -> ConsoleStatus:
    """Return a status with these titles, the first of which has the focus."""
    titles = tuple(
        ActiveTitle(title_id, index == 0, 0, bytes(16), bytes(16), f"App{title_id}!App")
        for index, title_id in enumerate(title_ids)
    )
    return ConsoleStatus(0, 10, 0, build, "en-US", titles)


class ConsoleSide:
    """The console's end of a session: seals messages, and opens ours."""

    def __init__(self) -> None:
        self.crypto = Crypto.from_expanded_secret(SECRET)
        self.sequence = 0

    def next_number(self) -> int:
        self.sequence += 1
        return self.sequence

    def seal(
        self,
        message: Message,
        *,
        number: int | None = None,
        channel: int = 0,
        need_ack: bool = True,
        target: int = PARTICIPANT,
        source: int = 0,
    ) -> bytes:
        return self.seal_raw(
            message.message_type,
            encode_message(message),
            number=number,
            channel=channel,
            need_ack=need_ack,
            target=target,
            source=source,
        )

    def seal_raw(
        self,
        message_type: int,
        plaintext: bytes,
        *,
        number: int | None = None,
        channel: int = 0,
        need_ack: bool = True,
        is_fragment: bool = False,
        target: int = PARTICIPANT,
        source: int = 0,
    ) -> bytes:
        header = MessageHeader(
            self.next_number() if number is None else number,
            target,
            source,
            message_type,
            channel,
            need_ack,
            is_fragment,
        )
        return self.crypto.seal_message(header, plaintext)

    def ack(self, processed: Iterable[int] = (), rejected: Iterable[int] = ()) -> bytes:
        message = Ack(0, tuple(processed), tuple(rejected))
        return self.seal(message, channel=ACK_CHANNEL_ID, need_ack=False)

    def fragments(self, message: Message, size: int, channel: int = 0) -> list[bytes]:
        """Return a message in fragments of that size."""
        plaintext = encode_message(message)
        pieces = [plaintext[at : at + size] for at in range(0, len(plaintext), size)]
        begin = self.sequence + 1
        end = begin + len(pieces)
        return [
            self.seal_raw(
                message.message_type,
                MessageFragment(begin, end, piece).encode(),
                channel=channel,
                is_fragment=True,
            )
            for piece in pieces
        ]

    def open(self, datagram: bytes) -> tuple[MessageHeader, Message]:
        header, plaintext = self.crypto.open_message(datagram)
        return header, decode_message(header.message_type, plaintext)


class Talk:
    """A session and the console's end of it, at a time that the test says."""

    def __init__(self, timing: Timing | None = None) -> None:
        self.console = ConsoleSide()
        self.timing = timing or Timing()
        self.now = 100.0
        self.session = Session(
            Crypto.from_expanded_secret(SECRET), PARTICIPANT, self.timing, self.now
        )
        self.events: list[SessionEvent] = []

    def receive(self, *datagrams: bytes) -> list[tuple[MessageHeader, Message]]:
        """Give the session datagrams, and return what it sends because of them."""
        for datagram in datagrams:
            self.session.datagram_received(datagram, self.now)
        return self.sent()

    def say(
        self, message: Message, channel: int = 0, *, need_ack: bool = True
    ) -> list[tuple[MessageHeader, Message]]:
        """Let the console send a message."""
        return self.receive(
            self.console.seal(message, channel=channel, need_ack=need_ack)
        )

    def sent(self) -> list[tuple[MessageHeader, Message]]:
        """Return what the session sends now, opened."""
        self.events += self.session.take_events()
        return [
            self.console.open(datagram) for datagram in self.session.take_datagrams()
        ]

    def took(self) -> list[SessionEvent]:
        """Return what has happened since the last time."""
        self.events += self.session.take_events()
        taken, self.events = self.events, []
        return taken

    def wait(self, seconds: float) -> list[tuple[MessageHeader, Message]]:
        """Let time pass, tick by tick, and return what is sent meanwhile."""
        end = self.now + seconds
        sent: list[tuple[MessageHeader, Message]] = []
        while (due := self.session.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            self.session.tick(self.now)
            sent += self.sent()
        self.now = end
        return sent

    def open_channel(self, channel_id: int, request_id: int) -> None:
        """Let the console open a channel that was asked for."""
        self.say(StartChannelResponse(request_id, channel_id, 0))


def builds_of(talk: Talk) -> list[int]:
    """Return the builds of the statuses that were delivered, which tell them apart."""
    return [
        event.message.build_number
        for event in talk.took()
        if isinstance(event, MessageReceived)
        and isinstance(event.message, ConsoleStatus)
    ]


class Log:
    """All events of a console; tests wait for those that they want."""

    def __init__(self) -> None:
        self.events: list[ConsoleEvent] = []
        self._changed = asyncio.Event()

    def __call__(self, event: ConsoleEvent) -> None:
        self.events.append(event)
        self._changed.set()

    async def wait_for[T: ConsoleEvent](
        self,
        kind: type[T],
        fits: Callable[[T], bool] = lambda event: True,
        timeout: float = PATIENCE,
    ) -> T:
        """Return the first event of a kind that fits, which may have come before."""
        async with asyncio.timeout(timeout):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and fits(event):
                        return event
                self._changed.clear()
                await self._changed.wait()

    def of[T: ConsoleEvent](self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]


def network_of(*fakes: FakeConsole) -> Network:
    """Return a network of consoles on loopback."""
    return Network(
        bind="127.0.0.1",
        port=fakes[0].port,
        targets=tuple((fake.address, fake.port) for fake in fakes),
    )


@asynccontextmanager
async def discoverer_of(*fakes: FakeConsole) -> AsyncIterator[Discoverer]:
    """Return a discoverer that is started, for consoles on loopback."""
    discoverer = Discoverer(network_of(*fakes))
    await discoverer.start()
    try:
        yield discoverer
    finally:
        await discoverer.stop()


@asynccontextmanager
async def client_of(
    fake: FakeConsole,
    *,
    timing: Timing = QUICK,
    client_uuid: UUID = CLIENT_UUID,
    port: int | None = None,
) -> AsyncIterator[tuple[Console, Log]]:
    """Return a console, not connected yet, and its events."""
    async with discoverer_of(fake) as discoverer:
        console = Console(
            discoverer,
            live_id=fake.live_id,
            address=fake.address,
            port=fake.port if port is None else port,
            client_uuid=client_uuid,
            timing=timing,
        )
        log = Log()
        unsubscribe = console.subscribe(log)
        try:
            yield console, log
        finally:
            unsubscribe()
            await console.disconnect()


async def longest_stall(work: Awaitable[object]) -> float:
    """Return the longest time in seconds that the event loop was held up meanwhile."""
    longest = 0.0
    task = asyncio.ensure_future(work)
    last = time.perf_counter()
    while not task.done():
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    await task
    return longest
