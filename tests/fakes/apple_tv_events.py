"""What a fake Apple TV tells of: a log, and waiting for what is to come.

Of pairing (`protocol`): setup_m1, setup_m3, setup_m5, verify_m1, verify_m3,
setup_refused and verify_refused (state, code, why), pin_shown (pin), pin_hidden,
pin_not_shown, paired (identifier, name), verified (identifier), transient.

Of Companion (`client`, a number): companion_verified, companion_lost, client (name,
installation), request (name), refused (name, code), interest (names), session (started),
evicted, launch (target), account, button (name, length), media (name, seconds), touch
(x, y, phase), touch_ignored, text (length), text_ignored, captions (on), no_op,
unknown_frame, unknown_event, malformed (why).

Of the device: power (state, by), deep (asleep), knocked (port), volume (volume, by),
restarted, stopped, started, moved (address), vanished, came_back, mdns_query (host,
questions), mdns_broken. AirPlay and MRP have events of their own.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FakeEvent:
    """One thing that happened, `at` in seconds of the loop's clock."""

    kind: str
    data: dict[str, object] = field(default_factory=dict)
    at: float = 0.0


class EventLog:
    """All events, and those since the mark that no `wait_for` has taken yet."""

    def __init__(self) -> None:
        self.all: list[FakeEvent] = []
        self.keep = True  # a program that runs for days keeps nothing
        self.listeners: list[Callable[[FakeEvent], None]] = []
        self._untaken: list[FakeEvent] = []
        self._waiters: set[asyncio.Future[None]] = set()

    def emit(self, kind: str, **data: object) -> None:
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

    def seen(self, kind: str, **fits: object) -> list[FakeEvent]:
        """Return all fitting events so far."""
        return [event for event in self.all if matches(event, kind, fits)]

    async def wait_for(
        self, kind: str, timeout: float = 5, **fits: object
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
            happened = ", ".join(event.kind for event in self.all[-60:])
            raise TimeoutError(
                f"no {kind} {fits or ''} in {timeout} s; happened: {happened}"
            ) from None


def matches(event: FakeEvent, kind: str, fits: dict[str, object]) -> bool:
    """Whether an event is the wanted one."""
    if event.kind != kind:
        return False
    for name, wanted in fits.items():
        value = event.data.get(name)
        if not (wanted(value) if callable(wanted) else value == wanted):
            return False
    return True
