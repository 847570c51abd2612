"""A real device that goes wrong: one link, all of them, or its credentials."""

import asyncio

import pytest

from .world import PATIENCE, World, find
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.enums import Feature, Key, PowerState
from custom_components.rumpus.protocols.apple.events import (
    LinkLost,
    LinkRefused,
    LinkUp,
)
from custom_components.rumpus.protocols.apple.link import LinkState
from custom_components.rumpus.protocols.apple.models import IDLE
from custom_components.rumpus.protocols.apple.timing import TIMING
from custom_components.rumpus.protocols.errors import AuthenticationError, ProtocolError
from custom_components.rumpus.protocols.reconnect import LINK_GRACE
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_models import FakeItem

pytestmark = pytest.mark.usefixtures("socket_enabled")

A, C = AppleProtocol.AIRPLAY, AppleProtocol.COMPANION


async def back(world: World, *protocols: AppleProtocol, since: int) -> None:
    """Wait until these have come up after so many events."""
    await world.until(
        lambda: (
            {LinkUp(protocol) for protocol in protocols} <= set(world.events[since:])
            and world.up == {A, C}
        )
    )


@pytest.mark.parametrize(
    ("name", "lost", "other"), [("companion", C, A), ("airplay", A, C)]
)
async def test_each_link_is_lost_alone(
    name: str, lost: AppleProtocol, other: AppleProtocol
) -> None:
    async with World(FakeAppleTv()) as world:
        for count in range(1, 4):
            since = len(world.events)
            world.fake.servers[name].drop()
            await back(world, lost, since=since)
            assert world.device.links[lost].losses == count
        assert world.device.links[other].losses == 0
        assert {event.protocol for event in world.told(LinkLost)} == {lost}


@pytest.mark.parametrize("new_ports", [False, True])
async def test_a_restart(new_ports: bool) -> None:
    async with World(FakeAppleTv()) as world:
        since = len(world.events)
        if new_ports:
            await world.fake.restart(new_ports=True)
        else:
            await world.restart()
        await back(world, A, C, since=since)
        await world.device.press(Key.UP)


@pytest.mark.usefixtures("other_addresses")
async def test_another_address() -> None:
    async with World(FakeAppleTv()) as world:
        since = len(world.events)
        await world.move("127.0.0.9")
        found = await find(world.fake)
        assert found is not None
        world.device.announce(found)
        await back(world, A, C, since=since)
        assert world.device.found.address == "127.0.0.9"


@pytest.mark.usefixtures("other_addresses")
async def test_another_address_that_nobody_told_of() -> None:
    async with World(FakeAppleTv()) as world:
        since = len(world.events)
        await world.move("127.0.0.10")
        await back(world, A, C, since=since)
        assert world.device.found.address == "127.0.0.10"


async def test_sleep_and_wake() -> None:
    async with World(FakeAppleTv()) as world:
        device, fake = world.device, world.fake
        await world.until(lambda: device.power is PowerState.ON)
        since = len(world.events)
        found = await find(fake)
        assert found is not None
        device.set_asleep(True)
        fake.sleep()
        await world.until(lambda: not device.is_connected)
        assert device.power is PowerState.OFF
        # It was not called: that would wake it.
        assert not fake.seen("knocked")
        fake.wake()
        device.announce(found)
        await back(world, A, C, since=since)
        await world.until(lambda: device.power is PowerState.ON)


async def test_a_device_that_goes_to_sleep_is_let_sleep() -> None:
    async with World(FakeAppleTv()) as world:
        device, fake = world.device, world.fake
        await world.until(lambda: device.power is PowerState.ON)
        for _ in range(3):
            since = len(world.events)
            resolves = world.resolves
            fake.sleep()
            await world.until(lambda: not device.is_connected)
            await asked(world, resolves + 3)
            assert device.is_asleep
            assert not fake.seen("knocked")
            fake.wake()
            # Nobody announces it: asking for it finds out.
            await back(world, A, C, since=since)


