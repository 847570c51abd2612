"""Pairs of fake KDE Connect devices that find each other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_tls import KeyType


@asynccontextmanager
async def devices(
    phone_protocol: int = 8, computer_protocol: int = 8, key_type: KeyType = "ec"
) -> AsyncIterator[tuple[FakeDevice, FakeDevice]]:
    """Start a phone and a computer that accepts pairing."""
    phone = FakeDevice("phone", protocol=phone_protocol)
    computer = FakeDevice(
        "computer", protocol=computer_protocol, key_type=key_type, accept="auto"
    )
    phone.udp_rate_limit = computer.udp_rate_limit = 0
    async with phone, computer:
        yield phone, computer


async def link(called: FakeDevice, caller: FakeDevice) -> None:
    """Let one device hear of another and call it."""
    called.announce(*caller.udp_address)
    await called.wait_for("link_up")
    await caller.wait_for("link_up")


async def pair(asking: FakeDevice, asked: FakeDevice) -> None:
    """Make a link and pair; the second device must accept by itself."""
    await link(asking, asked)
    await asking.request_pairing()
    keys = [
        (await device.wait_for("paired")).data["verification_key"]
        for device in (asking, asked)
    ]
    if keys[0] != keys[1]:
        raise AssertionError(f"verification keys differ: {keys}")
