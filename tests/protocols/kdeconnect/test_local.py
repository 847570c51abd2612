"""Our end: its life, and the devices that it knows."""

import asyncio
import contextlib
from dataclasses import replace
import logging
import socket
from typing import cast

import pytest
from zeroconf.asyncio import AsyncZeroconf

from .conftest import both_protocols, both_roles
from .support import (
    LOOPBACK,
    PATIENCE,
    EventLog,
    RawCaller,
    Role,
    Sink,
    call_us,
    connect,
    hold_port,
    know_each_other,
    known,
    new_id,
    new_peer,
    open_sockets,
    our_credentials,
    running,
    turns,
    udp_port,
)
from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.kdeconnect import local as local_module
from custom_components.rumpus.protocols.kdeconnect.calls import Caller
from custom_components.rumpus.protocols.kdeconnect.const import DeviceType
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.events import (
    DeviceAppeared,
    DeviceDisappeared,
    LinkUp,
    MessageReceived,
    PairingChanged,
    PeerEvent,
)
from custom_components.rumpus.protocols.kdeconnect.handshake import CallTarget
from custom_components.rumpus.protocols.kdeconnect.identity import Identity
from custom_components.rumpus.protocols.kdeconnect.link import Link
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from custom_components.rumpus.protocols.kdeconnect.mdns import MdnsDiscovery
from custom_components.rumpus.protocols.kdeconnect.paired import PairedDevice
from custom_components.rumpus.protocols.kdeconnect.plugins.ping import Ping
from tests.fakes.kdeconnect import FakeCredentials, FakeDevice

# One that is never there.
NEIGHBOUR = PairedDevice(new_id(), b"certificate", "Neighbour", DeviceType.TV, 8)

# Start and stop


async def test_start_announces_us(sink: Sink) -> None:
    async with running(new_peer(sink.port)) as local:
        body = await sink.next()
        assert body["deviceId"] == local.identity.device_id
        assert body["deviceName"] == "Our end"
        assert body["protocolVersion"] == 8
        assert body["tcpPort"] == local.tcp_port
        assert local.tcp_port in range(1716, 1765)
        assert local.udp_bound
        assert local.udp_port is not None


async def test_our_name_is_one_that_peers_show() -> None:
    def name(text: str) -> str:
        return LocalPeer(our_credentials(), text).identity.name

    assert name("My (nice) home!") == "My nice home"
    assert name("?!") == "Home Assistant"
    assert len(name("x" * 100)) == 32


async def test_ports_before_the_start() -> None:
    local = LocalPeer(our_credentials(), "x")
    assert local.tcp_port == 0
    assert local.udp_port is None
    await local.stop()


