"""A device that sleeps is left alone, until it wakes or somebody wants something."""

import asyncio
from dataclasses import replace

import pytest

from .stubs import AIRPLAY, COMPANION, Bench, found, scenario
from custom_components.rumpus.protocols.apple.enums import Key, PowerState
from custom_components.rumpus.protocols.apple.events import LinkUp
from custom_components.rumpus.protocols.apple.timing import Timing
from custom_components.rumpus.protocols.companion.enums import AttentionState
from custom_components.rumpus.protocols.companion.events import AttentionChanged, Lost
from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.mrp.events import Lost as MrpLost
from custom_components.rumpus.protocols.reconnect import Backoff
from tests.protocols.virtual_time import run

SLOW = Timing(backoff=Backoff((1000.0,)), asleep_interval=20)
"""So that only what wakes a link makes an attempt."""


def asleep(bench: Bench) -> bool:
    return bench.device.is_asleep


def test_a_device_that_sleeps_is_left_alone() -> None:
    async def act() -> None:
        bench = scenario(is_asleep=True)
        assert asleep(bench)
        assert bench.device.power is PowerState.OFF
        bench.device.start()
        with pytest.raises(DisconnectedError, match="sleeps"):
            await bench.device.connected(60)
        await asyncio.sleep(300)
        assert not bench.tunnels
        assert not bench.companions
        # It is asked for, seldom: its sleep proxy may have gone unseen.
        assert 5 <= bench.resolves <= 12
        bench.resolved = found(is_asleep=True)
        await asyncio.sleep(60)
        assert not bench.tunnels
        bench.resolved = found()
        await bench.until(lambda: len(bench.told(LinkUp)) == 2)
        assert not asleep(bench)
        await bench.device.stop()

    run(act())


def test_the_sleep_proxy_that_goes_wakes_the_links_at_once() -> None:
    async def act() -> None:
        bench = scenario(is_asleep=True, timing=SLOW)
        bench.device.start()
        await asyncio.sleep(100)
        loop = asyncio.get_running_loop()
        since = loop.time()
        bench.device.set_asleep(False)
        await bench.until(lambda: len(bench.told(LinkUp)) == 2)
        assert loop.time() - since < 0.1
        # Being told again what is known wakes nobody.
        bench.device.set_asleep(False)
        await bench.device.stop()

    run(act())


def test_falling_asleep_while_up_and_the_end_of_the_links() -> None:
    async def act() -> None:
        bench = scenario()
        await bench.start()
        bench.device.announce(found(is_asleep=True))
        assert asleep(bench)
        assert bench.device.is_connected
        await bench.device.connected(1)
        bench.tunnel.tell(MrpLost(None))
        bench.companion.tell(Lost(None))
        assert bench.device.power is PowerState.OFF
        await asyncio.sleep(100)
        assert len(bench.tunnels) == 1
        await bench.device.stop()

    run(act())


def test_one_link_is_enough_for_a_device_that_sleeps() -> None:
    async def act() -> None:
        bench = scenario()
        bench.tunnel_script.gate = asyncio.Event()
        bench.device.start()
        await bench.until(lambda: bench.device.is_connected)
        bench.device.set_asleep(True)
        await bench.device.connected(5)
        await bench.device.stop()

    run(act())


def test_a_command_wakes_a_device_that_sleeps() -> None:
    async def act() -> None:
        bench = scenario(is_asleep=True, timing=SLOW)
        bench.device.start()
        await asyncio.sleep(100)
        await bench.device.press(Key.MENU)
        assert not asleep(bench)
        assert len(bench.calls) == 1
        # What is remembered of it says so, too.
        assert not bench.device.found.is_asleep
        await bench.device.stop()

    run(act())


def off(bench: Bench) -> None:
    """Have the device say that it goes to sleep, and hang up."""
    bench.companion.power = PowerState.OFF
    bench.companion.tell(AttentionChanged(AttentionState.ASLEEP))
    bench.tunnel.tell(MrpLost(None))
    bench.companion.tell(Lost(None))


def test_a_device_that_was_off_is_not_called_before_it_was_looked_for() -> None:
    async def act() -> None:
        bench = scenario()
        await bench.start()
        gate = bench.resolve_gate = asyncio.Event()
        bench.resolved = found(is_asleep=True)
        off(bench)
        await asyncio.sleep(2)
        assert len(bench.tunnels) == len(bench.companions) == 1
        gate.set()
        await asyncio.sleep(20)
        assert bench.device.is_asleep
        assert len(bench.tunnels) == len(bench.companions) == 1
        await bench.device.stop()

    run(act())


@pytest.mark.parametrize("word", ["resolve", "announce", "awake", "wake", "wish"])
def test_a_device_that_was_off_and_is_not_asleep_is_called_at_once(word: str) -> None:
    async def act() -> None:
        bench = scenario()
        await bench.start()
        bench.resolve_gate = asyncio.Event()
        off(bench)
        await asyncio.sleep(2)
        assert len(bench.tunnels) == len(bench.companions) == 1
        loop = asyncio.get_running_loop()
        since = loop.time()
        if word == "resolve":
            bench.resolve_gate.set()
        elif word == "announce":
            bench.device.announce(found())
        elif word == "awake":
            bench.device.set_asleep(True)
            bench.device.set_asleep(False)
        elif word == "wake":
            bench.device.wake_links()
        else:
            await bench.device.apps()
        await bench.until(lambda: len(bench.told(LinkUp)) == 4)
        assert loop.time() - since < 0.1
        await bench.device.stop()

    run(act())


def test_a_search_that_does_not_end_holds_up_nobody_for_long() -> None:
    async def act() -> None:
        bench = scenario()
        await bench.start()
        bench.resolve_gate = asyncio.Event()
        off(bench)
        loop = asyncio.get_running_loop()
        since = loop.time()
        await bench.until(lambda: len(bench.told(LinkUp)) == 4)
        assert loop.time() - since < 12
        await bench.device.stop()

    run(act())


def test_a_device_that_was_off_is_called_where_it_is_now() -> None:
    async def act() -> None:
        bench = scenario()
        await bench.start()
        bench.resolve_gate = asyncio.Event()
        off(bench)
        await asyncio.sleep(2)
        bench.device.announce(found(address="10.0.0.20"))
        await bench.until(lambda: len(bench.told(LinkUp)) == 4)
        tunnels, companions = bench.tunnels[1:], bench.companions[1:]
        assert {stub.place[0] for stub in tunnels} == {"10.0.0.20"}
        assert {stub.place[0] for stub in companions} == {"10.0.0.20"}
        await bench.device.stop()

    run(act())


def test_a_device_that_was_off_and_offers_less_now_is_not_called_for_that() -> None:
    async def act() -> None:
        bench = scenario()
        await bench.start()
        bench.resolve_gate = asyncio.Event()
        off(bench)
        await asyncio.sleep(2)
        bench.device.announce(found(AIRPLAY, replace(COMPANION, is_enabled=False)))
        await bench.until(lambda: len(bench.told(LinkUp)) == 3)
        await asyncio.sleep(10)
        assert len(bench.companions) == 1
        await bench.device.stop()

    run(act())
