"""The reconnect brain, in virtual time: when it tries, when it does not, what it logs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
import contextlib
import logging
from typing import Any

from hypothesis import given, strategies as st
import pytest

from .virtual_time import run
from custom_components.rumpus.protocols.errors import DisconnectedError, RumpusError
from custom_components.rumpus.protocols.reconnect import (
    ATTEMPT_TIMEOUT,
    DEFAULT_BACKOFF,
    LINK_GRACE,
    SHORT_LINK,
    Backoff,
    Reconnector,
    TaskFactory,
)

LOGGER = logging.getLogger("rumpus.test")

type Script = list[bool | BaseException | Callable[[], Awaitable[bool]]]

FAILED = RumpusError("no answer")


class Device:
    """Does in each attempt what its script says; fails when that is at its end."""

    def __init__(
        self, *script: bool | BaseException | Callable[[], Awaitable[bool]]
    ) -> None:
        self.script: Script = list(script)
        self.times: list[float] = []
        self.changed = asyncio.Event()
        self.began = asyncio.get_running_loop().time()
        self.brain = Reconnector(
            self.attempt, name="Phone", logger=LOGGER, rng=lambda: 0.5
        )

    async def attempt(self) -> bool:
        self.times.append(round(asyncio.get_running_loop().time() - self.began, 3))
        self.changed.set()
        step = self.script.pop(0) if self.script else FAILED
        if isinstance(step, BaseException):
            raise step
        return step if isinstance(step, bool) else await step()

    async def attempts(self, count: int) -> list[float]:
        """Wait for so many attempts, and return when they were, from the beginning."""
        while len(self.times) < count:
            self.changed.clear()
            await self.changed.wait()
        # The last of them gets its time to end.
        for _ in range(5):
            await asyncio.sleep(0)
        return self.times


@contextlib.asynccontextmanager
async def started(device: Device) -> AsyncIterator[Reconnector]:
    """Run a device's brain for as long as the context lasts."""
    device.brain.start()
    try:
        yield device.brain
    finally:
        await device.brain.stop()


def messages(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    """Return what was logged from that level on."""
    return [record.getMessage() for record in caplog.records if record.levelno >= level]


# Back-off.

delays = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=8).map(sorted).map(tuple)


@given(delays, st.floats(0, 0.99), st.integers(0, 1000), st.floats(0, 1))
def test_delays_stay_within_their_bounds_and_never_shrink(
    delays: tuple[float, ...], jitter: float, failures: int, chance: float
) -> None:
    backoff = Backoff(delays, jitter)
    base = backoff.base(failures)
    assert delays[0] <= base <= backoff.base(failures + 1) <= delays[-1]
    share = backoff.delay(failures, lambda: chance) / base
    assert 1 - jitter - 1e-9 <= share <= 1 + jitter + 1e-9
    assert backoff.delay(failures) > 0


def test_the_default_delays_and_jitter() -> None:
    assert [DEFAULT_BACKOFF.base(failures) for failures in range(7)] == [
        *(5, 10, 30, 60, 300, 300, 300)
    ]
    assert DEFAULT_BACKOFF.delay(0, lambda: 0.0) == pytest.approx(4)
    assert DEFAULT_BACKOFF.delay(0, lambda: 1.0) == pytest.approx(6)


@pytest.mark.parametrize(
    ("delays", "jitter"),
    [((), 0.2), ((0, 1), 0.2), ((-1,), 0.2), ((2, 1), 0.2), ((1,), 1.0), ((1,), -0.1)],
)
def test_pauses_that_make_no_sense(delays: tuple[float, ...], jitter: float) -> None:
    with pytest.raises(ValueError, match="must"):
        Backoff(delays, jitter)


# When attempts are made.


@pytest.mark.parametrize(
    "failure",
    [
        False,
        FAILED,
        DisconnectedError("gone"),
        OSError(113, "No route"),
        TimeoutError(),
    ],
)
def test_attempts_that_bring_no_link_get_rarer(failure: bool | BaseException) -> None:
    async def scenario() -> None:
        device = Device(*[failure] * 7)
        async with started(device) as brain:
            assert await device.attempts(7) == [0, 5, 15, 45, 105, 405, 705]
            assert not brain.is_connected

    run(scenario())


def test_an_attempt_that_succeeds_is_the_last() -> None:
    async def scenario() -> None:
        device = Device(FAILED, True)
        async with started(device) as brain:
            await device.attempts(2)
            assert brain.is_connected
            await asyncio.sleep(1000)
            assert device.times == [0, 5]

    run(scenario())


def test_no_attempt_with_a_link_that_came_before_the_start() -> None:
    async def scenario() -> None:
        device = Device()
        device.brain.link_up()
        async with started(device):
            await asyncio.sleep(1000)
            assert device.times == []

    run(scenario())


