"""MRP of the fake Apple TV over a connection of its own, with a client that is not ours."""

import asyncio
from collections.abc import AsyncIterator
import contextlib

import pytest

from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_crypto import ChannelCipher, hkdf
from tests.fakes.apple_tv_frames import decode_varint, encode_varint
from tests.fakes.apple_tv_media import make
from tests.fakes.apple_tv_mrp_session import crypto_message
from tests.fakes.apple_tv_script_client import Controller

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def device() -> AsyncIterator[FakeAppleTv]:
    async with FakeAppleTv(os="tvos_14") as device:
        yield device


class TcpScript:
    """A client of the port for MRP alone."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader, self.writer = reader, writer
        self.cipher: ChannelCipher | None = None
        self._buffer = bytearray()

    def send(self, message: pb.ProtocolMessage) -> None:
        data = message.SerializeToString()
        if self.cipher is not None:
            data = self.cipher.encrypt(data)
        self.writer.write(encode_varint(len(data)) + data)

    async def until(self, kind: pb.MessageType) -> pb.ProtocolMessage:
        while True:
            while (found := decode_varint(self._buffer)) is not None:
                size, start = found
                if len(self._buffer) < start + size:
                    break
                data = bytes(self._buffer[start : start + size])
                del self._buffer[: start + size]
                plain = self.cipher.decrypt(data) if self.cipher else data
                message = pb.ProtocolMessage.FromString(plain)
                if message.type == kind:
                    return message
            await self.more()

    async def more(self) -> None:
        async with asyncio.timeout(5):
            data = await self._reader.read(65536)
        if not data:
            raise EOFError
        self._buffer += data

    async def exchange(self, data: bytes) -> bytes:
        self.send(crypto_message(data))
        told = await self.until(pb.MESSAGE_TYPE_CRYPTO_PAIRING)
        return told.crypto_pairing.pairing_data

    async def pair(self, controller: Controller, pin: str) -> None:
        srp, m3 = controller.prove(await self.exchange(controller.setup_start()), pin)
        m5 = controller.exchange(srp, await self.exchange(m3))
        controller.finish(srp, await self.exchange(m5))

    async def verify(self, controller: Controller) -> None:
        private, m1 = controller.verify_start()
        secret, m3 = controller.verify_answer(private, await self.exchange(m1))
        await self.exchange(m3)
        salt = "MediaRemote-Salt"
        self.cipher = ChannelCipher(
            hkdf(secret, salt, "MediaRemote-Write-Encryption-Key"),
            hkdf(secret, salt, "MediaRemote-Read-Encryption-Key"),
        )

    async def ended(self) -> bool:
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                await self.more()
        return True


@pytest.fixture
async def tcp(device: FakeAppleTv) -> AsyncIterator[TcpScript]:
    streams = await asyncio.open_connection(device.address, device.mrp_port)
    script = TcpScript(*streams)
    script.send(make(pb.MESSAGE_TYPE_DEVICE_INFO))
    yield script
    script.writer.close()
    with contextlib.suppress(ConnectionError):
        await script.writer.wait_closed()


def request(kind: pb.MessageType = pb.MESSAGE_TYPE_GENERIC) -> pb.ProtocolMessage:
    message = make(kind)
    message.identifier = "R"
    return message


async def test_tcp_in_the_clear(device: FakeAppleTv, tcp: TcpScript) -> None:
    tcp.send(request())
    assert (await tcp.until(pb.MESSAGE_TYPE_UNKNOWN)).identifier == "R"
    assert device.mrp_server.port == device.mrp_port


@pytest.mark.parametrize("size", [0, 1])
async def test_tcp_pair_and_verify(
    device: FakeAppleTv, tcp: TcpScript, size: int
) -> None:
    device.split(size)
    controller = Controller()
    await tcp.pair(controller, device.pin)
    await device.wait_for("paired", protocol="mrp")
    await tcp.verify(controller)
    await device.wait_for("mrp_encrypted")
    tcp.send(request())
    assert (await tcp.until(pb.MESSAGE_TYPE_UNKNOWN)).identifier == "R"
    (link,) = device.mrp_server.links
    link.corrupt()
    with pytest.raises(Exception, match="decrypt"):
        await tcp.until(pb.MESSAGE_TYPE_GENERIC)


async def test_tcp_for_the_paired_alone(device: FakeAppleTv) -> None:
    device.mrp_server.needs_pairing = True
    streams = await asyncio.open_connection(device.address, device.mrp_port)
    script = TcpScript(*streams)
    script.send(make(pb.MESSAGE_TYPE_DEVICE_INFO))
    script.send(request())
    await device.wait_for("mrp_ignored", type=pb.MESSAGE_TYPE_GENERIC)
    controller = Controller()
    await script.pair(controller, device.pin)
    await script.verify(controller)
    script.send(request())
    assert (await script.until(pb.MESSAGE_TYPE_UNKNOWN)).identifier == "R"
    script.writer.close()


async def test_tcp_silent_step(device: FakeAppleTv, tcp: TcpScript) -> None:
    device.desk.silent.add(("setup", 2))
    tcp.send(crypto_message(Controller().setup_start()))
    await device.wait_for("setup_m1")
    tcp.send(request())
    assert (await tcp.until(pb.MESSAGE_TYPE_UNKNOWN)).identifier == "R"


@pytest.mark.parametrize("data", [b"\xff" * 11, encode_varint(1 << 30), b"\x01\xff"])
async def test_tcp_bad_frames(device: FakeAppleTv, tcp: TcpScript, data: bytes) -> None:
    tcp.writer.write(data)
    if data[0] == 1:
        # A message that is none does no harm, pairing data that is none does.
        await device.wait_for("mrp_malformed", size=1)
        tcp.send(crypto_message(b"\6"))
    await device.wait_for("mrp_malformed")
    assert await tcp.ended()


async def test_tcp_ends(device: FakeAppleTv, tcp: TcpScript) -> None:
    tcp.send(request())
    await tcp.until(pb.MESSAGE_TYPE_UNKNOWN)
    (session,) = device.mrp.sessions
    (link,) = device.mrp_server.links
    link.send_bytes(b"\x00")
    device.mrp_server.silent = True
    assert device.mrp_server.silent
    device.mrp_server.silent = False
    session.end("enough")
    assert await tcp.ended()
    await device.wait_for("mrp_dropped", reason="enough")
    await device.wait_for("mrp_ended")
    assert not device.mrp.sessions


async def test_tcp_deep_sleep(device: FakeAppleTv, tcp: TcpScript) -> None:
    device.power.knocks_wake = False
    device.sleep()
    assert await tcp.ended()
    reader, writer = await asyncio.open_connection(device.address, device.mrp_port)
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
