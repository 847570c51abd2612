"""How our end looks for devices that it has lost, and how it ends up with one link."""

import asyncio
import contextlib
from dataclasses import replace
import socket

import pytest

from .conftest import both_protocols
from .support import (
    LOOPBACK,
    PATIENCE,
    Callee,
    EventLog,
    Sink,
    announcement,
    connect,
    fake_credentials,
    introduce,
    know_each_other,
    known,
    new_peer,
    running,
    send_datagram,
    turns,
    udp_port,
)
from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.kdeconnect import local as local_module
from custom_components.rumpus.protocols.kdeconnect.calls import Caller
from custom_components.rumpus.protocols.kdeconnect.discovery import (
    DiscoveryGuard,
    RecentTimes,
)
from custom_components.rumpus.protocols.kdeconnect.events import LinkDown, LinkUp
from custom_components.rumpus.protocols.kdeconnect.handshake import CallTarget
from custom_components.rumpus.protocols.kdeconnect.identity import Identity
from custom_components.rumpus.protocols.kdeconnect.link import Link
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from tests.fakes.kdeconnect import FakeDevice, LinkFailedError, Misbehave

# One call at a time


class ScriptedCalls:
    """Our calls, which end as the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: asyncio.Queue[tuple[str, int, asyncio.Future[None]]] = (
            asyncio.Queue()
        )
        call_paired = Caller.call_paired

        async def scripted(
            caller: Caller, to: CallTarget, own: Identity, pinned: bytes
        ) -> Link:
            end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.begun.put_nowait((to.host, to.port, end))
            await end
            return await call_paired(caller, to, own, pinned)

        monkeypatch.setattr(Caller, "call_paired", scripted)

    async def next(self) -> tuple[str, int, asyncio.Future[None]]:
        """Return where the next call goes, and what to end it by."""
        async with asyncio.timeout(PATIENCE):
            return await self.begun.get()


@pytest.mark.usefixtures("eager")
async def test_device_that_shows_up_during_a_call_that_fails_is_called_again(
    local: LocalPeer, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has restarted: the call had begun before it listened."""
    device = know_each_other(local, phone)
    log = EventLog(device.subscribe)
    calls = ScriptedCalls(monkeypatch)
    send_datagram(announcement(1716, device_id=phone.device_id), udp_port(local))
    _, _, end = await calls.next()
    for _ in range(3):
        phone.announce(LOOPBACK, udp_port(local))
    heard = asyncio.Event()
    monkeypatch.setattr(local, "_heard_unknown", lambda *_: heard.set())
    send_datagram(announcement(1716), udp_port(local))
    await heard.wait()
    await turns()
    end.set_exception(DisconnectedError("nobody listens"))
    assert (await calls.next())[1] == phone.tcp_port
    assert calls.begun.empty()
    for call in local._calling:
        assert call == (phone.device_id, LOOPBACK)
    await local.stop()
    assert log.all == []


