"""Naps, restarts and floods in a row: always back, and nothing piles up."""

import asyncio
import contextlib
import gc
from pathlib import Path

from homeassistant.core import HomeAssistant

from ..stalls import watched_loop
from .common import (
    PLAYER,
    announce,
    coordinator_of,
    get_state,
    set_up,
    wait_connected,
    wait_data,
    wait_links,
)
from custom_components.rumpus.families.apple_tv.hub import async_get_hub
from custom_components.rumpus.protocols.apple.records import announcement
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_models import FakeItem

CYCLES = 12
FLOOD = 1000


def sockets() -> int:
    """Return how many sockets this process has open."""
    count = 0
    for link in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(FileNotFoundError):  # what has listed them itself
            count += "socket:" in str(link.readlink())
    return count


async def settled(hass: HomeAssistant) -> tuple[int, int]:
    """Return the counts of tasks and of sockets, when nothing ends any more."""
    await hass.async_block_till_done()
    gc.collect()
    return len(asyncio.all_tasks()), sockets()


async def test_naps_and_restarts(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """A device that comes back, however it went, is connected again."""
    entry = await set_up(hass, apple_tv)
    await wait_data(entry, lambda state: state.apps and state.accounts)
    counts: list[tuple[int, int]] = []
    for cycle in range(CYCLES):
        match cycle % 3:
            case 0:
                apple_tv.sleep()
                await wait_connected(entry, is_connected=False)
                await announce(hass, apple_tv, is_proxied=True)
                assert get_state(hass, PLAYER).state == "off"
                apple_tv.wake()
                await announce(hass, apple_tv)
            case 1:
                await apple_tv.restart(new_ports=True)
            case _:
                apple_tv.drop()
                await wait_connected(entry, is_connected=False)
        await wait_links(entry)
        await wait_data(entry, lambda state: state.features)
        counts.append(await settled(hass))
    # The first rounds may make what stays: what comes of the later ones would pile up.
    early, late = counts[2:5], counts[-3:]
    assert max(tasks for tasks, _ in late) <= max(tasks for tasks, _ in early) + 1
    assert max(count for _, count in late) <= max(count for _, count in early) + 1


async def test_flood_of_announcements(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """Anybody can announce anything; the link stays, and the loop has time for others."""
    entry = await set_up(hass, apple_tv)
    hub = async_get_hub(hass)
    losses = {
        name: one.losses for name, one in coordinator_of(entry).device.links.items()
    }
    async with watched_loop() as stalls:
        for number in range(FLOOD):
            told = announcement(
                "_airplay._tcp.local.",
                f"Name {number}._airplay._tcp.local.",
                addresses=[f"10.1.{number >> 8}.{number & 255}"],
                port=7000,
                properties={"deviceid": apple_tv.device_id, "model": "AppleTV14,1"},
            )
            assert told is not None
            hub.feed(told)
            if number % 100 == 0:
                await asyncio.sleep(0)
    assert stalls.work < 0.5
    assert coordinator_of(entry).data.is_connected
    apple_tv.mrp.media.play("com.example.films", FakeItem("f", "Film"))
    await wait_data(entry, lambda state: state.playing.title == "Film")
    now = {name: one.losses for name, one in coordinator_of(entry).device.links.items()}
    assert now == losses
