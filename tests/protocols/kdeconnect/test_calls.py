"""Calling devices, known and unknown (sections 5 and 14.1)."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
import datetime as dt
import logging
import socket
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID
import pytest

from .conftest import both_protocols
from .support import (
    KEY_TYPES,
    LOOPBACK,
    PATIENCE,
    announced,
    at_once,
    fake_credentials,
    new_id,
    our_credentials,
    our_identity,
    turns,
)
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.kdeconnect import (
    calls as calls_module,
    handshake as handshake_module,
)
from custom_components.rumpus.protocols.kdeconnect.calls import (
    MAX_CALLS,
    Caller,
    resolve,
)
from custom_components.rumpus.protocols.kdeconnect.handshake import (
    CallTarget,
    CertificateChangedError,
    call,
)
from custom_components.rumpus.protocols.kdeconnect.identity import Identity
from custom_components.rumpus.protocols.kdeconnect.link import Link
from custom_components.rumpus.protocols.kdeconnect.tls import TlsContexts
from tests.fakes.kdeconnect import FakeCredentials, FakeDevice, Misbehave
from tests.fakes.kdeconnect_tls import KeyType

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
def contexts() -> TlsContexts:
    return TlsContexts(our_credentials())


@pytest.fixture
def caller(contexts: TlsContexts) -> Caller:
    return Caller(contexts)


def target(device: FakeDevice, *, known: bool = True) -> CallTarget:
    """Return what an announcement told, or only the address."""
    return CallTarget(LOOPBACK, device.tcp_port, announced(device) if known else None)


# Paired devices


@both_protocols
async def test_paired_device_is_called_with_its_pin(
    caller: Caller, contexts: TlsContexts, phone: FakeDevice
) -> None:
    pin = phone.certificate_der
    link = await caller.call_paired(target(phone), our_identity(), pin)
    assert link.certificate == pin
    assert list(contexts._pinned) == [pin]
    link.abort()


async def test_paired_device_with_another_certificate_is_refused(
    caller: Caller, phone: FakeDevice
) -> None:
    pin = phone.certificate_der
    phone.misbehave = Misbehave.OTHER_CERTIFICATE
    with pytest.raises(CertificateChangedError):
        await caller.call_paired(target(phone), our_identity(), pin)


# Unknown devices


@pytest.mark.parametrize("kind", ["phone", "computer"], ids=["tls 1.2", "tls 1.3"])
@both_protocols
async def test_unknown_device_is_called_twice(
    caller: Caller, contexts: TlsContexts, kind: str, protocol: int
) -> None:
    """The first handshake shows its certificate, the second that it has the key."""
    device = FakeDevice("phone" if kind == "phone" else "computer", protocol=protocol)
    async with device:
        link = await caller.call_unknown(target(device), our_identity())
        assert link.certificate == device.certificate_der
        assert link.identity.protocol_version == protocol
        await device.wait_for("link_failed")
        await device.wait_for("link_up")
        assert not contexts._pinned
        link.abort()


@pytest.mark.parametrize("key_type", KEY_TYPES)
async def test_unknown_device_may_have_an_older_kind_of_certificate(
    caller: Caller, key_type: KeyType
) -> None:
    async with FakeDevice("computer", credentials=fake_credentials(key_type)) as device:
        link = await caller.call_unknown(target(device), our_identity())
        assert link.certificate == device.certificate_der
        link.abort()


async def test_typed_in_address_is_called(caller: Caller, phone: FakeDevice) -> None:
    link = await caller.call_unknown(target(phone, known=False), our_identity())
    assert link.identity.device_id == phone.device_id
    link.abort()


async def test_unknown_device_needs_a_certificate(
    caller: Caller, phone: FakeDevice
) -> None:
    phone.misbehave = Misbehave.NO_CERTIFICATE
    with pytest.raises(DisconnectedError):
        await caller.call_unknown(target(phone), our_identity())
    await phone.wait_for("link_failed")
    assert phone.events.seen("link_failed") == 1


async def test_unknown_device_that_says_nothing(
    caller: Caller, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch, handshake_module, "CLEAR_IDENTITY_TIMEOUT")
    phone.misbehave = Misbehave.HALF_OPEN
    with pytest.raises(PeerTimeoutError):
        await caller.call_unknown(target(phone), our_identity())
    await phone.wait_for("link_failed")


async def test_nobody_there(caller: Caller, closed_port: int) -> None:
    with pytest.raises(DisconnectedError):
        await caller.call_unknown(CallTarget(LOOPBACK, closed_port), our_identity())


async def test_no_call_where_handshakes_cannot_be_watched(
    caller: Caller, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: ssl.SSLContext) -> None:
        raise AttributeError("_msg_callback")

    monkeypatch.setattr(ssl.SSLContext, "_msg_callback", property(missing))
    with pytest.raises(UnsupportedError, match="cannot watch"):
        await caller.call_unknown(target(phone), our_identity())
    assert phone.events.all == []


async def test_learning_handshake_that_succeeds_is_not_trusted(
    caller: Caller,
    contexts: TlsContexts,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It cannot, but if it did, nobody would have looked at the certificate."""
    links: list[Link] = []

    async def succeed(to: CallTarget, own: Identity, _: ssl.SSLContext) -> Link:
        pinned = await contexts.pinned_server(phone.certificate_der)
        links.append(await call(to, own, pinned))
        return links[0]

    monkeypatch.setattr(calls_module, "call", succeed)
    with pytest.raises(DisconnectedError, match="unexpected"):
        await caller.call_unknown(target(phone), our_identity())
    assert len(links) == 1
    assert not links[0].is_connected