def test_a_link_that_comes_by_itself_ends_the_attempts() -> None:
    async def scenario() -> None:
        device = Device()
        async with started(device) as brain:
            await device.attempts(3)
            brain.link_up()
            brain.link_up()
            assert brain.is_connected
            brain.wake()
            await asyncio.sleep(1000)
            assert device.times == [0, 5, 15]

    run(scenario())


def test_a_lost_link_is_tried_for_after_the_grace_and_then_from_the_first_delay() -> (
    None
):
    async def scenario() -> None:
        device = Device(FAILED, FAILED, True)
        async with started(device) as brain:
            await device.attempts(3)
            await asyncio.sleep(SHORT_LINK)
            device.times.clear()
            device.began = asyncio.get_running_loop().time()
            brain.link_down()
            brain.link_down()
            assert not brain.is_connected
            assert await device.attempts(3) == [
                LINK_GRACE,
                LINK_GRACE + 5,
                LINK_GRACE + 15,
            ]

    run(scenario())


def test_waking_tries_at_once_and_starts_the_delays_again() -> None:
    async def scenario() -> None:
        device = Device()
        async with started(device) as brain:
            await device.attempts(4)
            await asyncio.sleep(7)
            brain.wake()
            assert await device.attempts(6) == [0, 5, 15, 45, 52, 57]

    run(scenario())


@pytest.mark.parametrize("outcome", [False, FAILED])
def test_waking_during_an_attempt_means_one_more_right_after_it(
    outcome: bool | BaseException,
) -> None:
    async def scenario() -> None:
        async def slow() -> bool:
            await asyncio.sleep(3)
            device.brain.wake()
            device.brain.wake()
            await asyncio.sleep(1)
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        device = Device(slow)
        async with started(device):
            assert await device.attempts(3) == [0, 4, 9]

    run(scenario())


def test_waking_during_an_attempt_that_succeeds_means_nothing() -> None:
    async def scenario() -> None:
        async def lucky() -> bool:
            device.brain.wake()
            return True

        device = Device(lucky)
        async with started(device) as brain:
            await asyncio.sleep(1000)
            assert brain.is_connected
            assert device.times == [0]

    run(scenario())


def test_an_attempt_may_report_the_link_itself() -> None:
    async def scenario() -> None:
        async def reports() -> bool:
            device.brain.link_up()
            await asyncio.sleep(1)
            return True

        device = Device(reports)
        async with started(device) as brain:
            await asyncio.sleep(1000)
            assert brain.is_connected
            assert device.times == [0]

    run(scenario())


def test_an_attempt_that_a_lost_link_has_overtaken_does_not_count() -> None:
    async def scenario() -> None:
        async def overtaken() -> bool:
            device.brain.link_up()
            await asyncio.sleep(SHORT_LINK)
            device.brain.link_down()
            await asyncio.sleep(0.1)
            return True

        device = Device(overtaken)
        async with started(device) as brain:
            assert await device.attempts(2) == [0, SHORT_LINK + LINK_GRACE]
            assert not brain.is_connected

    run(scenario())


def test_links_that_are_short_one_after_the_other_are_waited_for_ever_longer() -> None:
    async def scenario() -> None:
        device = Device(*[True] * 6)
        async with started(device) as brain:
            for count in range(1, 5):
                await device.attempts(count)
                brain.link_down()
            # A grace, then the delays, though each attempt succeeds.
            assert await device.attempts(5) == [0, 0.3, 5.3, 15.3, 45.3]
            await asyncio.sleep(SHORT_LINK)
            brain.link_down()
            assert (await device.attempts(6))[5] == pytest.approx(55.6)

    run(scenario())


def test_attempt_timeout() -> None:
    async def scenario() -> None:
        async def hangs() -> bool:
            await asyncio.Event().wait()
            return True

        device = Device(hangs)
        async with started(device):
            assert await device.attempts(2) == [0, ATTEMPT_TIMEOUT + 5]

    run(scenario())


def test_an_attempt_that_always_wakes_does_not_hold_up_the_others() -> None:
    async def scenario() -> None:
        async def restless() -> bool:
            device.brain.wake()
            return False

        device = Device(*[restless] * 1000)
        async with started(device):
            for _ in range(20):
                await asyncio.sleep(0)
            assert 5 < len(device.times) < 30

    run(scenario())


# What attempts may raise.


