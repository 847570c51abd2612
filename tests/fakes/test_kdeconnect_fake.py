"""The fake KDE Connect device, tried against another one."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.kdeconnect import FakeDevice

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def phone() -> AsyncIterator[FakeDevice]:
    """A phone without peers."""
    async with FakeDevice("phone") as device:
        yield device


@pytest.fixture
async def computer() -> AsyncIterator[FakeDevice]:
    """A computer that accepts pairing."""
    async with FakeDevice("computer", accept="auto") as device:
        yield device


async def pair(phone: FakeDevice, computer: FakeDevice) -> None:
    """Let the phone find the computer and pair with it."""
    phone.announce(*computer.udp_address)
    await phone.wait_for("link_up")
    await computer.wait_for("link_up")
    await phone.request_pairing()
    keys = [
        (await device.wait_for("paired")).data["verification_key"]
        for device in (phone, computer)
    ]
    assert keys[0] == keys[1]


async def test_pair_and_talk(phone: FakeDevice, computer: FakeDevice) -> None:
    """A phone announces itself, is called, pairs, and both talk."""
    await pair(phone, computer)
    assert (await computer.wait_packet("battery"))["currentCharge"] == 80
    await phone.battery.set(42, charging=True)
    body = await computer.wait_packet("battery")
    assert (body["currentCharge"], body["isCharging"]) == (42, True)
    assert await computer.ping.send("hello") == 1
    assert (await phone.wait_for("ping")).data == {"message": "hello"}