async def test_calls_to_unknown_devices_at_once_are_bounded(
    caller: Caller, phone: FakeDevice
) -> None:
    """MAX_CALLS; paired devices are called all the same."""
    silent = FakeDevice("phone", misbehave=Misbehave.HALF_OPEN)
    async with silent:
        tasks = [
            asyncio.create_task(caller.call_unknown(target(silent), our_identity()))
            for _ in range(MAX_CALLS)
        ]
        await turns(3)
        with pytest.raises(UnsupportedError, match="too many"):
            await caller.call_unknown(target(phone), our_identity())
        pin = phone.certificate_der
        (await caller.call_paired(target(phone), our_identity(), pin)).abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        (await caller.call_unknown(target(phone), our_identity())).abort()


# Certificates that nobody can read


def certificate_record(certificate: bytes) -> bytes:
    """Return the certificate as a TLS 1.2 client sends it: in clear.

    A key exchange that makes no sense follows, for who got so far.
    """
    chain = len(certificate).to_bytes(3) + certificate
    body = len(chain).to_bytes(3) + chain
    message = b"\x0b" + len(body).to_bytes(3) + body
    message += b"\x10\x00\x00\x00"
    return b"\x16\x03\x03" + len(message).to_bytes(2) + message


@contextlib.asynccontextmanager
async def presenting(certificate: bytes) -> AsyncIterator[CallTarget]:
    """Have a device that shows any bytes as its certificate."""

    async def accept(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readline()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        outgoing = ssl.MemoryBIO()
        with contextlib.suppress(ssl.SSLWantReadError):
            context.wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
        writer.write(outgoing.read())
        await reader.read(65536)
        writer.write(certificate_record(certificate))
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.transport.abort()

    server = await asyncio.start_server(accept, LOOPBACK, 0)
    try:
        yield CallTarget(LOOPBACK, server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await turns(5)


@pytest.mark.parametrize(
    "certificate",
    [b"\x00", b"garbage" * 99, fake_credentials().certificate_der[:-5]],
    ids=["short", "long", "cut"],
)
async def test_certificate_that_is_none(caller: Caller, certificate: bytes) -> None:
    async with presenting(certificate) as to, asyncio.timeout(PATIENCE):
        with pytest.raises(ProtocolError, match="cannot be read"):
            await caller.call_unknown(to, our_identity())


async def test_certificate_whose_key_the_device_does_not_have(
    caller: Caller,
) -> None:
    certificate = FakeCredentials.generate().certificate_der
    async with presenting(certificate) as to, asyncio.timeout(PATIENCE):
        with pytest.raises(RumpusError):
            await caller.call_unknown(to, our_identity())


def with_odd_name() -> FakeCredentials:
    """Return a certificate with an alternative name that is no ASCII, let alone UTF-8."""
    device_id = new_id()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_id)])
    now = dt.datetime.now(dt.UTC)
    day = dt.timedelta(1)
    odd = x509.UnrecognizedExtension(
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"\x30\x04\x82\x02\xff\xfe"
    )
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - day, now + day)
        .add_extension(odd, critical=False)
        .sign(key, hashes.SHA256())
    )
    return FakeCredentials(device_id, key, certificate)


async def test_certificate_that_python_cannot_decode(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    """Only its common name counts; the rest is not looked at, so that nothing can fail."""
    async with FakeDevice("phone", credentials=with_odd_name()) as device:
        link = await caller.call_unknown(target(device), our_identity())
        assert link.certificate == device.certificate_der
        link.abort()
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


# Addresses


async def test_addresses_need_no_resolving() -> None:
    assert await resolve("127.0.0.1") == "127.0.0.1"


@pytest.mark.parametrize(
    "error", [socket.gaierror(-2, "unknown"), UnicodeError("label too long")]
)
async def test_unknown_names(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(DisconnectedError, match="not known"):
        await resolve("phone.example")


async def test_names_give_their_first_ipv4_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []

    def find(host: str, port: object, family: int = 0, *args: object) -> list[object]:
        asked.append((host, family))
        found = ["192.168.1.5", "192.168.1.6"]
        return [(family, socket.SOCK_STREAM, 6, "", (address, 0)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", find)
    assert await resolve("phone.example") == "192.168.1.5"
    assert asked == [("phone.example", socket.AF_INET)]