def test_unexpected_errors_are_logged_once_and_outlived(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        caplog.set_level(logging.DEBUG)
        broken = ZeroDivisionError("bug")
        device = Device(broken, broken, True, broken)
        async with started(device) as brain:
            await device.attempts(2)
            assert [record.levelno for record in caplog.records if record.exc_info] == [
                logging.ERROR,
                logging.DEBUG,
            ]
            await device.attempts(3)
            caplog.clear()
            brain.link_down()
            await device.attempts(4)
            assert messages(caplog, logging.ERROR) == [
                "Unexpected error connecting to Phone"
            ]

    run(scenario())


def test_an_attempt_whose_helper_was_canceled_has_failed() -> None:
    async def scenario() -> None:
        device = Device(asyncio.CancelledError())
        async with started(device):
            assert await device.attempts(2) == [0, 5]

    run(scenario())


# The end.


def test_stop_cancels_an_attempt_and_may_be_called_twice() -> None:
    async def scenario() -> None:
        async def hangs() -> bool:
            await asyncio.Event().wait()
            return True

        device = Device(hangs)
        brain = device.brain
        await brain.stop()
        brain.start()
        brain.start()
        await device.attempts(1)
        await asyncio.gather(brain.stop(), brain.stop())
        await brain.stop()
        for event in (brain.wake, brain.link_up, brain.link_down, brain.wake):
            event()
        await asyncio.sleep(1000)
        assert device.times == [0]

    run(scenario())


def test_stop_from_within_an_attempt_lets_it_clean_up() -> None:
    async def scenario() -> None:
        cleaned = asyncio.Event()

        async def stops() -> bool:
            await device.brain.stop()
            await asyncio.sleep(1)
            cleaned.set()
            return True

        device = Device(stops)
        device.brain.start()
        await cleaned.wait()
        await asyncio.sleep(1000)
        assert device.times == [0]
        assert not device.brain.is_connected

    run(scenario())


def test_start_begins_anew_after_stop_even_before_the_old_attempt_ends() -> None:
    async def scenario() -> None:
        async def restarts() -> bool:
            await device.brain.stop()
            device.brain.start()
            await asyncio.sleep(1)
            return True

        device = Device(restarts)
        device.brain.start()
        assert await device.attempts(3) == [0, 0, 5]
        assert not device.brain.is_connected
        await device.brain.stop()

    run(scenario())


def test_start_begins_anew_when_someone_else_has_canceled_the_task() -> None:
    async def scenario() -> None:
        tasks: list[asyncio.Task[None]] = []

        def create(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
            tasks.append(asyncio.create_task(coroutine))
            return tasks[-1]

        factory: TaskFactory = create

        async def hangs() -> bool:
            await asyncio.Event().wait()
            return True

        device = Device(hangs)
        brain = Reconnector(
            device.attempt, name="Phone", logger=LOGGER, create_task=factory
        )
        brain.start()
        await device.attempts(1)
        tasks[0].cancel()
        await asyncio.wait(tasks)
        assert tasks[0].cancelled()
        await asyncio.sleep(1000)
        assert len(device.times) == 1
        brain.start()
        await device.attempts(2)
        assert len(tasks) == 2
        await brain.stop()
        assert all(task.done() for task in tasks)

    run(scenario())


def test_a_task_that_begins_eagerly() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()

        def create(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
            return asyncio.Task(coroutine, loop=loop, eager_start=True)

        device = Device(False, True)
        brain = Reconnector(
            device.attempt, name="Phone", logger=LOGGER, create_task=create
        )
        brain.start()
        await device.attempts(2)
        assert brain.is_connected
        await brain.stop()

    run(scenario())


# The log.


def test_lost_and_back_are_logged_once_each(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        caplog.set_level(logging.INFO)
        device = Device(FAILED, True, FAILED, FAILED, FAILED)
        async with started(device) as brain:
            await device.attempts(2)
            assert messages(caplog) == []  # it never was there before
            brain.link_down("closed by the peer")
            assert messages(caplog) == []  # it may just get replaced
            await device.attempts(5)
            assert messages(caplog) == [
                "Connection to Phone is lost: closed by the peer"
            ]
            brain.link_up()
            assert messages(caplog)[1:] == ["Connection to Phone is back"]
            brain.link_down()
            brain.wake()
            await device.attempts(6)
            assert messages(caplog)[2:] == ["Connection to Phone is lost"]

    run(scenario())


def test_a_replaced_link_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        caplog.set_level(logging.INFO)
        device = Device(True)
        async with started(device) as brain:
            await device.attempts(1)
            brain.link_down()
            await asyncio.sleep(LINK_GRACE / 2)
            brain.link_up()
            await asyncio.sleep(1000)
            assert messages(caplog) == []
            assert device.times == [0]
            # Nor does an earlier loss make it news.
            brain.link_down()
            await asyncio.sleep(LINK_GRACE + 0.1)
            brain.link_up()
            assert len(messages(caplog)) == 2
            caplog.clear()
            await asyncio.sleep(1000)
            brain.link_down()
            brain.link_up()
            assert messages(caplog) == []

    run(scenario())


def test_a_loss_is_logged_long_before_the_next_attempt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        caplog.set_level(logging.INFO)
        device = Device(True, True)
        async with started(device) as brain:
            await device.attempts(1)
            brain.link_down()
            await device.attempts(2)
            caplog.clear()
            brain.link_down("again")  # the second short link: five seconds to wait
            await asyncio.sleep(LINK_GRACE + 0.1)
            assert messages(caplog) == ["Connection to Phone is lost: again"]
            assert len(device.times) == 2

    run(scenario())