@pytest.mark.usefixtures("socket_enabled")
async def test_udp_port_of_another_program(sink: Sink, phone: FakeDevice) -> None:
    """Others' broadcasts are missed, and the rest works (section 14.4)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((LOOPBACK, 0))
        peer = new_peer(sink.port, udp_port=other.getsockname()[1])
        async with running(peer) as local:
            assert not local.udp_bound
            assert (await sink.next())["tcpPort"] == local.tcp_port
            assert (await connect(local, phone, "it_calls")).is_connected
            assert await local.connect_to(LOOPBACK, phone.tcp_port)


@pytest.mark.usefixtures("socket_enabled")
async def test_first_free_tcp_port_is_announced(sink: Sink) -> None:
    with hold_port(range(1716, 1765)) as other:
        first = other.getsockname()[1]
        peer = new_peer(sink.port, tcp_ports=range(first, 1765))
        async with running(peer) as local:
            assert local.tcp_port in range(first + 1, 1765)
            assert (await sink.next())["tcpPort"] == local.tcp_port


@pytest.mark.usefixtures("socket_enabled")
async def test_start_that_fails_leaves_nothing(sink: Sink) -> None:
    before, tasks = open_sockets(), asyncio.all_tasks()
    peer = new_peer(sink.port, tcp_ports=range(0))
    with pytest.raises(OSError, match="no port"):
        await peer.start()
    peer = new_peer(sink.port)
    peer._air._udp._network = replace(peer._network, bind="192.0.2.1")
    with pytest.raises(OSError, match="assign"):
        await peer.start()
    await turns()
    assert open_sockets() == before
    assert asyncio.all_tasks() == tasks


@both_protocols
@both_roles
async def test_stop_leaves_nothing(
    sink: Sink, phone: FakeDevice, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With links, connections on their way, calls, and reconnections."""
    monkeypatch.setattr(local_module, "REPLY_WAIT", PATIENCE)
    local = new_peer(sink.port)
    away = replace(known(phone), device_id=new_id(), address=LOOPBACK, port=1)
    before, tasks = open_sockets(), asyncio.all_tasks()
    local.add_paired(away)
    await local.start()
    device = await connect(local, phone, role)
    await device.request_pairing()
    waiting = asyncio.create_task(device.wait_pairing())
    async with contextlib.AsyncExitStack() as stack:
        silent = await stack.enter_async_context(RawCaller.open(local.tcp_port))
        in_tls = await stack.enter_async_context(RawCaller.open(local.tcp_port))
        in_tls.writer.write(in_tls.identity())
        await in_tls.reader.read(1)
        await local.stop()
        await local.stop()
        await silent.closed()
        await in_tls.closed()
    with pytest.raises(DisconnectedError):
        await waiting
    await phone.wait_for("link_down")
    assert not local.devices
    assert local.udp_port is None
    del in_tls, silent
    await turns()
    assert asyncio.all_tasks() == tasks
    assert open_sockets() == before


async def test_stop_while_a_device_is_invited(
    sink: Sink, lan: None, phone: FakeDevice
) -> None:
    async with running(new_peer(sink.port)) as local:
        await sink.next()
        phone.announce(LOOPBACK, udp_port(local))
        await sink.next()
        assert local._tasks
        await local.stop()
        assert not local._tasks
        assert not local._link_waiters


async def test_our_end_may_start_again(sink: Sink, phone: FakeDevice) -> None:
    local = new_peer(sink.port)
    for _ in range(2):
        async with running(local):
            assert (await connect(local, phone, "it_calls")).is_connected
        await phone.wait_for("link_down")


class SilentMdns:
    """Notes what is asked of it."""

    def __init__(self) -> None:
        self.done: list[object] = []

    async def start(self, identity: Identity, addresses: tuple[str, ...]) -> None:
        """Start."""
        self.done.append((identity.tcp_port, addresses))

    async def stop(self, device_id: str) -> None:
        """Stop."""
        self.done.append(device_id)


async def test_mdns_is_used_where_there_is_zeroconf(sink: Sink) -> None:
    local = LocalPeer(
        our_credentials(),
        "x",
        network=new_peer(sink.port)._network,
        zeroconf=cast(AsyncZeroconf, object()),
    )
    real, mdns = local._air._mdns, SilentMdns()
    assert isinstance(real, MdnsDiscovery)
    friend = replace(NEIGHBOUR, device_id=new_id())
    local.add_paired(friend)
    local._air._mdns = cast(MdnsDiscovery, mdns)
    async with running(local):
        port = local.tcp_port
        assert real._is_known(friend.device_id)
        assert not real._is_known(new_id())
    assert mdns.done == [(port, (LOOPBACK,)), our_credentials().device_id]


async def test_link_that_is_finished_after_the_end_is_cut(
    sink: Sink, phone: FakeDevice
) -> None:
    """Nobody would ever close it."""
    local = new_peer(sink.port)
    async with running(local):
        link = await Caller(local._contexts).call_unknown(
            CallTarget(LOOPBACK, phone.tcp_port), local.identity
        )
    local._linked(link)
    assert not link.is_connected
    assert not local.devices
    await phone.wait_for("link_down")


async def test_stored_pin_that_is_damaged_is_only_logged(
    sink: Sink, phone: FakeDevice, caplog: pytest.LogCaptureFixture
) -> None:
    """Its device cannot be called, and the rest works."""
    local = new_peer(sink.port)
    damaged = replace(known(phone), device_id=new_id(), certificate=b"damaged")
    local.add_paired(damaged)
    async with running(local):
        assert (await connect(local, phone, "it_calls")).is_connected
        async with asyncio.timeout(PATIENCE):
            while "Cannot connect" not in caplog.text:
                await turns()
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


