"""Switching on and off: by whom, how long it may take, and who is believed."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from .stubs import AIRPLAY, COMPANION, Bench, found, played, scenario
from custom_components.rumpus.protocols.apple import device as device_module
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.enums import PowerState
from custom_components.rumpus.protocols.apple.events import LinkUp
from custom_components.rumpus.protocols.apple.timing import Timing
from custom_components.rumpus.protocols.companion.enums import AttentionState
from custom_components.rumpus.protocols.companion.events import AttentionChanged, Lost
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.hap.errors import CredentialsRefusedError
from custom_components.rumpus.protocols.mrp.events import Lost as MrpLost, PowerChanged
from tests.protocols.virtual_time import run

TIMING = Timing(power=15, wake=30, command=8, knock_interval=5)


@pytest.fixture(autouse=True)
def knocks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[int]]]:
    """Return whose doors were knocked at; nothing leaves this program."""
    made: list[tuple[str, list[int]]] = []

    async def knock(address: str, *, ports: list[int]) -> bool:
        made.append((address, ports))
        if len(made) == 2:
            raise OSError("no such host yet")
        return True

    monkeypatch.setattr(device_module, "knock", knock)
    return made


def says(bench: Bench, power: PowerState) -> None:
    bench.companion.power = power
    state = AttentionState.ASLEEP if power is PowerState.OFF else AttentionState.AWAKE
    bench.companion.tell(AttentionChanged(state))


async def later(bench: Bench, seconds: float, act: Callable[[], None]) -> None:
    await asyncio.sleep(seconds)
    act()


def test_companion_switches_and_its_word_counts() -> None:
    async def scene(bench: Bench) -> None:
        says(bench, PowerState.ON)
        loop = asyncio.get_running_loop()
        since = loop.time()
        off = asyncio.ensure_future(bench.device.turn_off())
        await later(bench, 3, lambda: says(bench, PowerState.OFF))
        await off
        assert loop.time() - since == pytest.approx(3, abs=0.1)
        on = asyncio.ensure_future(bench.device.turn_on())
        await later(bench, 4, lambda: says(bench, PowerState.ON))
        await on
        assert bench.companion.calls == [("sleep",), ("wake",)]
        assert not bench.tunnel.calls

    run(played(scenario(timing=TIMING), scene))


@pytest.mark.parametrize("is_on", [True, False])
def test_a_device_that_does_not_do_it(is_on: bool) -> None:
    async def scene(bench: Bench) -> None:
        says(bench, PowerState.OFF if is_on else PowerState.ON)
        loop = asyncio.get_running_loop()
        since = loop.time()
        with pytest.raises(PeerTimeoutError, match="did not go"):
            await (bench.device.turn_on() if is_on else bench.device.turn_off())
        assert loop.time() - since == pytest.approx(15, abs=0.1)

    run(played(scenario(timing=TIMING), scene))


def test_without_a_witness_nobody_waits() -> None:
    async def scene(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        since = loop.time()
        await bench.device.turn_off()
        await bench.device.turn_on()
        assert loop.time() == since
        assert bench.companion.calls == [("sleep",), ("wake",)]

    run(played(scenario(timing=TIMING), scene))


def test_a_device_that_hangs_up_when_it_goes_off() -> None:
    async def scene(bench: Bench) -> None:
        says(bench, PowerState.ON)
        bench.companion_script.error = ConnectionRefusedError()
        off = asyncio.ensure_future(bench.device.turn_off())
        await later(bench, 1, lambda: bench.companion.tell(Lost(None)))
        await off

    run(played(scenario(COMPANION, timing=TIMING), scene))


def test_the_other_witness_counts_where_attention_is_unknown() -> None:
    async def scene(bench: Bench) -> None:
        tv = bench.tunnel
        tv.power = PowerState.ON
        tv.tell(PowerChanged(PowerState.OFF, PowerState.ON))
        off = asyncio.ensure_future(bench.device.turn_off())

        def sleeps() -> None:
            tv.power = PowerState.OFF
            tv.tell(PowerChanged(PowerState.ON, PowerState.OFF))

        await later(bench, 2, sleeps)
        await off
        assert bench.companion.calls == [("sleep",)]

    run(played(scenario(timing=TIMING), scene))


def test_the_menu_is_for_where_there_is_nothing_better() -> None:
    async def scene(bench: Bench) -> None:
        await bench.device.turn_off()
        await bench.device.turn_on()
        assert bench.tunnel.calls == [("turn_off_by_menu",), ("wake",)]

    run(played(scenario(AIRPLAY, timing=TIMING), scene))


def test_turning_off_waits_for_the_better_link() -> None:
    async def scene(bench: Bench) -> None:
        gate = bench.companion_script.gate = asyncio.Event()
        bench.companion.tell(Lost(None))
        off = asyncio.ensure_future(bench.device.turn_off())
        await later(bench, 5, gate.set)
        await off
        assert bench.companion.calls == [("sleep",)]
        gate.clear()
        bench.companion.tell(Lost(None))
        with pytest.raises(DisconnectedError):
            await bench.device.turn_off()
        assert not bench.tunnel.calls

    run(played(scenario(timing=TIMING), scene))


def test_a_better_link_that_is_refused_is_none() -> None:
    async def act() -> None:
        bench = scenario(timing=TIMING)
        bench.companion_script.error = CredentialsRefusedError("no")
        await bench.start()
        await bench.device.turn_off()
        assert bench.tunnel.calls == [("turn_off_by_menu",)]
        await bench.device.stop()

    run(act())


def test_turning_on_knocks_until_there_is_a_link(
    knocks: list[tuple[str, list[int]]],
) -> None:
    async def act() -> None:
        bench = scenario(is_asleep=True, timing=TIMING)
        bench.tunnel_script.error = bench.companion_script.error = OSError()
        bench.device.start()
        on = asyncio.ensure_future(bench.device.turn_on())

        def awake() -> None:
            bench.tunnel_script.error = bench.companion_script.error = None

        await later(bench, 12, awake)
        await on
        assert {address for address, _ in knocks} == {"10.0.0.5"}
        assert len(knocks) >= 3
        assert knocks[0][1] == [7000, 49153, 3689, 49152, 32498]
        assert bench.calls == [("wake",)]
        assert not bench.device.is_asleep
        await bench.device.stop()

    run(act())


def test_a_device_that_cannot_be_woken() -> None:
    async def act() -> None:
        bench = scenario(is_asleep=True, timing=TIMING)
        bench.tunnel_script.error = bench.companion_script.error = OSError()
        bench.device.start()
        loop = asyncio.get_running_loop()
        since = loop.time()
        with pytest.raises(DisconnectedError):
            await bench.device.turn_on()
        assert loop.time() - since == pytest.approx(30, abs=0.1)
        await bench.device.stop()

    run(act())


def test_who_is_refused_is_told_at_the_end_of_the_patience() -> None:
    async def act() -> None:
        bench = scenario(COMPANION, timing=TIMING)
        bench.companion_script.error = CredentialsRefusedError("no")
        bench.device.start()
        with pytest.raises(AuthenticationError):
            await bench.device.turn_on()
        await bench.device.stop()

    run(act())


def test_a_device_that_sleeps_is_off_already() -> None:
    async def act() -> None:
        bench = scenario(is_asleep=True, timing=TIMING)
        bench.device.start()
        await bench.device.turn_off()
        assert not bench.companions
        await bench.device.stop()

    run(act())


def test_nothing_can_switch_it() -> None:
    async def act() -> None:
        bench = scenario(AIRPLAY, credentials={})
        bench.device.start()
        with pytest.raises(UnsupportedError):
            await bench.device.turn_on()
        with pytest.raises(UnsupportedError):
            await bench.device.turn_off()
        await bench.device.stop()

    run(act())


def test_one_wish_at_a_time() -> None:
    async def scene(bench: Bench) -> None:
        says(bench, PowerState.ON)
        off = asyncio.ensure_future(bench.device.turn_off())
        on = asyncio.ensure_future(bench.device.turn_on())
        await asyncio.sleep(1)
        assert bench.companion.calls == [("sleep",)]
        says(bench, PowerState.OFF)
        await off
        await asyncio.sleep(1)
        says(bench, PowerState.ON)
        await on
        assert bench.companion.calls == [("sleep",), ("wake",)]

    run(played(scenario(timing=TIMING), scene))


@pytest.mark.parametrize("is_on", [True, False])
def test_stopping_while_the_word_is_waited_for(is_on: bool) -> None:
    async def act() -> None:
        bench = scenario(timing=TIMING)
        await bench.start()
        says(bench, PowerState.OFF if is_on else PowerState.ON)
        device = bench.device
        wish = asyncio.ensure_future(device.turn_on() if is_on else device.turn_off())
        await asyncio.sleep(1)
        await device.stop()
        with pytest.raises(DisconnectedError):
            await wish

    run(act())


def test_waking_through_a_link_that_is_there_does_not_knock(
    knocks: list[tuple[str, list[int]]],
) -> None:
    async def scene(bench: Bench) -> None:
        bench.device.set_asleep(True)
        await bench.device.turn_on()
        assert not knocks
        assert bench.companion.calls == [("wake",)]

    run(played(scenario(timing=TIMING), scene))


def test_losing_everything_and_waking_at_a_new_address() -> None:
    async def scene(bench: Bench) -> None:
        bench.tunnel_script.error = bench.companion_script.error = OSError()
        bench.tunnel.tell(MrpLost(None))
        bench.companion.tell(Lost(None))
        await asyncio.sleep(1)
        on = asyncio.ensure_future(bench.device.turn_on())
        await asyncio.sleep(1)
        bench.tunnel_script.error = bench.companion_script.error = None
        moved = replace(found(), address="10.0.0.44")
        bench.device.announce(moved)
        await on
        assert bench.companion.place[0] == "10.0.0.44"
        assert {event.protocol for event in bench.told(LinkUp)} >= {
            AppleProtocol.COMPANION
        }

    run(played(scenario(timing=TIMING), scene))
