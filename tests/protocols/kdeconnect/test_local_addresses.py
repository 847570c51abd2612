"""Announcing ourselves, and the addresses that users type in (section 4.3)."""

import socket

import pytest

from .support import LOOPBACK, EventLog, Sink, connect, new_peer, running
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    ProtocolError,
    RumpusError,
)
from custom_components.rumpus.protocols.kdeconnect import local as local_module
from custom_components.rumpus.protocols.kdeconnect.events import DeviceDisappeared
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from tests.fakes.kdeconnect import FakeDevice, Misbehave


async def test_announcements(local: LocalPeer, sink: Sink) -> None:
    await sink.next()
    await local.announce()
    assert (await sink.next())["tcpPort"] == local.tcp_port
    await local.announce(LOOPBACK)
    assert (await sink.next())["tcpPort"] == local.tcp_port


async def test_announcement_to_an_unknown_name(
    local: LocalPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(-2, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(DisconnectedError):
        await local.announce("phone.example")
    with pytest.raises(DisconnectedError):
        await local.connect_to("phone.example")


async def test_typed_in_address_is_called(local: LocalPeer, phone: FakeDevice) -> None:
    device = await local.connect_to(LOOPBACK, phone.tcp_port)
    assert device is local.devices[phone.device_id]
    assert device.is_connected
    assert device.port == phone.tcp_port
    # Nothing is known of it, so it is not told whom we want (pitfall 30).
    again = await local.connect_to(LOOPBACK, phone.tcp_port)
    assert again is device


@pytest.mark.usefixtures("lan", "quick")
async def test_typed_in_address_gets_our_datagram_first(
    phone: FakeDevice,
) -> None:
    """It calls us then, as every peer does (section 4.3)."""
    phone.udp_rate_limit = 0
    async with running(new_peer(phone.udp_port)) as local:
        await phone.wait_for("link_up")
        phone.drop_link()
        log = EventLog(local.subscribe)
        await log.wait_for(DeviceDisappeared)
        device = await local.connect_to(LOOPBACK, 1)
        assert device.device_id == phone.device_id
        again = await local.connect_to(LOOPBACK, 1)
        assert again is device
        await phone.wait_for("link_up")
        assert phone.events.seen("udp_identity") == 2


@pytest.mark.usefixtures("lan")
async def test_typed_in_address_that_does_not_call_is_called(
    local: LocalPeer,
    phone: FakeDevice,
    sink: Sink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """REPLY_WAIT: perhaps a firewall lets only our direction through."""
    monkeypatch.setattr(local_module, "REPLY_WAIT", 0.02)
    await sink.next()
    device = await local.connect_to(LOOPBACK, phone.tcp_port)
    assert device.device_id == phone.device_id
    assert (await sink.next())["deviceId"] == local.identity.device_id


@pytest.mark.usefixtures("lan")
async def test_typed_in_address_of_another_device_than_the_linked_ones(
    local: LocalPeer, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_module, "REPLY_WAIT", 0.02)
    async with FakeDevice("computer", bind="127.0.0.2") as other:
        assert (await connect(local, other, "it_calls")).address == "127.0.0.2"
        device = await local.connect_to(LOOPBACK, phone.tcp_port)
        assert device.device_id == phone.device_id
        assert len(local.devices) == 2
        await local.stop()


async def test_typed_in_address_of_nobody(local: LocalPeer, closed_port: int) -> None:
    with pytest.raises(DisconnectedError):
        await local.connect_to(LOOPBACK, closed_port)
    with pytest.raises(RumpusError):
        await local.connect_to(LOOPBACK, local.tcp_port)  # ourselves
    assert not local.devices


@pytest.mark.parametrize("protocol", [7])
async def test_typed_in_address_of_an_older_device(
    local: LocalPeer, phone: FakeDevice
) -> None:
    """It never says who it is, so it has to be the one that calls."""
    with pytest.raises(ProtocolError):
        await local.connect_to(LOOPBACK, phone.tcp_port)
    assert not local.devices


async def test_typed_in_address_of_another_id_than_its_certificate(
    local: LocalPeer, phone: FakeDevice
) -> None:
    phone.misbehave = Misbehave.WRONG_COMMON_NAME
    with pytest.raises(ProtocolError):
        await local.connect_to(LOOPBACK, phone.tcp_port)
    assert not local.devices
