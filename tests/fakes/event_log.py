"""What fake devices saw and did, kept until a test asks for it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

SHOWN: Final = 60  # events that an error tells of


@dataclass(frozen=True, slots=True)
class LoggedEvent[K: str, V]:
    """One thing that happened, `at` in seconds of the loop's clock."""

    kind: K
    data: dict[str, V] = field(default_factory=dict)
    at: float = 0.0


class LoggedEvents[K: str, V]:
    """All events, and those since the mark that no `wait_for` has taken yet."""

    def __init__(self) -> None:
        self.all: list[LoggedEvent[K, V]] = []
        self.keep = True  # a program that runs for days keeps nothing
        self.listeners: list[Callable[[LoggedEvent[K, V]], None]] = []
        self._untaken: list[LoggedEvent[K, V]] = []
        self._waiters: set[asyncio.Future[None]] = set()

    def emit(self, kind: K, **data: V) -> None:
        """Add an event and wake whoever waits."""
        event = LoggedEvent(kind, data, asyncio.get_running_loop().time())
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

    def seen(self, kind: K, **fits: object) -> list[LoggedEvent[K, V]]:
        """Return all fitting events so far."""
        return [event for event in self.all if _matches(event, kind, fits)]

    def describe(self, event: LoggedEvent[K, V]) -> str:
        """Return what an error calls an event."""
        return event.kind

    async def wait_for(
        self, kind: K, timeout: float = 5, **fits: object
    ) -> LoggedEvent[K, V]:
        """Return the oldest fitting event since the mark that was not returned yet.

        Each of `fits` is a value of the event's data, or a function that says
        whether it fits. Raises TimeoutError, which tells what happened instead.
        """
        try:
            async with asyncio.timeout(timeout):
                while True:
                    for event in self._untaken:
                        if _matches(event, kind, fits):
                            self._untaken.remove(event)
                            return event
                    waiter = asyncio.get_running_loop().create_future()
                    self._waiters.add(waiter)
                    try:
                        await waiter
                    finally:
                        self._waiters.discard(waiter)
        except TimeoutError:
            happened = ", ".join(self.describe(event) for event in self.all[-SHOWN:])
            raise TimeoutError(
                f"no {kind} {fits or ''} in {timeout} s; happened: {happened}"
            ) from None


def _matches[K: str, V](
    event: LoggedEvent[K, V], kind: K, fits: dict[str, object]
) -> bool:
    """Whether an event is the wanted one."""
    if event.kind != kind:
        return False
    for name, wanted in fits.items():
        value = event.data.get(name)
        if not (wanted(value) if callable(wanted) else value == wanted):
            return False
    return True
