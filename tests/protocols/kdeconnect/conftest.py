"""Fixtures for the tests of KDE Connect: our end, and devices for it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from .support import (
    PATIENCE,
    Sink,
    call_us,
    connect,
    fake_credentials,
    know_each_other,
    new_peer,
)
from custom_components.rumpus.protocols import reconnect as reconnect_module
from custom_components.rumpus.protocols.kdeconnect import (
    device as device_module,
    discovery as discovery_module,
    local as local_module,
)
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from tests import ports
from tests.fakes.kdeconnect import FakeDevice

both_protocols = pytest.mark.parametrize("protocol", [7, 8])
both_roles = pytest.mark.parametrize("role", ["we_call", "it_calls"])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Believe at once that a lost link is lost."""
    monkeypatch.setattr(device_module, "LINK_GRACE", 0)
    monkeypatch.setattr(reconnect_module, "LINK_GRACE", 0)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Act on every announcement: all of these tests' devices are at one address."""
    monkeypatch.setattr(discovery_module, "ATTEMPT_INTERVAL", 0)


@pytest.fixture
def lan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take loopback for a network where datagrams of ours do not come back to us."""
    monkeypatch.setattr(local_module, "is_loopback", lambda host: False)
    monkeypatch.setattr(local_module, "REPLY_WAIT", PATIENCE)


@pytest.fixture
async def sink(socket_enabled: None) -> AsyncIterator[Sink]:
    """Where our end's announcements go."""
    async with Sink.open() as opened:
        yield opened


@pytest.fixture
def closed_port(socket_enabled: None) -> Iterator[int]:
    """A port that devices listen on, where nobody answers as long as the test runs."""
    with ports.share().closed_port() as port:
        yield port


@pytest.fixture
def devices_first(request: pytest.FixtureRequest) -> None:
    """Make the devices of a test before our end, so that it ends before they do.

    Otherwise it would call devices that are just being stopped.
    """
    for name in ("phone", "computer"):
        if name in request.fixturenames:
            request.getfixturevalue(name)


@pytest.fixture
async def local(sink: Sink, devices_first: None) -> AsyncIterator[LocalPeer]:
    """Our end, started, with no devices."""
    peer = new_peer(sink.port)
    await peer.start()
    yield peer
    await peer.stop()


@pytest.fixture
def protocol() -> int:
    """The protocol version of the fake device, for tests that do not ask for both."""
    return 8


@pytest.fixture
async def phone(
    protocol: int, socket_enabled: None, sink: Sink
) -> AsyncIterator[FakeDevice]:
    """A phone: TLS 1.2 only; it knows nobody."""
    device = FakeDevice(
        "phone",
        protocol=protocol,
        name="Pixel",
        peer_udp_port=sink.port,
        credentials=fake_credentials(),
    )
    async with device:
        yield device


@pytest.fixture
async def computer(protocol: int, socket_enabled: None) -> AsyncIterator[FakeDevice]:
    """A computer: TLS 1.3, text ids with protocol 7; it knows nobody."""
    async with FakeDevice("computer", protocol=protocol, name="Desk") as device:
        yield device


@pytest.fixture
async def device(local: LocalPeer, phone: FakeDevice) -> RemoteDevice:
    """The phone, with a link and not paired."""
    return await connect(local, phone, "it_calls")


@pytest.fixture
async def friend(local: LocalPeer, phone: FakeDevice) -> RemoteDevice:
    """The phone, with a link and paired; it has said what it has to say."""
    found = know_each_other(local, phone)
    await call_us(local, phone)
    await phone.wait_for("link_up")
    return found
