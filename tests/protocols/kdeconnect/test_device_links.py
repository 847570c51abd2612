"""A device's links: how one replaces another, how they are lost (section 8.2)."""

import asyncio
from dataclasses import replace

import pytest

from .conftest import both_protocols, both_roles
from .support import (
    LOOPBACK,
    EventLog,
    RawCaller,
    Role,
    call_us,
    connect,
    fake_credentials,
    know_each_other,
    turns,
)
from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.kdeconnect import device as device_module
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.events import (
    DeviceAppeared,
    DeviceDisappeared,
    IdentityChanged,
    LinkDown,
    LinkUp,
    MessageReceived,
    PairingChanged,
    TrustBroken,
)
from custom_components.rumpus.protocols.kdeconnect.link import Link
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.paired import PairedDevice
from custom_components.rumpus.protocols.kdeconnect.pairing import (
    PairingReason,
    PairingState,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.ping import Ping
from tests.fakes.kdeconnect import FakeDevice, Misbehave

PING = Packet("kdeconnect.ping", {"message": "hello"})


# Over real connections


def attachments(
    device: RemoteDevice, monkeypatch: pytest.MonkeyPatch
) -> asyncio.Queue[Link]:
    """Watch the links that a device gets: nobody is told of one that replaces another."""
    attached: asyncio.Queue[Link] = asyncio.Queue()
    attach = device.attach

    def watch(link: Link) -> None:
        attach(link)
        attached.put_nowait(link)

    monkeypatch.setattr(device, "attach", watch)
    return attached


@both_protocols
@both_roles
async def test_second_link_replaces_the_first(
    local: LocalPeer, phone: FakeDevice, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pairing that is under way goes on, and nobody hears of a lost link."""
    peers = EventLog(local.subscribe)
    device = await connect(local, phone, role)
    log = EventLog(device.subscribe)
    await phone.request_pairing()
    await log.wait_for(PairingChanged)
    key, attached = device.verification_key, attachments(device, monkeypatch)
    await call_us(local, phone)
    await phone.wait_for("link_replaced")
    await attached.get()
    assert device.is_connected
    assert device.pairing_state is PairingState.REQUESTED_BY_PEER
    assert device.verification_key == key
    await device.accept_pairing()
    await phone.wait_for("paired")
    assert log.seen(LinkDown, LinkUp, IdentityChanged) == []
    assert len(peers.seen(DeviceAppeared)) == 1
    assert not peers.seen(DeviceDisappeared)


@both_protocols
async def test_paired_device_keeps_its_state_over_a_replacement(
    local: LocalPeer,
    friend: RemoteDevice,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = EventLog(friend.subscribe)
    attached = attachments(friend, monkeypatch)
    await call_us(local, phone)
    await attached.get()
    await friend.send(PING)
    assert (await phone.wait_for("ping")).data == {"message": "hello"}
    await phone.ping.send("back")
    await log.wait_for(MessageReceived, lambda event: event.message == Ping("back"))
    assert friend.is_paired
    assert log.seen(LinkDown, LinkUp) == []


@both_protocols
@pytest.mark.parametrize("reset", [False, True], ids=["end", "reset"])
@pytest.mark.usefixtures("quick")
async def test_lost_link_is_reported_and_its_successor_too(
    local: LocalPeer, friend: RemoteDevice, phone: FakeDevice, *, reset: bool
) -> None:
    """We call it again at once."""
    peers = EventLog(local.subscribe)
    log = EventLog(friend.subscribe)
    phone.drop_link(reset=reset)
    await log.wait_for(LinkDown)
    assert (await peers.wait_for(DeviceDisappeared)).device is friend
    await log.wait_for(LinkUp)
    assert (await peers.wait_for(DeviceAppeared)).device is friend
    await friend.send(PING)
    await phone.wait_for("ping")
    assert friend.is_paired
    assert local.devices[phone.device_id] is friend


async def test_link_that_is_replaced_in_time_was_never_lost(
    local: LocalPeer,
    friend: RemoteDevice,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """LINK_GRACE: a closed socket may just be on its way to be replaced."""
    monkeypatch.setattr(device_module, "LINK_GRACE", 60)
    log = EventLog(friend.subscribe)
    phone.drop_link()
    await phone.wait_for("link_down")
    await turns()
    with pytest.raises(DisconnectedError):
        await friend.send(PING)
    assert friend.is_up
    attached = attachments(friend, monkeypatch)
    await call_us(local, phone)
    await attached.get()
    assert friend.is_connected
    assert log.seen(LinkDown, LinkUp) == []
    assert friend._grace is None


@both_protocols
@pytest.mark.parametrize("we_asked", [True, False], ids=["we asked", "it asked"])
@pytest.mark.parametrize("reset", [False, True], ids=["end", "reset"])
async def test_device_vanishes_while_it_is_being_paired(
    device: RemoteDevice, phone: FakeDevice, *, we_asked: bool, reset: bool
) -> None:
    log = EventLog(device.subscribe)
    if we_asked:
        await device.request_pairing()
        await phone.wait_for("pairing_requested")
    else:
        await phone.request_pairing()
    await log.wait_for(PairingChanged)
    waiting = asyncio.create_task(device.wait_pairing())
    await turns()
    phone.drop_link(reset=reset)
    with pytest.raises(DisconnectedError):
        await waiting
    assert await log.wait_for(PairingChanged) == PairingChanged(
        PairingState.UNPAIRED, PairingReason.LINK_LOST
    )
    with pytest.raises(DisconnectedError):
        await device.accept_pairing()
    assert not device.is_paired


@both_protocols
@pytest.mark.usefixtures("quick")
async def test_unpaired_device_is_forgotten_with_its_link(
    local: LocalPeer, device: RemoteDevice, phone: FakeDevice
) -> None:
    """Section 4.4."""
    peers = EventLog(local.subscribe)
    assert local.devices[phone.device_id] is device
    phone.drop_link(reset=True)
    await peers.wait_for(DeviceDisappeared)
    assert phone.device_id not in local.devices


@both_protocols
async def test_name_and_capabilities_may_change_with_a_new_link(
    local: LocalPeer, friend: RemoteDevice, phone: FakeDevice
) -> None:
    log = EventLog(friend.subscribe)
    phone.name = "New name"
    phone.incoming |= {"kdeconnect.lock.request"}
    await call_us(local, phone)
    await log.wait_for(IdentityChanged)
    assert friend.name == "New name"
    assert friend.supports("kdeconnect.lock.request")
    assert friend.paired is not None
    assert friend.paired.name == "New name"
    assert friend.paired.certificate == phone.certificate_der


@both_protocols
async def test_one_link_in_each_direction_is_no_change_of_identity(
    local: LocalPeer, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an identity says of its one connection does not matter."""
    device = await connect(local, phone, "we_call")
    log = EventLog(device.subscribe)
    attached = attachments(device, monkeypatch)
    await call_us(local, phone)
    await attached.get()
    assert log.all == []
    assert device.identity.tcp_port is None
    assert device.identity.target_device_id is None


async def test_unpaired_device_with_another_certificate_does_not_get_in(
    local: LocalPeer, device: RemoteDevice, phone: FakeDevice
) -> None:
    """The old link stays, and with it the pairing that is under way (section 6.3)."""
    log = EventLog(device.subscribe)
    await device.request_pairing()
    impostor = FakeDevice(
        "phone",
        credentials=type(fake_credentials()).generate(phone.device_id),
    )
    async with impostor:
        await impostor.call(LOOPBACK, local.tcp_port, local.identity.device_id)
        await impostor.wait_for("link_down")
    assert device.certificate == phone.certificate_der
    assert device.pairing_state is PairingState.REQUESTED
    await phone.wait_for("pairing_requested")
    await phone.accept_pairing()
    assert (await device.wait_pairing()).certificate == phone.certificate_der
    assert not log.seen(TrustBroken)


async def test_impostor_of_a_connected_paired_device_is_nobodys_business(
    local: LocalPeer, friend: RemoteDevice, phone: FakeDevice
) -> None:
    log = EventLog(friend.subscribe)
    async with RawCaller.open(
        local.tcp_port, type(fake_credentials()).generate(phone.device_id)
    ) as impostor:
        impostor.writer.write(impostor.identity())
        await impostor.start_tls()
        impostor.write(impostor.identity())
        await impostor.closed()
    await friend.send(PING)
    await phone.wait_for("ping")
    assert log.seen(TrustBroken, LinkUp, LinkDown, PairingChanged) == []


@pytest.mark.parametrize("expired", [False, True])
async def test_paired_device_may_reconnect_with_its_expired_certificate(
    local: LocalPeer, phone: FakeDevice, *, expired: bool
) -> None:
    if expired:
        phone.misbehave = Misbehave.EXPIRED_CERTIFICATE
    pin = phone.presented_credentials().certificate_der
    device = know_each_other(local, phone)
    device.trust(replace(_stored(device), certificate=pin))
    await call_us(local, phone)
    assert device.is_connected
    assert device.certificate == pin


def _stored(device: RemoteDevice) -> PairedDevice:
    assert device.paired is not None
    return device.paired