async def test_device_that_has_moved_is_called_while_its_old_address_is(
    local: LocalPeer, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = know_each_other(local, phone)
    calls = ScriptedCalls(monkeypatch)
    for host in ("192.168.1.5", "192.168.1.6", "192.168.1.5"):
        target = CallTarget(host, 1716, device.identity)
        local._spawn(local._call_or_announce(device, target))
    assert (await calls.next())[0] == "192.168.1.5"
    assert (await calls.next())[0] == "192.168.1.6"
    await turns()
    assert calls.begun.empty()


async def test_device_that_is_unpaired_during_a_call_is_not_called_again(
    local: LocalPeer, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = know_each_other(local, phone)
    calls = ScriptedCalls(monkeypatch)
    target = CallTarget(LOOPBACK, phone.tcp_port, device.identity)
    local._spawn(local._call_or_announce(device, target))
    _, _, end = await calls.next()
    local._spawn(local._call_or_announce(device, target))
    await turns()
    await device.unpair()
    end.set_exception(DisconnectedError("nobody listens"))
    await turns()
    assert calls.begun.empty()
    assert not local._calling


# Both at once


@both_protocols
@pytest.mark.usefixtures("quick")
async def test_both_call_at_once(local: LocalPeer, phone: FakeDevice) -> None:
    """Each may take another of the two links for the newer one; one of them stays."""
    device = know_each_other(local, phone)
    log = EventLog(device.subscribe)
    introduce(local, phone)
    phone.announce(LOOPBACK, udp_port(local))
    with contextlib.suppress(LinkFailedError):
        await phone.call(LOOPBACK, local.tcp_port, local.identity.device_id)
    await log.wait_for(LinkUp)
    while not phone.events.seen("ping"):
        with contextlib.suppress(DisconnectedError):
            await device.send(Packet("kdeconnect.ping"))
        with contextlib.suppress(TimeoutError):
            await phone.wait_for("ping", timeout=0.1)
    await turns(100)
    assert device.is_connected
    assert log.seen(LinkDown) == []
    assert not phone.events.seen("unpaired")


# Looking for it (section 8.3)


async def test_lost_device_is_looked_for_everywhere_and_at_its_address(
    sink: Sink, phone: FakeDevice
) -> None:
    local = new_peer(sink.port)
    async with Callee.open() as callee:
        stored = replace(known(phone), port=callee.port)
        local.add_paired(stored)
        async with running(local):
            assert (await sink.next())["tcpPort"] == local.tcp_port  # at the start
            assert (await sink.next())["tcpPort"] == local.tcp_port  # looking for it
            body = await callee.next()
            assert body["targetDeviceId"] == phone.device_id


async def test_lost_device_without_an_address_is_looked_for_everywhere(
    sink: Sink, phone: FakeDevice
) -> None:
    local = new_peer(sink.port)
    device = local.add_paired(known(phone, address=None))
    async with running(local):
        await sink.next()
        await sink.next()
        assert await local._knock(device) is False


@both_protocols
@pytest.mark.usefixtures("lan")
async def test_lost_device_that_hears_us_calls(phone: FakeDevice) -> None:
    local = new_peer(phone.udp_port)
    device = know_each_other(local, phone, address=LOOPBACK)
    log = EventLog(device.subscribe)
    async with running(local):
        await log.wait_for(LinkUp)
        await phone.wait_for("link_up")
        assert device.is_connected


@pytest.mark.usefixtures("lan")
async def test_lost_device_that_does_not_call_is_called(
    sink: Sink, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_module, "REPLY_WAIT", 0.02)
    local = new_peer(sink.port)
    device = know_each_other(local, phone, address=LOOPBACK)
    log = EventLog(device.subscribe)
    async with running(local):
        await log.wait_for(LinkUp)
        assert device.is_connected


async def test_lost_device_whose_name_is_unknown_is_waited_for(
    sink: Sink,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(-2, "unknown")

    local = new_peer(sink.port)
    device = local.add_paired(known(phone, address="phone.example"))
    async with running(local):
        monkeypatch.setattr(socket, "getaddrinfo", fail)
        with pytest.raises(DisconnectedError):
            await local._knock(device)
        monkeypatch.undo()


# Links that end before they begin


@both_protocols
async def test_stranger_that_leaves_while_it_is_called_leaves_nothing(
    local: LocalPeer, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    for misbehave in (Misbehave.NO_CERTIFICATE, Misbehave.WRONG_COMMON_NAME):
        phone.misbehave = misbehave
        target = CallTarget(LOOPBACK, phone.tcp_port)
        phone.announce(LOOPBACK, udp_port(local))
        await phone.wait_for("link_failed")
        assert target.identity is None
        await turns(200)
        assert not local.devices
        monkeypatch.setattr(local, "_answered", RecentTimes())
        monkeypatch.setattr(local, "_guard", DiscoveryGuard())


async def test_waiting_ends_with_the_first_link_that_fits(
    local: LocalPeer, phone: FakeDevice, computer: FakeDevice
) -> None:
    waiting = asyncio.create_task(
        local._link_waiters.wait(
            lambda found: found.device_id == phone.device_id, PATIENCE
        )
    )
    await turns()
    await connect(local, computer, "it_calls")
    assert not waiting.done()
    device = await connect(local, phone, "it_calls")
    assert await waiting is device
    assert not local._link_waiters


async def test_link_that_comes_twice_ends_a_waiting_once(
    local: LocalPeer, phone: FakeDevice
) -> None:
    waiting = asyncio.create_task(
        local._link_waiters.wait(lambda found: True, PATIENCE)
    )
    await turns()
    links: list[Link] = []
    caller = Caller(local._contexts)
    for _ in range(2):
        target = CallTarget(LOOPBACK, phone.tcp_port)
        links.append(await caller.call_unknown(target, _own(local)))
    for link in links:  # in one step, so that nobody can wake up in between
        local._linked(link)
    found = await waiting
    assert found is not None
    assert found.certificate == fake_credentials().certificate_der


def _own(local: LocalPeer) -> Identity:
    return local.identity