# Devices


async def test_devices_cannot_be_changed_from_outside(local: LocalPeer) -> None:
    with pytest.raises(TypeError):
        cast(dict[str, object], local.devices)["x"] = None
    assert local.devices == {}


@both_protocols
async def test_paired_device_added_before_the_start_is_never_told_that_it_is_not(
    sink: Sink, phone: FakeDevice
) -> None:
    """It greets us the moment it is connected (section 8.4)."""
    local = new_peer(sink.port)
    device = know_each_other(local, phone)
    log = EventLog(device.subscribe)
    async with running(local):
        await call_us(local, phone)
        await phone.mischief.flood(3)
        await phone.ping.send("marker")
        await log.wait_for(
            MessageReceived, lambda event: event.message == Ping("marker")
        )
        await phone.wait_for("link_up")
    assert not phone.events.seen("unpaired")
    assert "kdeconnect.pair" not in [packet.type for packet in phone.received]


@both_protocols
async def test_paired_device_is_looked_for_at_the_start(
    sink: Sink, phone: FakeDevice
) -> None:
    local = new_peer(sink.port)
    device = know_each_other(local, phone, address=LOOPBACK)
    log = EventLog(device.subscribe)
    async with running(local):
        await log.wait_for(LinkUp)
        await phone.wait_for("link_up")
        assert device.is_connected


async def test_paired_device_added_later_is_looked_for_too(
    local: LocalPeer, phone: FakeDevice
) -> None:
    log = EventLog(local.subscribe)
    device = know_each_other(local, phone, address=LOOPBACK)
    assert (await log.wait_for(DeviceAppeared)).device is device
    assert local.add_paired(known(phone)) is device


async def test_stranger_with_a_link_turns_out_to_be_paired(
    local: LocalPeer, phone: FakeDevice
) -> None:
    device = await connect(local, phone, "it_calls")
    log = EventLog(device.subscribe)
    assert know_each_other(local, phone) is device
    assert device.is_paired
    assert device.is_connected
    phone.peer().state = type(phone.peer().state).PAIRED
    await phone.ping.send("hello")
    assert (await log.wait_for(MessageReceived)).message == Ping("hello")


@pytest.mark.usefixtures("quick")
async def test_impostor_with_a_link_turns_out_to_be_one(
    local: LocalPeer, phone: FakeDevice
) -> None:
    peers = EventLog(local.subscribe)
    impostor = FakeDevice(
        "phone", credentials=FakeCredentials.generate(phone.device_id)
    )
    async with impostor:
        device = await connect(local, impostor, "it_calls")
        assert local.add_paired(known(phone, address=None)) is device
        await impostor.wait_for("link_down")
        await peers.wait_for(DeviceDisappeared)
    assert local.devices[phone.device_id] is device
    assert device.paired == known(phone, address=None)


async def test_removed_device_is_forgotten_and_not_told(
    local: LocalPeer, friend: RemoteDevice, phone: FakeDevice
) -> None:
    log = EventLog(local.subscribe)
    await local.connect_to(LOOPBACK, phone.tcp_port)
    await local.remove(phone.device_id)
    await phone.wait_for("link_down")
    assert phone.device_id not in local.devices
    assert not local._reconnectors
    assert not local._contexts._pinned
    assert not phone.events.seen("unpaired")
    assert not log.seen(DeviceDisappeared)
    await local.remove(phone.device_id)


@pytest.mark.usefixtures("quick")
async def test_unpaired_device_may_be_removed_too(
    local: LocalPeer, device: RemoteDevice, phone: FakeDevice
) -> None:
    await local.remove(phone.device_id)
    await phone.wait_for("link_down")
    assert not local.devices


