"""Pairing with a device on loopback, and all the ways in which that fails."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from .common import HASTY, IDENTITY, PATIENT
from custom_components.rumpus.protocols.companion import pairing as pairing_module
from custom_components.rumpus.protocols.companion.client import CompanionClient
from custom_components.rumpus.protocols.companion.connection import open_stream
from custom_components.rumpus.protocols.companion.frames import FrameStream
from custom_components.rumpus.protocols.companion.pairing import CompanionPairing
from custom_components.rumpus.protocols.companion.timing import Timing
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
)
from custom_components.rumpus.protocols.hap.errors import (
    BackoffError,
    DeviceFullError,
    IdentityError,
    PairingBusyError,
    PairingUnavailableError,
    TooManyTriesError,
    WrongPinError,
)
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_events import FakeEvent


@pytest.fixture
async def pairing(device: FakeAppleTv) -> AsyncIterator[CompanionPairing]:
    made = CompanionPairing(
        device.address, device.companion_port, IDENTITY, timing=PATIENT
    )
    yield made
    await made.close()


async def test_pairing_and_then_connecting(
    device: FakeAppleTv, pairing: CompanionPairing
) -> None:
    await pairing.begin()
    assert device.shown_pin == "1234"
    credentials = await pairing.finish("1234")
    assert credentials.device_id == device.desk.identifier
    assert credentials.ltpk == device.desk.public_key
    (controller,) = device.desk.pairings["companion"].values()
    assert controller.name == "Rumpus"
    assert controller.identifier == credentials.client_id
    await device.wait_for("companion_lost")
    client = CompanionClient(
        device.address, device.companion_port, credentials, IDENTITY, timing=PATIENT
    )
    await client.connect()
    assert client.system_info.name == device.name
    await client.close()


async def test_a_wrong_pin_and_another_try(
    device: FakeAppleTv, pairing: CompanionPairing
) -> None:
    await pairing.begin()
    with pytest.raises(WrongPinError):
        await pairing.finish("9999")
    await device.wait_for("pin_hidden")
    with pytest.raises(DisconnectedError, match="begun"):
        await pairing.finish("1234")
    await pairing.begin()
    assert (await pairing.finish("1234")).client_id


async def test_beginning_twice_leaves_one_connection(
    device: FakeAppleTv, pairing: CompanionPairing
) -> None:
    await pairing.begin()
    await pairing.begin()
    await device.wait_for("companion_lost")
    assert len(device.companion.connections) == 1
    await pairing.finish("1234")


@pytest.mark.parametrize(
    ("switch", "value", "error"),
    [
        ("is_busy", True, PairingBusyError),
        ("is_unavailable", True, PairingUnavailableError),
        ("max_pairings", 0, DeviceFullError),
        ("max_tries", 0, TooManyTriesError),
    ],
)
async def test_the_device_does_not_pair(
    switch: str,
    value: object,
    error: type[Exception],
    device: FakeAppleTv,
    pairing: CompanionPairing,
) -> None:
    setattr(device.desk, switch, value)
    with pytest.raises(error):
        await pairing.begin()
    await device.wait_for("companion_lost")


async def test_the_device_wants_to_be_left_alone(
    device: FakeAppleTv, pairing: CompanionPairing
) -> None:
    device.desk.back_off = 30
    await pairing.begin()
    with pytest.raises(WrongPinError):
        await pairing.finish("0000")
    with pytest.raises(BackoffError) as caught:
        await pairing.begin()
    assert caught.value.retry_after == 30


@pytest.mark.parametrize("switch", ["wrong_proof", "wrong_signature"])
async def test_a_device_that_is_not_what_it_seems(
    switch: str, device: FakeAppleTv, pairing: CompanionPairing
) -> None:
    setattr(device.desk, switch, True if switch == "wrong_proof" else {"setup"})
    await pairing.begin()
    with pytest.raises(IdentityError):
        await pairing.finish("1234")


@pytest.mark.parametrize("number", [2, 4, 6])
async def test_a_step_without_an_answer(number: int, device: FakeAppleTv) -> None:
    device.desk.silent.add(("setup", number))
    pairing = CompanionPairing(
        device.address, device.companion_port, IDENTITY, timing=HASTY
    )
    with pytest.raises(PeerTimeoutError, match=f"M{number - 1}"):
        await pairing.begin()
        await pairing.finish("1234")
    await device.wait_for("companion_lost")


@pytest.mark.parametrize("number", [2, 4, 6])
async def test_a_step_with_nonsense_for_an_answer(
    number: int, device: FakeAppleTv, pairing: CompanionPairing
) -> None:
    device.desk.garbled.add(("setup", number))
    with pytest.raises(ProtocolError):
        await pairing.begin()
        await pairing.finish("1234")


@pytest.mark.parametrize("step", ["setup_m1", "setup_m3", "setup_m5"])
async def test_the_device_leaves(
    step: str, device: FakeAppleTv, pairing: CompanionPairing
) -> None:
    def leave(event: FakeEvent) -> None:
        if event.kind == step:
            device.drop()

    device.events.listeners.append(leave)
    with pytest.raises(DisconnectedError):
        await pairing.begin()
        await pairing.finish("1234")


async def test_the_device_leaves_while_the_user_types(
    device: FakeAppleTv, pairing: CompanionPairing
) -> None:
    await pairing.begin()
    device.drop()
    with pytest.raises(DisconnectedError):
        await pairing.finish("1234")


async def test_giving_up_takes_the_pin_off_the_screen(
    device: FakeAppleTv, pairing: CompanionPairing
) -> None:
    await pairing.begin()
    await pairing.close()
    await pairing.close()
    await device.wait_for("pin_hidden")


async def test_closing_while_the_connection_is_made(
    device: FakeAppleTv, pairing: CompanionPairing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream that is there too late is not left open, nor does a PIN appear."""
    reached, gate = asyncio.Event(), asyncio.Event()

    async def open_late(address: str, port: int, timing: Timing) -> FrameStream:
        stream = await open_stream(address, port, timing)
        reached.set()
        await gate.wait()
        return stream

    monkeypatch.setattr(pairing_module, "open_stream", open_late)
    beginning = asyncio.create_task(pairing.begin())
    await reached.wait()
    await pairing.close()
    gate.set()
    with pytest.raises(DisconnectedError, match="closed"):
        await beginning
    await device.wait_for("companion_lost")
    assert not device.seen("pin_shown")


async def test_closing_while_the_device_is_asked(device: FakeAppleTv) -> None:
    device.desk.silent.add(("setup", 2))
    pairing = CompanionPairing(
        device.address, device.companion_port, IDENTITY, timing=PATIENT
    )
    beginning = asyncio.create_task(pairing.begin())
    await device.wait_for("setup_m1")
    await pairing.close()
    with pytest.raises(DisconnectedError):
        await beginning
    await device.wait_for("companion_lost")
    with pytest.raises(DisconnectedError, match="begun"):
        await pairing.finish("1234")


async def test_the_second_of_two_who_begin_wins(
    device: FakeAppleTv, pairing: CompanionPairing
) -> None:
    device.desk.silent.add(("setup", 2))
    first = asyncio.create_task(pairing.begin())
    await device.wait_for("setup_m1")
    device.desk.silent.clear()
    second = asyncio.create_task(pairing.begin())
    with pytest.raises(DisconnectedError):
        await first
    await second
    assert (await pairing.finish("1234")).client_id


async def test_nobody_is_there(device: FakeAppleTv, pairing: CompanionPairing) -> None:
    await device.stop()
    with pytest.raises(DisconnectedError, match="reached"):
        await pairing.begin()
