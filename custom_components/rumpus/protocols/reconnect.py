"""The one place that decides when to try for a connection again.

What an attempt is, its owner says: calling the device, or knocking so that it calls us.
Everything here runs in one task, and only in the thread of the event loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
import contextlib
from dataclasses import dataclass
import logging
import math
import random
from typing import Any, Final

from .errors import RumpusError

#: Seconds between the loss of a link and the first attempt: it may just get replaced.
LINK_GRACE: Final = 0.3
#: Seconds after which a link counts as good. One that was lost before, the second time
#: in a row, is waited for like a failed attempt: some peers hang up on every call.
SHORT_LINK: Final = 10.0
#: Seconds that one attempt may take.
ATTEMPT_TIMEOUT: Final = 60.0

type TaskFactory = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


@dataclass(frozen=True, slots=True)
class Backoff:
    """Growing pauses, so that a device that stays away is not pestered.

    The delays are in seconds, the last one repeats (the KDE Connect reference, section
    8.3). Each is changed at random by up to the share that jitter says, so that many
    clients do not call in step.
    """

    delays: tuple[float, ...] = (5, 10, 30, 60, 300)
    jitter: float = 0.2

    def __post_init__(self) -> None:
        """Raise ValueError for pauses that are none, or get shorter."""
        if not self.delays or self.delays[0] <= 0 or not 0 <= self.jitter < 1:
            raise ValueError("Delays must be positive, jitter from 0 to below 1")
        if list(self.delays) != sorted(self.delays):
            raise ValueError("Delays must not get shorter")

    def base(self, failures: int) -> float:
        """Return the seconds to wait after so many failures before this one."""
        return self.delays[min(failures, len(self.delays) - 1)]

    def delay(self, failures: int, rng: Callable[[], float] = random.random) -> float:
        """Return the same with jitter; rng gives numbers from 0 to 1."""
        return self.base(failures) * (1 + self.jitter * (2 * rng() - 1))


DEFAULT_BACKOFF: Final = Backoff()


class Reconnector:
    """Tries again and again, ever more seldom, until there is a link.

    An attempt returns True when it has brought the link up, or False when it has only
    asked the device to call; RumpusError and OSError mean that it failed. Its owner
    reports links that come up or go down, whoever began them, and wakes it when the
    device shows up. All calls may come at any time, also from within an attempt.
    """

    def __init__(
        self,
        attempt: Callable[[], Awaitable[bool]],
        *,
        name: str,
        logger: logging.Logger | logging.LoggerAdapter[logging.Logger],
        backoff: Backoff = DEFAULT_BACKOFF,
        rng: Callable[[], float] = random.random,
        create_task: TaskFactory | None = None,
    ) -> None:
        """Prepare for the device of that name, as the log shall call it."""
        self._attempt = attempt
        self._name = name
        self._logger = logger
        self._backoff = backoff
        self._rng = rng
        self._create_task = create_task
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._connected = False
        # How often a link came or went: an attempt that such an event has overtaken
        # has nothing more to say.
        self._events = 0
        # Points in the loop's time; infinity is never.
        self._up_since = -math.inf
        self._due = -math.inf
        self._lost_due = math.inf
        self._lost_reason = ""
        self._lost_logged = False
        self._crash_logged = False
        self._failures = 0
        self._short_links = 0

    @property
    def is_connected(self) -> bool:
        """Whether there is a link."""
        return self._connected

    def start(self) -> None:
        """Begin with an attempt at once, unless there is a link."""
        if self._task is not None and not self._task.done():
            return
        self._failures = 0
        self._due = -math.inf
        create_task = self._create_task or asyncio.get_running_loop().create_task
        self._task = create_task(self._run())

    async def stop(self) -> None:
        """End all attempts. Never raises; start() may begin anew.

        An attempt that calls this is not cancelled, so that it can clean up; what it
        returns does not count.
        """
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.wait({task})

    def wake(self) -> None:
        """Try at once, with short pauses again from there: the device has shown up.

        During an attempt this asks for another one, right after it fails.
        """
        if not self._connected:
            self._failures = 0
            self._due = -math.inf
            self._changed.set()

    def link_up(self) -> None:
        """Make no attempts from now on, since there is a link.

        One that is under way is not cancelled: it may be what calls this.
        """
        if self._connected:
            return
        self._connected = True
        self._events += 1
        self._up_since = asyncio.get_running_loop().time()
        self._lost_due = math.inf
        self._failures = 0
        self._crash_logged = False
        if self._lost_logged:
            self._lost_logged = False
            self._logger.info("Connection to %s is back", self._name)
        self._changed.set()

    def link_down(self, reason: str = "") -> None:
        """Begin anew, since the link is lost: after LINK_GRACE, then ever more seldom.

        The reason is for the log.
        """
        if not self._connected:
            return
        now = asyncio.get_running_loop().time()
        self._connected = False
        self._events += 1
        self._lost_due = now + LINK_GRACE
        self._lost_reason = reason
        if now - self._up_since >= SHORT_LINK:
            self._short_links = 0
        if self._short_links == 0:
            self._due = now + LINK_GRACE
        else:
            self._due = now + self._backoff.delay(self._short_links - 1, self._rng)
        self._short_links += 1
        self._changed.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        me = asyncio.current_task()
        while True:
            # Attempts that fail without any pause must not hold up the event loop.
            await asyncio.sleep(0)
            if self._task is not me:
                return
            self._changed.clear()
            if self._connected:
                await self._changed.wait()
            elif (due := min(self._due, self._lost_due)) > loop.time():
                await self._wait_until(due)
            else:
                self._log_lost()
                if self._due <= loop.time():
                    await self._try()

    async def _wait_until(self, when: float) -> None:
        """Wait for that point of the loop's time, or for something to happen."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(when):
                await self._changed.wait()

    def _log_lost(self) -> None:
        """Log the loss of a link, once it is clear that it was not just replaced."""
        if self._lost_due < math.inf:
            self._lost_due = math.inf
            self._lost_logged = True
            reason = f": {self._lost_reason}" if self._lost_reason else ""
            self._logger.info("Connection to %s is lost%s", self._name, reason)

    async def _try(self) -> None:
        events = self._events
        self._due = math.inf
        is_up = await self._guarded_attempt()
        if self._task is not asyncio.current_task() or self._events != events:
            return
        if is_up:
            self.link_up()
        elif self._due == math.inf:  # nobody has asked for another one meanwhile
            delay = self._backoff.delay(self._failures, self._rng)
            self._failures += 1
            self._due = asyncio.get_running_loop().time() + delay

    async def _guarded_attempt(self) -> bool:
        """Make an attempt, and outlive whatever it raises."""
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT):
                return await self._attempt()
        except (RumpusError, OSError) as err:
            problem = str(err) or type(err).__name__
            self._logger.debug("Cannot connect to %s: %s", self._name, problem)
        except asyncio.CancelledError:
            # Something that the attempt was waiting for may have been cancelled; only
            # if it was this task that is the end.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            self._logger.debug("Attempt to connect to %s was cancelled", self._name)
        except Exception:
            level = logging.DEBUG if self._crash_logged else logging.ERROR
            self._crash_logged = True
            self._logger.log(
                level, "Unexpected error connecting to %s", self._name, exc_info=True
            )
        return False