async def test_device_that_is_removed_while_we_call_it_does_not_come_back(
    local: LocalPeer, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a stranger it would be told that it is not paired, and forget us."""
    device = know_each_other(local, phone)
    linked, go_on = asyncio.Event(), asyncio.Event()
    call_paired = Caller.call_paired

    async def hold(
        caller: Caller, to: CallTarget, own: Identity, pinned: bytes
    ) -> Link:
        link = await call_paired(caller, to, own, pinned)
        linked.set()
        await go_on.wait()
        return link

    monkeypatch.setattr(Caller, "call_paired", hold)
    phone.announce(LOOPBACK, udp_port(local))
    async with asyncio.timeout(PATIENCE):
        await linked.wait()
    await local.remove(device.device_id)
    go_on.set()
    await phone.wait_for("link_down")
    assert not local.devices
    assert not phone.events.seen("unpaired")


async def test_device_that_is_not_ours_any_more_cannot_be_dropped(
    local: LocalPeer, device: RemoteDevice, phone: FakeDevice
) -> None:
    """Another object may stand for the same id by then."""
    await local.remove(phone.device_id)
    await phone.wait_for("link_down")
    again = await connect(local, phone, "it_calls")
    local._drop(device)
    assert local.devices[phone.device_id] is again


# The end of a pairing


@both_protocols
@pytest.mark.usefixtures("quick")
async def test_unpaired_device_stays_while_it_has_a_link(
    local: LocalPeer, friend: RemoteDevice, phone: FakeDevice
) -> None:
    peers = EventLog(local.subscribe)
    await phone.unpair()
    await phone.wait_for("unpaired")
    await _forgotten(local)
    assert local.devices[phone.device_id] is friend
    phone.drop_link()
    await peers.wait_for(DeviceDisappeared)
    assert not local.devices


async def _forgotten(local: LocalPeer) -> None:
    """Wait until nobody looks for paired devices any more."""
    async with asyncio.timeout(PATIENCE):
        while local._reconnectors or local._tasks:
            await turns()


@both_protocols
@pytest.mark.usefixtures("quick")
async def test_device_that_is_away_is_unpaired(
    local: LocalPeer, phone: FakeDevice
) -> None:
    """It learns of it when it comes back and says something."""
    device = know_each_other(local, phone)
    log = EventLog(device.subscribe)
    await device.unpair()
    await log.wait_for(PairingChanged)
    await _forgotten(local)
    assert not local.devices
    assert phone.paired
    await call_us(local, phone)
    await phone.wait_for("unpaired")
    assert not phone.paired


async def test_device_that_is_unpaired_in_its_grace_goes_with_it(
    local: LocalPeer, friend: RemoteDevice, phone: FakeDevice
) -> None:
    """Until then it is one of ours: stop() ends its timer, and nobody sees it twice."""
    phone.drop_link()
    await phone.wait_for("link_down")
    await turns()
    assert friend.is_up
    await friend.unpair()
    await _forgotten(local)
    assert local.devices[phone.device_id] is friend
    assert friend._grace is not None


async def test_device_that_is_unpaired_and_paired_again_at_once_is_looked_for(
    local: LocalPeer, phone: FakeDevice
) -> None:
    device = know_each_other(local, phone)
    await device.unpair()
    again = know_each_other(local, phone, address=LOOPBACK)
    log = EventLog(again.subscribe)
    await log.wait_for(LinkUp)
    assert local.devices[phone.device_id] is again
    assert again.is_paired


# Callbacks


async def test_listener_that_fails_harms_nobody(
    local: LocalPeer, phone: FakeDevice, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: PeerEvent) -> None:
        raise ValueError("a bug")

    local.subscribe(fail)
    log = EventLog(local.subscribe)
    device = await connect(local, phone, "we_call")
    assert log.all == [DeviceAppeared(device)]
    assert "A listener failed" in caplog.text


async def test_listener_that_left_hears_nothing(
    local: LocalPeer, phone: FakeDevice
) -> None:
    log = EventLog(local.subscribe)
    log.unsubscribe()
    log.unsubscribe()
    await connect(local, phone, "we_call")
    assert log.all == []


async def test_nothing_of_a_normal_day_is_a_warning(
    local: LocalPeer, phone: FakeDevice, caplog: pytest.LogCaptureFixture
) -> None:
    await connect(local, phone, "we_call")
    await phone.stop()
    await local.stop()
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []
