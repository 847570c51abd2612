"""What a fake KDE Connect device saw, kept until a test asks for it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tests.fakes.kdeconnect_wire import Body, FakeIdentity, FakePacket

type EventKind = Literal[
    "udp_identity",  # a datagram with an identity came
    "identity",  # the identity that counts (v8: the one inside TLS)
    "link_up",
    "link_replaced",
    "link_down",
    "link_failed",  # a connection ended before it was a link; data: reason
    "pairing_requested",
    "pairing_failed",  # data: reason
    "paired",  # data: verification_key
    "unpaired",
    "packet",
    "dropped",  # a packet from a peer that is not paired
    "unlisted",  # a packet of a type that we do not take; real ones drop it, too
    "malformed",  # a line that is no packet, or a packet that is wrong
    "ping",
    "ring",
    "lock_set",
    "command_list",  # the other side's commands
    "command_run",
    "player_action",
    "payload_sent",
    "payload_failed",
    "fetch_failed",  # a payload of the other side; data: reason
    # What the other side wants of a phone.
    "notification_asked",  # data: what ("all", "cancel", "reply", "action"), id, ...
    "call_muted",  # data: muted, whether it rang
    "contacts_wanted",  # data: uids, if the cards are wanted
    "photo_wanted",
    "sms_wanted",  # data: what ("conversations", "conversation", "attachment"), ...
    "sms_sent",  # data: addresses, text
    "storage_wanted",  # data: port, if it was opened
    # The other side's things, as a controller of them sees them.
    "players",  # data: names
    "player_state",  # data: player
    "album_art",  # data: player, url, size, sha256
    "sinks",  # the list; data: names
    "sink_change",  # data: name
    "keyboard_state",  # data: state
    # What the other side did with ours.
    "sink_request",
    "pointer",  # moved, clicked, scrolled; data: the request
    "key",
    "key_echo",
    "presenter",
    "digitizer",
    "virtual_monitor",
    "clipboard",  # data: content, or filename and size
    "shared",  # data: form ("file", "text", "url")
    "batch_failed",  # Android had fewer files than told; data: arrived, wanted
    "share_sent",  # a batch is through
    "notification_shown",
    "notification_gone",
    "command_setup",
    "command_stop",
    "command_output",  # of the other side's command; data: the packet's body
]


@dataclass(frozen=True, slots=True)
class FakeEvent:
    """One thing that happened; `data` is what the program prints of it."""

    kind: EventKind
    device_id: str
    data: Body = field(default_factory=dict)
    packet: FakePacket | None = None
    identity: FakeIdentity | None = None


class EventLog:
    """All events, and those that no `wait_for` has taken yet."""

    def __init__(self) -> None:
        """Start empty."""
        self.all: list[FakeEvent] = []
        self.keep = True  # a program that runs for days keeps nothing
        self.listeners: list[Callable[[FakeEvent], None]] = []
        self._untaken: list[FakeEvent] = []
        self._waiters: set[asyncio.Future[None]] = set()

    def emit(self, event: FakeEvent) -> None:
        """Add an event and wake whoever waits."""
        if self.keep:
            self.all.append(event)
            self._untaken.append(event)
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        for listener in self.listeners:
            listener(event)

    def seen(self, kind: EventKind) -> int:
        """Return how many events of a kind there were so far."""
        return sum(event.kind == kind for event in self.all)

    async def wait_for(
        self,
        kind: EventKind,
        predicate: Callable[[FakeEvent], bool] | None = None,
        timeout: float = 5,
    ) -> FakeEvent:
        """Return the oldest fitting event that was not returned before.

        It may have happened before the call. Raises TimeoutError, which tells
        what happened instead.
        """
        try:
            async with asyncio.timeout(timeout):
                while True:
                    for event in self._untaken:
                        if event.kind == kind and (
                            predicate is None or predicate(event)
                        ):
                            self._untaken.remove(event)
                            return event
                    waiter = asyncio.get_running_loop().create_future()
                    self._waiters.add(waiter)
                    try:
                        await waiter
                    finally:
                        self._waiters.discard(waiter)
        except TimeoutError:
            happened = ", ".join(
                event.packet.type
                if event.kind == "packet" and event.packet
                else event.kind
                for event in self.all
            )
            raise TimeoutError(
                f"no {kind} in {timeout} s; happened: {happened}"
            ) from None
