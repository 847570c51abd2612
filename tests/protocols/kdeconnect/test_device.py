"""Packets of a device, its listeners, and what they are not told (sections 2 and 8.5)."""

import pytest

from .conftest import both_protocols
from .support import EventLog, call_us, connect, know_each_other, pair, texts_in
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.events import (
    DeviceEvent,
    MessageReceived,
    PairingChanged,
)
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins.ping import Ping
from tests.fakes.kdeconnect import FakeDevice

PING = Packet("kdeconnect.ping", {"message": "hello"})


# Packets


@both_protocols
async def test_messages_of_a_paired_device(
    friend: RemoteDevice, phone: FakeDevice
) -> None:
    log = EventLog(friend.subscribe)
    await phone.ping.send("hello")
    await log.wait_for(MessageReceived, lambda event: event.message == Ping("hello"))
    await friend.send(PING)
    assert (await phone.wait_for("ping")).data == {"message": "hello"}


@both_protocols
async def test_paired_device_is_asked_how_it_is(
    friend: RemoteDevice, phone: FakeDevice
) -> None:
    """Only for what it takes: our questions are no `unlisted` packets to it."""
    assert await phone.wait_packet("mpris.request") == {"requestPlayerList": True}
    assert not phone.events.seen("unlisted")


@both_protocols
async def test_what_a_paired_device_may_send_without_harm(
    friend: RemoteDevice, phone: FakeDevice
) -> None:
    log = EventLog(friend.subscribe)
    await phone.mischief.unknown_type()
    await phone.mischief.invalid_json()
    await phone.mischief.not_utf8()
    await phone.mischief.nesting_bomb()
    await phone.mischief.send_raw(b"\n\r\n\n")
    await phone.send("battery", {"currentCharge": "nonsense"})
    await phone.mischief.send_raw(
        b'{"type":"kdeconnect.identity","body":{"deviceId":"x"}}\n'
    )
    await phone.ping.send("still here")
    await log.wait_for(
        MessageReceived, lambda event: event.message == Ping("still here")
    )
    assert friend.is_connected
    assert friend.is_paired


async def test_malformed_lines_are_logged_once_a_link(
    friend: RemoteDevice, phone: FakeDevice, caplog: pytest.LogCaptureFixture
) -> None:
    log = EventLog(friend.subscribe)
    await phone.mischief.invalid_json()
    await phone.mischief.not_utf8()
    await phone.ping.send("marker")
    await log.wait_for(MessageReceived, lambda event: event.message == Ping("marker"))
    assert caplog.text.count("sends what is no packet") == 1


async def test_types_that_a_device_does_not_take_are_not_sent(
    friend: RemoteDevice, phone: FakeDevice
) -> None:
    """Section 8.5."""
    assert not friend.supports("kdeconnect.lock.request")
    assert friend.supports("kdeconnect.ping")
    assert friend.supports("kdeconnect.pair")
    assert friend.sends("kdeconnect.battery")
    assert not friend.sends("kdeconnect.lock")
    with pytest.raises(UnsupportedError, match=r"kdeconnect\.lock\.request"):
        await friend.send(Packet("kdeconnect.lock.request", {"requestLocked": True}))


async def test_everything_is_sent_to_a_device_whose_list_is_unknown(
    local: LocalPeer, phone: FakeDevice
) -> None:
    phone.incoming = phone.outgoing = frozenset()
    device = know_each_other(local, phone)
    await call_us(local, phone)
    assert device.supports("kdeconnect.lock.request")
    assert device.sends("kdeconnect.lock")
    await device.send(Packet("kdeconnect.lock.request", {"requestLocked": True}))
    await phone.wait_for("unlisted", lambda event: "lock" in str(event.data["type"]))


async def test_only_pairing_is_spoken_of_with_a_stranger(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    """Section 1: a packet of any other type would be answered by a refusal."""
    with pytest.raises(UnsupportedError, match="not paired"):
        await device.send(PING)
    await device.send(Packet("kdeconnect.pair", {"pair": False}))
    assert await phone.wait_packet("pair") == {"pair": False}
    assert not phone.events.seen("dropped")


async def test_nothing_is_sent_without_a_link(
    local: LocalPeer, phone: FakeDevice
) -> None:
    device = know_each_other(local, phone)
    with pytest.raises(DisconnectedError):
        await device.send(PING)
    with pytest.raises(DisconnectedError):
        await device.request_pairing()
    with pytest.raises(DisconnectedError):
        await device.accept_pairing()


# Callbacks


async def test_listener_that_fails_harms_nobody(
    device: RemoteDevice, phone: FakeDevice, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: DeviceEvent) -> None:
        raise ValueError("a bug")

    device.subscribe(fail)
    log = EventLog(device.subscribe)
    await phone.request_pairing()
    await log.wait_for(PairingChanged)
    await device.accept_pairing()
    await phone.wait_for("paired")
    assert "a listener failed" in caplog.text
    assert device.is_connected


async def test_listener_may_leave_and_come_while_it_is_called(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    seen: list[str] = []

    def once(event: DeviceEvent) -> None:
        seen.append("once")
        leave()
        leave()
        device.subscribe(lambda _: seen.append("late"))

    leave = device.subscribe(once)
    log = EventLog(device.subscribe)
    await phone.request_pairing()
    await log.wait_for(PairingChanged)
    assert seen == ["once"]
    await phone.cancel_pairing()
    await log.wait_for(PairingChanged)
    assert seen == ["once", "late"]


# Secrets


@both_protocols
async def test_contents_are_in_no_log_and_no_representation(
    local: LocalPeer, phone: FakeDevice, caplog: pytest.LogCaptureFixture
) -> None:
    device = await connect(local, phone, "we_call")
    log = EventLog(device.subscribe)
    await pair(device, phone)
    await device.send(Packet("kdeconnect.ping", {"message": "top-secret-1"}))
    await phone.ping.send("top-secret-2")
    await phone.mischief.send_raw(b'{"type":"kdeconnect.ping","body":"top-secret-3"}\n')
    await phone.mischief.send_raw(b"top-secret-4\n")
    await phone.send("pair", {"pair": "top-secret-5"})
    await phone.ping.send("marker")
    received = await log.wait_for(
        MessageReceived, lambda event: event.message == Ping("marker")
    )
    things = [local, device, device._link, device.paired, local.credentials, received]
    things += [local.__dict__, phone.received[-1].type, device._pairing]
    shown = texts_in(things) + caplog.text
    assert "top-secret" not in shown
    assert "marker" not in shown
    key = local.credentials.private_key_pem
    assert key not in shown
    assert key.splitlines()[1] not in shown
    assert "PRIVATE KEY" not in shown
