"""From a connection that we open to a link (section 5)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
import contextlib

import pytest

from .conftest import both_protocols
from .support import (
    KEY_TYPES,
    LOOPBACK,
    Callee,
    announced,
    at_once,
    fake_credentials,
    our_credentials,
    our_identity,
    turns,
)
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from custom_components.rumpus.protocols.kdeconnect import handshake as handshake_module
from custom_components.rumpus.protocols.kdeconnect.handshake import (
    CallTarget,
    CertificateChangedError,
    call,
)
from custom_components.rumpus.protocols.kdeconnect.link import Link
from custom_components.rumpus.protocols.kdeconnect.tls import TlsContexts
from tests.fakes.kdeconnect import FakeDevice, Misbehave
from tests.fakes.kdeconnect_tls import KeyType, TlsChannel, tls_context

pytestmark = pytest.mark.usefixtures("socket_enabled")

OWN_ID = our_credentials().device_id


async def calling(
    device: FakeDevice, *, pinned: bytes | None = None, known: bool = True
) -> Link:
    """Call a device; we know its announcement, unless told otherwise."""
    contexts = TlsContexts(our_credentials())
    context = await contexts.pinned_server(
        pinned or device.presented_credentials().certificate_der
    )
    target = CallTarget(LOOPBACK, device.tcp_port, announced(device) if known else None)
    async with asyncio.timeout(5):
        return await call(target, our_identity(), context)


@pytest.mark.parametrize("kind", ["phone", "computer"], ids=["tls 1.2", "tls 1.3"])
@both_protocols
async def test_caller_makes_a_link(kind: str, protocol: int) -> None:
    device = FakeDevice("phone" if kind == "phone" else "computer", protocol=protocol)
    device.identity_overrides["secure"] = {"deviceName": "From inside"}
    async with device:
        link = await calling(device)
        assert link.identity.device_id == device.device_id
        assert link.identity.protocol_version == protocol
        assert link.identity.name == ("From inside" if protocol >= 8 else device.name)
        assert link.certificate == device.certificate_der
        await device.wait_for("link_up")
        link.abort()
        await device.wait_for("link_down")


async def test_caller_introduces_itself_in_clear_with_the_target_it_knows() -> None:
    contexts = TlsContexts(our_credentials())
    context = await contexts.pinned_server(fake_credentials().certificate_der)
    device = FakeDevice(protocol=7)
    async with device, Callee.open() as callee:
        known = CallTarget(LOOPBACK, callee.port, announced(device))
        with pytest.raises(DisconnectedError):
            await call(known, our_identity(), context)
        body = await callee.next()
        assert body["deviceId"] == OWN_ID
        assert body["protocolVersion"] == 8
        assert isinstance(body["incomingCapabilities"], list)
        assert isinstance(body["outgoingCapabilities"], list)
        assert body["targetDeviceId"] == device.device_id
        assert body["targetProtocolVersion"] == 7
        assert "tcpPort" not in body

        unknown = CallTarget(LOOPBACK, callee.port)
        with pytest.raises(DisconnectedError):
            await call(unknown, our_identity(), context)
        body = await callee.next()
        assert "targetDeviceId" not in body
        assert "targetProtocolVersion" not in body


async def test_caller_of_a_typed_in_address_learns_who_it_is(phone: FakeDevice) -> None:
    link = await calling(phone, known=False)
    assert link.identity.device_id == phone.device_id
    link.abort()


async def test_caller_of_a_typed_in_address_needs_protocol_8(
    phone: FakeDevice,
) -> None:
    """An older device never says who it is when it is called; one may pretend to be one."""
    phone.identity_overrides["secure"] = {"protocolVersion": 7}
    with pytest.raises(ProtocolError, match="older protocol version"):
        await calling(phone, known=False)


@pytest.mark.parametrize(
    ("misbehave", "error"),
    [
        (Misbehave.WRONG_TLS_ROLE, DisconnectedError),
        (Misbehave.NO_CERTIFICATE, DisconnectedError),
        (Misbehave.WRONG_COMMON_NAME, ProtocolError),
        (Misbehave.OTHER_SECOND_PACKET, ProtocolError),
        (Misbehave.BIG_SECOND_IDENTITY, MessageTooLargeError),
        (Misbehave.SWAPPED_ID, ProtocolError),
        (Misbehave.CHANGED_VERSION, ProtocolError),
    ],
)
async def test_called_device_misbehaves(
    phone: FakeDevice, misbehave: Misbehave, error: type[RumpusError]
) -> None:
    phone.misbehave = misbehave
    phone.caller_timeout = 0.1  # both wait for the other's ClientHello
    with pytest.raises(error):
        await calling(phone)
    if misbehave is not Misbehave.WRONG_TLS_ROLE:
        await phone.wait_for(
            "link_down" if phone.events.seen("link_up") else "link_failed"
        )


@pytest.mark.parametrize(
    ("misbehave", "limit"),
    [
        (Misbehave.HALF_OPEN, "CLEAR_IDENTITY_TIMEOUT"),
        (Misbehave.NO_TLS, "CLEAR_IDENTITY_TIMEOUT"),
        (Misbehave.NO_SECOND_IDENTITY, "SECOND_IDENTITY_TIMEOUT"),
    ],
)
async def test_called_device_falls_silent(
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
    misbehave: Misbehave,
    limit: str,
) -> None:
    at_once(monkeypatch, handshake_module, limit)
    phone.misbehave = misbehave
    with pytest.raises(PeerTimeoutError):
        await calling(phone)
    await phone.wait_for("link_failed")


type Conversation = Callable[[asyncio.StreamReader, TlsChannel], Awaitable[None]]


async def at_the_identity(reader: asyncio.StreamReader, channel: TlsChannel) -> None:
    await reader.readline()


async def in_tls(reader: asyncio.StreamReader, channel: TlsChannel) -> None:
    await reader.readline()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0):
            await channel.handshake()
    await reader.read(1)


async def inside_tls(reader: asyncio.StreamReader, channel: TlsChannel) -> None:
    await reader.readline()
    await channel.handshake()
    assert await channel.read()


@contextlib.asynccontextmanager
async def vanishing(after: Conversation) -> AsyncIterator[CallTarget]:
    """Have a device that hangs up after a part of the conversation."""
    credentials = fake_credentials()
    context = tls_context(credentials, server=False)

    async def accept(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await after(reader, TlsChannel(reader, writer, context, server=False))
        writer.transport.abort()

    server = await asyncio.start_server(accept, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield CallTarget(LOOPBACK, port)
    finally:
        server.close()
        await turns(3)


@pytest.mark.parametrize("after", [at_the_identity, in_tls, inside_tls])
async def test_called_device_vanishes(after: Conversation) -> None:
    context = await TlsContexts(our_credentials()).pinned_server(
        fake_credentials().certificate_der
    )
    async with vanishing(after) as target, asyncio.timeout(5):
        with pytest.raises(DisconnectedError):
            await call(target, our_identity(), context)


async def test_cancelled_call_closes_its_connection() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def hold(reader: asyncio.StreamReader, channel: TlsChannel) -> None:
        begun.set()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        ended.set()

    context = await TlsContexts(our_credentials()).pinned_server(
        fake_credentials().certificate_der
    )
    async with vanishing(hold) as target, asyncio.timeout(5):
        task = asyncio.create_task(call(target, our_identity(), context))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await ended.wait()


async def test_nobody_listens(phone: FakeDevice, closed_port: int) -> None:
    target = CallTarget(LOOPBACK, closed_port, announced(phone))
    context = await TlsContexts(our_credentials()).pinned_server(phone.certificate_der)
    with pytest.raises(DisconnectedError, match="refuses"):
        await call(target, our_identity(), context)


async def test_nobody_answers(
    phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch, handshake_module, "CONNECT_TIMEOUT")

    async def never(*args: object, **kwargs: object) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
    with pytest.raises(PeerTimeoutError, match="does not answer"):
        await calling(phone)


# The pin (section 6.3)


async def test_called_device_with_another_certificate_is_recognized(
    phone: FakeDevice,
) -> None:
    pin = phone.certificate_der
    phone.misbehave = Misbehave.OTHER_CERTIFICATE
    with pytest.raises(CertificateChangedError):
        await calling(phone, pinned=pin)


@both_protocols
async def test_pinned_certificate_is_accepted_after_it_expired(
    phone: FakeDevice,
) -> None:
    phone.misbehave = Misbehave.EXPIRED_CERTIFICATE
    link = await calling(phone)
    assert link.certificate == phone.presented_credentials().certificate_der
    link.abort()


@pytest.mark.parametrize("tls13", [False, True], ids=["tls 1.2", "tls 1.3"])
@pytest.mark.parametrize("key_type", KEY_TYPES)
async def test_called_device_may_have_an_older_kind_of_certificate(
    key_type: KeyType, tls13: bool
) -> None:
    async with FakeDevice("computer", credentials=fake_credentials(key_type)) as device:
        device.tls13 = tls13
        link = await calling(device)
        assert link.certificate == device.certificate_der
        link.abort()
