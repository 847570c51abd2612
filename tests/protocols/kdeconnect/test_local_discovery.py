"""What our end does when devices show up, and how it looks for those it has lost."""

import pytest

from .conftest import both_protocols
from .support import (
    LOOPBACK,
    Callee,
    EventLog,
    Sink,
    announcement,
    call_us,
    connect,
    know_each_other,
    new_id,
    new_peer,
    running,
    send_datagram,
    turns,
    udp_port,
)
from custom_components.rumpus.protocols.kdeconnect import local as local_module
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.events import (
    DeviceAppeared,
    DeviceDisappeared,
    LinkDown,
    LinkUp,
    TrustBroken,
    TrustReason,
)
from custom_components.rumpus.protocols.kdeconnect.handshake import CallTarget
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from custom_components.rumpus.protocols.kdeconnect.mdns import FoundService
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from tests.fakes.kdeconnect import FakeDevice, Misbehave


async def _hushed(sink: Sink) -> None:
    """Wait until we have announced ourselves at the start and looking for a device."""
    await sink.next()
    await sink.next()


# Unknown devices


@both_protocols
async def test_unknown_device_on_loopback_is_called(
    local: LocalPeer, phone: FakeDevice
) -> None:
    """Our datagram would come back to ourselves there."""
    device = await connect(local, phone, "we_call")
    assert device.port == phone.tcp_port
    assert not device.is_paired
    assert phone.events.seen("udp_identity") == 0


@both_protocols
@pytest.mark.usefixtures("lan", "quick")
async def test_unknown_device_is_invited_to_call(phone: FakeDevice) -> None:
    """Its call shows us its certificate (section 14.1)."""
    phone.udp_rate_limit = 0
    async with running(new_peer(phone.udp_port)) as local:
        await phone.wait_for("link_up")  # it has heard our first announcement
        log = EventLog(local.subscribe)
        phone.drop_link()
        await log.wait_for(DeviceDisappeared)
        await phone.wait_for("udp_identity")
        phone.announce(LOOPBACK, udp_port(local))
        await phone.wait_for("udp_identity")
        await log.wait_for(DeviceAppeared)
        await phone.wait_for("link_up")
        assert not phone.events.seen("link_failed")
        await turns()
        assert not local._tasks


