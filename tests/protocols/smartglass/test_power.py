"""Switching consoles on."""

import asyncio

import pytest

from .common import PATIENCE, discoverer_of
from custom_components.rumpus.protocols.errors import PeerTimeoutError
from custom_components.rumpus.protocols.smartglass.errors import WakeTimeoutError
from custom_components.rumpus.protocols.smartglass.power import wake
from tests.fakes.xbox import FakeConsole


@pytest.fixture
async def sleeping(fake: FakeConsole) -> FakeConsole:
    fake.turn_off()
    return fake


async def test_a_console_that_is_on_answers_at_once(fake: FakeConsole) -> None:
    async with discoverer_of(fake) as discoverer:
        found = await wake(discoverer, fake.live_id)
    assert found.live_id == fake.live_id


async def test_packets_are_sent_until_it_answers(sleeping: FakeConsole) -> None:
    sleeping.wake_packets = 5
    sleeping.boot_delay = 0.05
    async with discoverer_of(sleeping) as discoverer:
        found = await wake(
            discoverer, sleeping.live_id, deadline=PATIENCE, interval=0.02
        )
    assert found.is_ready
    assert sleeping.is_on
    assert len(sleeping.seen("power_on")) >= 5


async def test_the_last_address_gets_packets_too(sleeping: FakeConsole) -> None:
    address = (sleeping.address, sleeping.port)
    # Broadcasts do not reach it.
    async with (
        FakeConsole("Other", "FD02") as other,
        discoverer_of(other) as discoverer,
    ):
        found = await wake(
            discoverer,
            sleeping.live_id,
            address=address,
            deadline=PATIENCE,
            interval=0.02,
        )
    assert (found.address, found.port) == address
    assert not other.seen("power_on", right=True)


async def test_a_console_that_saves_energy_cannot_be_woken(
    sleeping: FakeConsole,
) -> None:
    sleeping.energy_saving = True
    async with discoverer_of(sleeping) as discoverer:
        with pytest.raises(WakeTimeoutError) as info:
            await wake(discoverer, sleeping.live_id, deadline=0.1, interval=0.02)
    assert isinstance(info.value, PeerTimeoutError)
    assert len(sleeping.seen("power_on")) >= 3


async def test_others_do_not_count(fake: FakeConsole) -> None:
    async with discoverer_of(fake) as discoverer:
        with pytest.raises(WakeTimeoutError):
            await wake(discoverer, "FD99", deadline=0.1, interval=0.02)


async def test_a_console_without_its_certificate_is_not_awake(
    fake: FakeConsole,
) -> None:
    fake.flags |= 8
    async with discoverer_of(fake) as discoverer:
        waking = asyncio.create_task(wake(discoverer, fake.live_id, interval=0.02))
        await fake.wait_for("discovery_request")
        await fake.wait_for("discovery_request")
        assert not waking.done()
        fake.flags &= ~8
        assert (await waking).is_ready


async def test_cancelling_ends_it(sleeping: FakeConsole) -> None:
    sleeping.energy_saving = True
    async with discoverer_of(sleeping) as discoverer:
        waking = asyncio.create_task(wake(discoverer, sleeping.live_id))
        await sleeping.wait_for("power_on")
        waking.cancel()
        await asyncio.wait({waking})
        assert waking.cancelled()
        assert not discoverer._listeners