async def asked(world: World, times: int) -> None:
    """Wait until the device was looked for so often."""
    async with asyncio.timeout(PATIENCE):
        while world.resolves < times:
            await world.fake.wait_for("mdns_query")


async def test_a_device_that_vanishes_and_comes_back() -> None:
    async with World(FakeAppleTv()) as world:
        world.fake.mrp.media.play("com.film", FakeItem("1", "Film"))
        await world.until(lambda: world.device.playing.title == "Film")
        world.fake.vanish()
        await world.until(lambda: len(world.told(LinkLost)) == 2)
        assert world.device.playing == IDLE
        assert not world.device.is_connected
        assert world.device.feature(Feature.TITLE) is not None
        world.fake.come_back()
        await world.until(lambda: world.up == {A, C})
        await world.until(lambda: world.device.playing.title == "Film")


def test_every_loss_is_noticed_within_15_s_and_a_return_within_5_s() -> None:
    companion, airplay, mrp = TIMING.companion, TIMING.airplay, TIMING.mrp
    assert companion.quiet + 2 * companion.probe <= 15
    assert airplay.feedback + airplay.feedback_timeout <= 15
    assert mrp.heartbeat + 2 * mrp.heartbeat_answer <= 15
    pause = TIMING.backoff.delays[-1] * (1 + TIMING.backoff.jitter)
    assert max(pause, LINK_GRACE) < 5


async def test_credentials_that_the_device_forgot() -> None:
    async with World(FakeAppleTv()) as world:
        device, fake = world.device, world.fake
        fake.desk.pairings["companion"].clear()
        fake.servers["companion"].drop()
        await world.until(lambda: bool(world.told(LinkRefused)))
        assert world.told(LinkRefused)[0].protocol is C
        assert device.links[C].state is LinkState.REFUSED
        assert world.up == {A}
        with pytest.raises(AuthenticationError):
            await device.apps()
        await device.press(Key.UP)


@pytest.mark.parametrize("protocol", [A, C])
async def test_another_device_with_its_address(protocol: AppleProtocol) -> None:
    async with World(FakeAppleTv()) as world:
        world.fake.desk.wrong_signature.add("verify")
        world.fake.servers[protocol.value].drop()
        await world.until(lambda: bool(world.told(LinkRefused)))
        assert [event.protocol for event in world.told(LinkRefused)] == [protocol]
        assert world.up == {A, C} - {protocol}


def corrupt_tunnel(fake: FakeAppleTv) -> None:
    data = fake.airplay.sessions[0].data
    assert data is not None
    data.channel.corrupt()


async def test_what_cannot_be_decrypted_ends_its_link_alone() -> None:
    async with World(FakeAppleTv()) as world:
        since = len(world.events)
        corrupt_tunnel(world.fake)
        world.fake.mrp.tell_unknown()
        await back(world, A, since=since)
        assert [event.protocol for event in world.told(LinkLost)] == [A]
        assert isinstance(world.told(LinkLost)[0].error, ProtocolError)


async def test_frames_in_single_bytes() -> None:
    async with World(FakeAppleTv()) as world:
        world.fake.split(1)
        world.fake.mrp.media.play("com.film", FakeItem("1", "Film"))
        await world.until(lambda: world.device.playing.title == "Film")
        assert await world.device.apps()
        assert not world.told(LinkLost)


async def test_messages_that_nobody_knows() -> None:
    async with World(FakeAppleTv()) as world:
        world.fake.mrp.tell_unknown()
        world.fake.mischief.unknown_event()
        world.fake.mischief.unknown_frame()
        world.fake.mischief.stray_response()
        assert await world.device.apps()
        await world.device.press(Key.UP)
        assert not world.told(LinkLost)


async def test_stopping_while_it_connects_leaves_nothing() -> None:
    async with World(FakeAppleTv()) as world:
        before = asyncio.all_tasks()
        for _ in range(5):
            since = len(world.events)
            world.fake.drop()
            await back(world, A, C, since=since)
        await world.device.stop()
        assert asyncio.all_tasks() <= before
        assert not world.device.is_connected
        await world.fake.wait_for("companion_lost")