@both_protocols
@pytest.mark.usefixtures("lan")
async def test_unknown_device_that_does_not_call_is_called(
    local: LocalPeer,
    phone: FakeDevice,
    sink: Sink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(local_module, "REPLY_WAIT", 0.02)
    await sink.next()
    device = await connect(local, phone, "we_call")
    assert device.is_connected
    assert (await sink.next())["deviceId"] == local.identity.device_id


@pytest.mark.usefixtures("lan")
async def test_unknown_device_that_got_its_link_otherwise_is_not_called(
    local: LocalPeer, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its link came while we were not looking for one."""

    async def nothing(self: LocalPeer, address: str, matches: object) -> None:
        await call_us(self, phone)

    monkeypatch.setattr(LocalPeer, "_ask_to_call", nothing)
    await connect(local, phone, "we_call")
    await turns()
    assert not local._tasks
    assert not phone.events.seen("link_failed")
    assert not phone.events.seen("link_replaced")


async def test_unknown_device_that_cannot_be_called_is_only_logged(
    local: LocalPeer, caplog: pytest.LogCaptureFixture
) -> None:
    async with Callee.open() as callee:
        send_datagram(announcement(callee.port), udp_port(local))
        await callee.next()
        await turns(100)
    assert not local._tasks
    assert not local.devices
    assert f"No link with {LOOPBACK}" in caplog.text


@pytest.mark.usefixtures("eager")
async def test_linked_stranger_that_announces_itself_is_left_alone(
    local: LocalPeer, device: RemoteDevice, phone: FakeDevice
) -> None:
    log = EventLog(device.subscribe)
    phone.announce(LOOPBACK, udp_port(local))
    async with Callee.open() as callee:
        send_datagram(announcement(callee.port), udp_port(local))
        await callee.next()  # the datagrams are taken in their order
    assert not phone.events.seen("link_replaced")
    assert log.all == []


@pytest.mark.usefixtures("eager")
async def test_malformed_datagrams_are_dropped(local: LocalPeer) -> None:
    own = local.identity.device_id
    async with Callee.open() as callee:
        for data in (
            b"hello",
            announcement(callee.port, device_id=own),
            announcement(callee.port, protocolVersion=6),
            announcement(callee.port + 100),
        ):
            send_datagram(data, udp_port(local))
        good = new_id()
        send_datagram(announcement(callee.port, device_id=good), udp_port(local))
        assert (await callee.next())["targetDeviceId"] == good
        assert callee.lines.empty()


# Paired devices


@both_protocols
async def test_paired_device_is_called_as_soon_as_it_shows_up(
    local: LocalPeer, phone: FakeDevice
) -> None:
    device = know_each_other(local, phone)
    log = EventLog(device.subscribe)
    phone.announce(LOOPBACK, udp_port(local))
    await log.wait_for(LinkUp)
    await phone.wait_for("link_up")
    assert not phone.events.seen("link_failed")
    await device.send(Packet("kdeconnect.ping"))
    await phone.wait_for("ping")


@both_protocols
@pytest.mark.usefixtures("quick")
async def test_paired_device_is_found_again_after_its_restart(
    local: LocalPeer, friend: RemoteDevice, phone: FakeDevice
) -> None:
    """At the same address, whether it announces itself or not."""
    log = EventLog(friend.subscribe)
    await phone.stop()
    await log.wait_for(LinkDown)
    await phone.start()
    phone.announce(LOOPBACK, udp_port(local))
    await log.wait_for(LinkUp)
    await friend.send(Packet("kdeconnect.ping"))
    await phone.wait_for("ping")


@both_protocols
async def test_refused_call_is_answered_by_our_announcement(
    local: LocalPeer, phone: FakeDevice, sink: Sink, closed_port: int
) -> None:
    """Perhaps only the other direction is open (section 5, "Reverse fallback")."""
    device = know_each_other(local, phone)
    await _hushed(sink)
    send_datagram(
        announcement(
            closed_port, device_id=phone.device_id, protocolVersion=phone.protocol
        ),
        udp_port(local),
    )
    assert (await sink.next())["tcpPort"] == local.tcp_port
    assert not device.is_connected
    assert device.is_paired


@both_protocols
async def test_paired_device_that_refuses_calls_calls_us(
    phone: FakeDevice, closed_port: int
) -> None:
    """The fallback as a whole: it hears us, and comes."""
    phone.udp_rate_limit = 0
    local = new_peer(phone.udp_port)
    device = know_each_other(local, phone)
    log = EventLog(device.subscribe)
    phone.answers_udp = False
    async with running(local):
        await phone.wait_for("udp_identity")
        phone.answers_udp = True
        send_datagram(
            announcement(
                closed_port, device_id=phone.device_id, protocolVersion=phone.protocol
            ),
            udp_port(local),
        )
        await log.wait_for(LinkUp)
        await phone.wait_for("link_up")


@pytest.mark.usefixtures("eager")
async def test_paired_device_is_called_once_at_a_time(
    local: LocalPeer, phone: FakeDevice
) -> None:
    know_each_other(local, phone)
    phone.misbehave = Misbehave.HALF_OPEN
    phone.announce(LOOPBACK, udp_port(local))
    async with Callee.open() as callee:
        for _ in range(3):
            send_datagram(
                announcement(callee.port, device_id=phone.device_id), udp_port(local)
            )
        marker = new_id()
        send_datagram(announcement(callee.port, device_id=marker), udp_port(local))
        assert (await callee.next())["targetDeviceId"] == marker
        assert callee.lines.empty()


@both_protocols
async def test_changed_certificate_breaks_the_trust_once(
    local: LocalPeer, phone: FakeDevice, sink: Sink
) -> None:
    """We called; the pin is kept, and nothing is sent to whoever this is."""
    device = know_each_other(local, phone)
    await _hushed(sink)
    log = EventLog(device.subscribe)
    pin = device.paired
    phone.misbehave = Misbehave.OTHER_CERTIFICATE
    phone.announce(LOOPBACK, udp_port(local))
    event = await log.wait_for(TrustBroken)
    assert event == TrustBroken(TrustReason.CERTIFICATE_CHANGED)
    await phone.wait_for("link_failed")
    await turns()
    assert log.all == [event]
    assert sink.received.empty()
    assert device.paired == pin
    assert not device.is_connected
    phone.misbehave = Misbehave.NOTHING
    await call_us(local, phone)
    await log.wait_for(LinkUp)


@both_protocols
async def test_changed_certificate_of_a_caller_breaks_the_trust_once(
    local: LocalPeer, phone: FakeDevice
) -> None:
    device = know_each_other(local, phone)
    log = EventLog(device.subscribe)
    pin = device.paired
    phone.misbehave = Misbehave.OTHER_CERTIFICATE
    await call_us(local, phone)
    await phone.wait_for("link_down")
    assert log.all == [TrustBroken(TrustReason.CERTIFICATE_CHANGED)]
    assert device.paired == pin
    assert not device.is_connected


async def test_other_certificate_at_the_last_address_proves_nothing(
    sink: Sink, phone: FakeDevice
) -> None:
    """The address may have another device by now; only one that names itself counts."""
    local = new_peer(sink.port)
    device = know_each_other(local, phone, address=LOOPBACK)
    log = EventLog(device.subscribe)
    phone.misbehave = Misbehave.OTHER_CERTIFICATE
    async with running(local):
        await phone.wait_for("link_failed")
        await turns(50)
        assert log.all == []
        assert device.is_paired
        phone.misbehave = Misbehave.NOTHING
        phone.announce(LOOPBACK, udp_port(local))
        await log.wait_for(LinkUp)


async def test_call_that_becomes_needless_is_not_made(
    local: LocalPeer, phone: FakeDevice
) -> None:
    """It was unpaired while the call was on its way."""
    device = know_each_other(local, phone)
    target = CallTarget(LOOPBACK, phone.tcp_port, device.identity)
    await device.unpair()
    await local._call_paired(device, target)
    assert not device.is_connected
    assert phone.events.all == []


# mDNS (section 4.2)


async def test_unknown_service_gets_our_announcement(
    local: LocalPeer, sink: Sink
) -> None:
    await sink.next()
    local._heard_service(FoundService(new_id(), LOOPBACK, 1716))
    assert (await sink.next())["deviceId"] == local.identity.device_id


async def test_service_of_a_linked_device_is_left_alone(
    local: LocalPeer, device: RemoteDevice, sink: Sink
) -> None:
    await sink.next()
    local._heard_service(FoundService(device.device_id, LOOPBACK, 1716))
    await turns()
    assert sink.received.empty()
    assert not local._tasks


@both_protocols
async def test_service_of_a_paired_device_is_called(
    local: LocalPeer, phone: FakeDevice
) -> None:
    device = know_each_other(local, phone)
    log = EventLog(device.subscribe)
    local._heard_service(FoundService(phone.device_id, LOOPBACK, phone.tcp_port))
    await log.wait_for(LinkUp)


@pytest.mark.usefixtures("quick")
async def test_service_of_a_lost_stranger_gets_our_announcement(
    local: LocalPeer, sink: Sink, phone: FakeDevice
) -> None:
    """Its object may still be there, in its grace."""
    device = await connect(local, phone, "it_calls")
    await sink.next()
    assert device._link is not None
    device._link.abort()
    local._heard_service(FoundService(phone.device_id, LOOPBACK, 1716))
    assert (await sink.next())["deviceId"] == local.identity.device_id
