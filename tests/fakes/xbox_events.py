"""What a fake console saw and did, kept until a test asks for it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tests.fakes.xbox_wire import Value

type EventKind = Literal[
    # In the open. Every packet is told of, repetitions too.
    "discovery_request",  # host, port, client_type
    "power_on",  # host, live_id, right: whether it is ours
    "state",  # value: "on", "booting", "standby", "unplugged"
    "connect_request",  # host, client_uuid, anonymous, repeated
    "connect_answer",  # result, participant
    "dropped",  # reason: a datagram that got no answer
    # What it shows, whoever changed it.
    "titles",  # aums, focused
    "media",  # asset_id, status; None and None for nothing
    "text_opened",  # session, scope
    "text_closed",  # session, result
    # Sessions; data has `participant`.
    "connected",  # host, client_uuid, anonymous
    "joined",  # display_name and the rest of LocalJoin
    "left",  # reason, by: "client", "console", "replaced", "silence", "no_ack"
    "message",  # each message once: name, sequence, channel, need_ack, fields
    "sent",  # the same of ours, with `logs_sent`
    "duplicate",  # a message that came again: name, sequence
    "rejected",  # a message whose ack said no: name, sequence
    "malformed",  # a message that has another layout: name, reason
    "unknown_channel",  # name, channel
    "heartbeat",
    "resent",  # one of ours again: sequence, attempt
    "acked",  # one of ours: sequence, accepted
    "roamed",  # the client's address is another: host, port
    "channel_opened",  # service, channel, title_id
    "channel_refused",  # service, result
    "channel_closed",  # service, channel
    # What clients did with the channels; each command once, data has `sequence`.
    "gamepad",  # the fields
    "touch",
    "sensor",  # name and the fields
    "media_command",  # the fields, and result
    "text_input",  # session, version, length; never the text
    "text_ack",
    "text_done",
    "text_refused",  # reason
    "json_request",  # request, msgid, params
    "json_error",  # reason
    "send_key",  # button_id, device_id, result
    "set_channel",  # channel_id, lineup, found
    "title_launch",  # uri, location, honoured
    "unsnap",
    "game_dvr",  # the fields, effective
    "power_off",  # live_id, right
    "aux_hello",
    "aux_connected",
    "aux_data",  # size
    "aux_closed",  # reason
    "stream",  # what: "start", "stop"; state, error
]


@dataclass(frozen=True, slots=True)
class FakeEvent:
    """One thing that happened, `at` in seconds of the loop's clock."""

    kind: EventKind
    data: dict[str, Value] = field(default_factory=dict)
    at: float = 0.0


class EventLog:
    """All events, and those since the mark that no `wait_for` has taken yet."""

    def __init__(self) -> None:
        self.all: list[FakeEvent] = []
        self.keep = True  # a program that runs for days keeps nothing
        self.listeners: list[Callable[[FakeEvent], None]] = []
        self._untaken: list[FakeEvent] = []
        self._waiters: set[asyncio.Future[None]] = set()

    def emit(self, kind: EventKind, **data: Value) -> None:
        """Add an event and wake whoever waits."""
        event = FakeEvent(kind, data, asyncio.get_running_loop().time())
        if self.keep:
            self.all.append(event)
            self._untaken.append(event)
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        for listener in self.listeners:
            listener(event)

    def mark(self) -> None:
        """Let `wait_for` forget what happened so far."""
        self._untaken.clear()

    def seen(self, kind: EventKind, **fits: object) -> list[FakeEvent]:
        """Return all fitting events so far."""
        return [event for event in self.all if matches(event, kind, fits)]

    async def wait_for(
        self, kind: EventKind, timeout: float = 5, **fits: object
    ) -> FakeEvent:
        """Return the oldest fitting event since the mark that was not returned yet.

        Each of `fits` is a value of the event's data, or a function that says
        whether it fits. Raises TimeoutError, which tells what happened instead.
        """
        try:
            async with asyncio.timeout(timeout):
                while True:
                    for event in self._untaken:
                        if matches(event, kind, fits):
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
                f"{event.kind}:{event.data['name']}"
                if event.kind == "message"
                else event.kind
                for event in self.all[-60:]
            )
            raise TimeoutError(
                f"no {kind} {fits or ''} in {timeout} s; happened: {happened}"
            ) from None


def matches(event: FakeEvent, kind: EventKind, fits: dict[str, object]) -> bool:
    """Whether an event is the wanted one."""
    if event.kind != kind:
        return False
    for name, wanted in fits.items():
        value = event.data.get(name)
        if not (wanted(value) if callable(wanted) else value == wanted):
            return False
    return True
