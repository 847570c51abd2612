"""Two hundred naps, moves and restarts in a row: always back, and nothing left of them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
import gc
import logging
from pathlib import Path
import time
import tracemalloc

import pytest

from .world import PATIENCE, World, find
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.enums import PowerState
from tests.fakes.apple_tv import FakeAppleTv

CYCLES = 200
WARM_UP = 40
SLACK = 24 * 1024
"""Bytes that caches may differ by: one session left over would be more."""

A, C = AppleProtocol.AIRPLAY, AppleProtocol.COMPANION
FILES = Path("/proc/self/fd")
OURS = "custom_components.rumpus."

type Resources = tuple[int, int, Counter[str]]
type Step = Callable[[World, int], Awaitable[None]]


async def announced(world: World) -> None:
    """Tell where it is now, as an announcement would."""
    found = await find(world.fake)
    assert found is not None
    world.device.announce(found)


async def nap(world: World, number: int) -> None:
    """Fall asleep and wake up."""
    world.device.set_asleep(True)
    world.fake.sleep()
    await world.until(lambda: not world.device.is_connected)
    world.fake.wake()
    world.device.set_asleep(False)


async def doze(world: World, number: int) -> None:
    """Be woken from sleep by a command."""
    world.device.set_asleep(True)
    world.fake.sleep()
    await world.until(lambda: not world.device.is_connected)
    await world.device.turn_on()


async def move(world: World, number: int) -> None:
    """Get another address."""
    await world.move(f"127.0.0.{2 + number % 12}")
    await announced(world)


async def restart(world: World, number: int) -> None:
    """Restart at the same place."""
    await world.restart()
    await announced(world)


async def update(world: World, number: int) -> None:
    """Restart with other ports."""
    await world.fake.restart(new_ports=True)
    await announced(world)


async def stumble(world: World, number: int) -> None:
    """Lose one link alone; the device says nothing about it."""
    name = ("companion", "airplay")[number % 2]
    since = world.device.links[AppleProtocol(name)].losses
    world.fake.servers[name].drop()
    await world.until(
        lambda: world.device.links[AppleProtocol(name)].losses == since + 1
    )
    world.device.wake_links()


STEPS: tuple[Step, ...] = (nap, move, stumble, restart, doze, stumble, update)


def resources() -> Resources:
    """Return how many tasks and file descriptors there are, and which objects of ours."""
    gc.collect()
    kinds = (type(found) for found in gc.get_objects())
    ours = Counter(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in kinds
        if kind.__module__.startswith(OURS)
    )
    return len(asyncio.all_tasks()), sum(1 for _ in FILES.iterdir()), ours


def memory() -> int:
    """Return the bytes that were allocated by lines of ours and are still there."""
    root = Path(__file__).parents[3] / "custom_components" / "rumpus"
    only = tracemalloc.Filter(inclusive=True, filename_pattern=f"{root}/*")
    snapshot = tracemalloc.take_snapshot().filter_traces((only,))
    return sum(statistic.size for statistic in snapshot.statistics("filename"))


async def settled(world: World) -> None:
    """Wait until everything is up, and what was is closed."""
    await world.until(lambda: world.up == {A, C})
    await world.until(lambda: world.device.power is PowerState.ON)
    world.events.clear()
    closing = [task for link in world.device._links for task in link._closing]
    if closing:
        await asyncio.wait(closing)


@pytest.mark.usefixtures("other_addresses")
@pytest.mark.timeout(120)
async def test_two_hundred_cycles_leave_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # What the fake and the test tool keep would count as well.
    caplog.set_level(logging.WARNING)
    async with World(FakeAppleTv()) as world:
        world.fake.events.keep = False
        slowest = 0.0
        seen: list[tuple[Resources, int]] = []
        for number in range(CYCLES):
            if number == WARM_UP:
                tracemalloc.start()
            if number == 2 * WARM_UP:
                seen.append((await still(world), memory()))
            since = time.monotonic()
            await STEPS[number % len(STEPS)](world, number)
            await settled(world)
            slowest = max(slowest, time.monotonic() - since)
        before, bytes_before = seen[0]
        await at_most(world, before)
        assert memory() - bytes_before < SLACK
        tracemalloc.stop()
        assert slowest < 5
        assert await world.device.apps()
        losses = {link.losses for link in world.device.links.values()}
        assert min(losses - {0}) > CYCLES / 2


async def still(world: World) -> Resources:
    """Return the resources as soon as they do not change any more."""
    last = None
    async with asyncio.timeout(PATIENCE):
        while (found := resources()) != last:
            last = found
            await world.device.apps()  # as long as that takes
    return found


async def at_most(world: World, before: Resources) -> None:
    """Wait until nothing is there that was not before: what is closing may take time."""
    async with asyncio.timeout(PATIENCE):
        while True:
            tasks, files, ours = resources()
            if tasks <= before[0] and files <= before[1] and ours <= before[2]:
                return
            await world.device.apps()
