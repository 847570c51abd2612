"""A channel out of thin air, in a loop whose clock leaps."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
import functools

from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.json_lines import JsonObject
from custom_components.rumpus.protocols.smartglass.events import ConsoleEvent
from custom_components.rumpus.protocols.smartglass.messages import Message
from tests.protocols.virtual_time import run


def virtual[**P](
    test: Callable[P, Coroutine[object, None, None]],
) -> Callable[P, None]:
    """Run a test in a loop that never waits for its timers."""

    @functools.wraps(test)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        run(test(*args, **kwargs))

    return wrapper


@dataclass(slots=True)
class FakeLink:
    """Records what is sent, and when.

    `errors` are raised by the next sends, None stands for a send that works; `reply` is
    called with what was sent, before its ack.
    """

    is_open: bool = True
    sent: list[Message] = field(default_factory=list)
    objects: list[JsonObject] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    acked: list[bool] = field(default_factory=list)
    errors: deque[Exception | None] = field(default_factory=deque)
    reply: Callable[[Message], None] | None = None
    answer: Callable[[JsonObject], None] | None = None
    #: Seconds from a send to its ack.
    delay: float = 0.01

    async def send(self, message: Message) -> None:
        self._take(message, acked=True)
        if self.reply is not None:
            self.reply(message)
        await self._acked()

    def send_nowait(self, message: Message) -> None:
        self._take(message, acked=False)
        self._check()

    async def send_json(self, obj: JsonObject) -> None:
        if not self.is_open:
            raise DisconnectedError
        self.objects.append(obj)
        if self.answer is not None:
            self.answer(obj)
        await self._acked()

    def _take(self, message: Message, *, acked: bool) -> None:
        if not self.is_open:
            raise DisconnectedError
        self.sent.append(message)
        self.acked.append(acked)
        self.times.append(asyncio.get_running_loop().time())

    async def _acked(self) -> None:
        await asyncio.sleep(self.delay)
        self._check()

    def _check(self) -> None:
        error = self.errors.popleft() if self.errors else None
        if error is not None:
            raise error

    def of[M: Message](self, kind: type[M]) -> list[M]:
        """Return the messages of one kind that were sent."""
        return [message for message in self.sent if isinstance(message, kind)]


class Events(list[ConsoleEvent]):
    """What a service has told."""

    def take(self) -> list[ConsoleEvent]:
        """Return what is new."""
        new = list(self)
        self.clear()
        return new
