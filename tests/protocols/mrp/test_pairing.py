import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from custom_components.rumpus.protocols.hap.errors import (
    BackoffError,
    DecryptionError,
    DeviceFullError,
    IdentityError,
    PairingBusyError,
    PairingRefusedError,
    PairingUnavailableError,
    WrongPinError,
)
from custom_components.rumpus.protocols.mrp.client import MrpClient
from custom_components.rumpus.protocols.mrp.pairing import MrpPairing
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from custom_components.rumpus.protocols.mrp.tcp import TcpTransport
from tests.fakes.apple_tv import FakeAppleTv
from tests.protocols.mrp.common import HASTY, IDENTITY, PATIENT

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def device() -> AsyncIterator[FakeAppleTv]:
    async with FakeAppleTv(os="tvos_14") as device:
        yield device


@pytest.fixture
async def pairing(device: FakeAppleTv) -> AsyncIterator[MrpPairing]:
    pairing = MrpPairing(device.address, device.mrp_port, IDENTITY, timing=PATIENT)
    yield pairing
    await pairing.close()


async def test_pairing(device: FakeAppleTv, pairing: MrpPairing) -> None:
    await pairing.begin()
    event = await device.wait_for("pin_shown")
    assert event.data["pin"] == "1234"
    credentials = await pairing.finish("1234")
    # Verified on the same connection, which is over then.
    await device.wait_for("mrp_encrypted")
    await device.wait_for("mrp_ended")
    assert credentials.client_id in device.desk.pairings["mrp"]
    assert credentials.ltpk == device.desk.public_key
    transport = await TcpTransport(PATIENT).connect(device.address, device.mrp_port)
    client = MrpClient(transport, IDENTITY, client_id="", credentials=credentials)
    await client.start()
    await client.close()
    identifiers = {e.data["identifier"] for e in device.events.seen("mrp_device_info")}
    assert identifiers == {credentials.client_id.decode()}


async def test_the_first_message_has_a_state_of_its_own(
    device: FakeAppleTv, pairing: MrpPairing, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: list[int] = []
    send = TcpTransport.send

    def spy(transport: TcpTransport, data: bytes) -> None:
        message = pb.ProtocolMessage.FromString(data)
        if message.type == pb.MESSAGE_TYPE_CRYPTO_PAIRING:
            states.append(message.crypto_pairing.state)
        send(transport, data)

    monkeypatch.setattr(TcpTransport, "send", spy)
    await pairing.begin()
    await pairing.finish("1234")
    assert states == [2, 0, 0, 0, 0]


async def test_closing_while_the_connection_is_made(
    device: FakeAppleTv, pairing: MrpPairing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is there too late is not left open, nor does a PIN appear."""
    reached, gate = asyncio.Event(), asyncio.Event()
    connect = TcpTransport.connect

    async def connect_late(
        transport: TcpTransport, address: str, port: int
    ) -> TcpTransport:
        await connect(transport, address, port)
        reached.set()
        await gate.wait()
        return transport

    monkeypatch.setattr(TcpTransport, "connect", connect_late)
    beginning = asyncio.create_task(pairing.begin())
    await reached.wait()
    await pairing.close()
    gate.set()
    with pytest.raises(DisconnectedError, match="closed"):
        await beginning
    await device.wait_for("mrp_ended")
    assert not device.seen("pin_shown")


async def test_the_second_of_two_who_begin_wins(
    device: FakeAppleTv, pairing: MrpPairing
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


async def test_a_wrong_pin(device: FakeAppleTv, pairing: MrpPairing) -> None:
    await pairing.begin()
    with pytest.raises(WrongPinError):
        await pairing.finish("9999")
    with pytest.raises(DisconnectedError, match="not begun"):
        await pairing.finish("1234")
    await pairing.begin()
    assert (await pairing.finish("1234")).client_id


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda desk: setattr(desk, "is_busy", True), PairingBusyError),
        (lambda desk: setattr(desk, "is_unavailable", True), PairingUnavailableError),
        (lambda desk: setattr(desk, "max_pairings", 0), DeviceFullError),
        (lambda desk: desk.errors.update({("setup", 2): 3}), BackoffError),
        (lambda desk: desk.errors.update({("setup", 2): 99}), PairingRefusedError),
        (lambda desk: setattr(desk, "wrong_proof", True), IdentityError),
        (lambda desk: desk.wrong_signature.add("setup"), IdentityError),
        (lambda desk: desk.wrong_signature.add("verify"), IdentityError),
        (lambda desk: desk.undecryptable.add(("setup", 6)), DecryptionError),
        (lambda desk: desk.silent.add(("setup", 2)), PeerTimeoutError),
        (lambda desk: desk.silent.add(("setup", 4)), PeerTimeoutError),
        (lambda desk: desk.silent.add(("verify", 4)), PeerTimeoutError),
        (lambda desk: desk.garbled.add(("setup", 2)), ProtocolError),
    ],
)
async def test_how_pairing_fails(
    device: FakeAppleTv, spoil: Callable[[Any], None], error: type[RumpusError]
) -> None:
    timing = HASTY if error is PeerTimeoutError else PATIENT
    pairing = MrpPairing(device.address, device.mrp_port, IDENTITY, timing=timing)
    spoil(device.desk)

    async def pair() -> None:
        await pairing.begin()
        await pairing.finish("1234")

    with pytest.raises(error):
        await pair()
    await device.wait_for("mrp_ended")
    await pairing.close()


async def test_a_device_that_breaks_off(
    device: FakeAppleTv, pairing: MrpPairing
) -> None:
    await pairing.begin()
    device.drop()
    with pytest.raises(DisconnectedError):
        await pairing.finish("1234")


def spoil(device: FakeAppleTv) -> None:
    for link in tuple(device.mrp_server.links):
        link.send_bytes(b"\xff" * 12)


async def test_a_device_that_talks_nonsense(
    device: FakeAppleTv, pairing: MrpPairing
) -> None:
    """Why the connection ended is told, not that it did."""
    await pairing.begin()
    spoil(device)
    with pytest.raises(ProtocolError, match="A number"):
        await pairing.finish("1234")


async def test_a_device_that_talks_nonsense_at_once(
    device: FakeAppleTv, pairing: MrpPairing
) -> None:
    device.mrp.mute = {pb.MESSAGE_TYPE_DEVICE_INFO}
    beginning = asyncio.create_task(pairing.begin())
    await device.wait_for("mrp_message")
    spoil(device)
    with pytest.raises(ProtocolError, match="A number"):
        await beginning


async def test_nobody_is_there(device: FakeAppleTv) -> None:
    port = device.mrp_port
    await device.stop()
    pairing = MrpPairing(device.address, port, IDENTITY, timing=PATIENT)
    with pytest.raises(DisconnectedError):
        await pairing.begin()
    await pairing.close()
    await device.start()
