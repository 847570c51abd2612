"""How often we ask to be called: other programs make a new link for every datagram."""

import asyncio

import pytest

from .conftest import both_protocols
from .support import (
    LOOPBACK,
    EventLog,
    Sink,
    announcement,
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
from custom_components.rumpus.protocols.kdeconnect.discovery import RecentTimes
from custom_components.rumpus.protocols.kdeconnect.events import (
    DeviceDisappeared,
    LinkDown,
)
from custom_components.rumpus.protocols.kdeconnect.local import (
    ANSWER_INTERVAL,
    LocalPeer,
)
from tests.fakes.kdeconnect import FakeDevice


async def datagrams(sink: Sink) -> int:
    """Return how many datagrams have come and nobody has looked at."""
    await turns(100)
    return sink.received.qsize()


async def test_device_is_invited_once(local: LocalPeer, sink: Sink) -> None:
    await sink.next()  # our first announcement
    device_id = new_id()
    local.invite(device_id, LOOPBACK)
    local.invite(device_id, LOOPBACK)
    await sink.next()
    assert await datagrams(sink) == 0


@pytest.mark.usefixtures("lan")
async def test_device_that_has_just_been_answered_is_not_invited(
    local: LocalPeer, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_module, "REPLY_WAIT", 0.01)
    await sink.next()
    device_id = new_id()
    send_datagram(announcement(1764, device_id=device_id), udp_port(local))
    await sink.next()  # the answer
    local.invite(device_id, LOOPBACK)
    assert await datagrams(sink) == 0


@both_protocols
async def test_connected_device_is_not_invited(
    local: LocalPeer, phone: FakeDevice, sink: Sink
) -> None:
    await sink.next()
    device = await connect(local, phone, "we_call")
    local.invite(device.device_id, LOOPBACK)
    assert await datagrams(sink) == 0


async def test_device_that_went_may_be_invited_again(
    local: LocalPeer, phone: FakeDevice, sink: Sink
) -> None:
    """A program that restarts announces itself a moment later."""
    await sink.next()
    log = EventLog(local.subscribe)
    device = await connect(local, phone, "we_call")
    phone.drop_link()
    await log.wait_for(DeviceDisappeared)
    now = asyncio.get_running_loop().time()
    for times in (local._answered, local._invited):
        assert not times.is_recent(device.device_id, now, ANSWER_INTERVAL)
    local.invite(device.device_id, LOOPBACK)
    await sink.next()


async def test_lost_device_is_looked_for_everywhere_once(
    sink: Sink, phone: FakeDevice
) -> None:
    """Every other device in the network makes its link anew when it hears us."""
    local = new_peer(sink.port)
    device = know_each_other(local, phone, address=None)
    async with running(local):
        await sink.next()  # at the start
        await sink.next()  # looking for it
        assert not await local._knock(device)
        assert await datagrams(sink) == 0
        await connect(local, phone, "it_calls")
        log = EventLog(device.subscribe)
        phone.drop_link()
        await log.wait_for(LinkDown)
        # Found and lost again: that is another loss.
        assert (await sink.next())["deviceId"] == local.identity.device_id


async def test_paired_devices_are_told_from_strangers(
    local: LocalPeer, phone: FakeDevice
) -> None:
    """By their ids: mDNS looks them up first."""
    assert not local._is_paired(phone.device_id)
    await connect(local, phone, "we_call")
    assert not local._is_paired(phone.device_id)
    know_each_other(local, phone)
    assert local._is_paired(phone.device_id)


def test_forgotten_key_was_never_seen() -> None:
    times = RecentTimes()
    assert not times.is_recent("a", 0, 10)
    times.touch("a", 0)
    assert times.is_recent("a", 9.9, 10)
    assert not times.is_recent("a", 10, 10)
    times.forget("a")
    times.forget("b")
    assert not times.is_recent("a", 1, 10)
