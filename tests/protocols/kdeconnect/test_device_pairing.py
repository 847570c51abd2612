"""Pairing with a device, as the other end sees it (sections 7 and 12.2)."""

import asyncio
import time

import pytest

from .conftest import both_protocols, both_roles
from .support import EventLog, Role, connect, know_each_other, pair
from custom_components.rumpus.protocols.errors import AuthenticationError
from custom_components.rumpus.protocols.kdeconnect import pairing as pairing_module
from custom_components.rumpus.protocols.kdeconnect.const import DeviceType
from custom_components.rumpus.protocols.kdeconnect.credentials import verification_key
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.events import (
    DeviceEvent,
    MessageReceived,
    PairingChanged,
    PairingRequested,
)
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.paired import (
    PairedDevice,
    PairingCanceledError,
    PairingRejectedError,
    PairingTimeoutError,
)
from custom_components.rumpus.protocols.kdeconnect.pairing import (
    PairingReason,
    PairingState,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.ping import Ping
from tests.fakes.kdeconnect import FakeDevice, Misbehave


@pytest.fixture
def log(device: RemoteDevice) -> EventLog[DeviceEvent]:
    return EventLog(device.subscribe)


async def changed(
    log: EventLog[DeviceEvent], state: PairingState, reason: PairingReason
) -> None:
    """Wait for the next change of the pairing, which has to be this one."""
    assert await log.wait_for(PairingChanged) == PairingChanged(state, reason)


# We ask (section 7.2)


@both_protocols
@both_roles
async def test_pairing_from_our_side(
    local: LocalPeer, phone: FakeDevice, role: Role, protocol: int
) -> None:
    device = await connect(local, phone, role)
    log = EventLog(device.subscribe)
    before = int(time.time())
    await device.request_pairing()
    assert device.pairing_state is PairingState.REQUESTED
    await changed(log, PairingState.REQUESTED, PairingReason.ASKED)
    body = await phone.wait_packet("pair")
    assert body["pair"] is True
    if protocol >= 8:
        timestamp = body["timestamp"]
        assert isinstance(timestamp, int)
        assert before <= timestamp <= time.time()
    else:
        assert "timestamp" not in body
    event = await phone.wait_for("pairing_requested")
    assert event.data["verification_key"] == device.verification_key
    await phone.accept_pairing()
    paired = await device.wait_pairing()
    await changed(log, PairingState.PAIRED, PairingReason.ACCEPTED_BY_PEER)
    assert device.is_paired
    assert device.paired == paired == await device.wait_pairing()
    assert paired == PairedDevice(
        phone.device_id,
        phone.certificate_der,
        phone.name,
        DeviceType.PHONE,
        protocol,
        "127.0.0.1",
        phone.tcp_port if role == "we_call" else 1716,
        phone.incoming,
        phone.outgoing,
    )
    assert phone.paired[local.identity.device_id] == local.credentials.certificate


@both_protocols
@both_roles
async def test_pairing_from_the_other_side(
    local: LocalPeer, computer: FakeDevice, role: Role, protocol: int
) -> None:
    peers = EventLog(local.subscribe)
    device = await connect(local, computer, role)
    log = EventLog(device.subscribe)
    await computer.request_pairing()
    await changed(log, PairingState.REQUESTED_BY_PEER, PairingReason.ASKED_BY_PEER)
    assert (await peers.wait_for(PairingRequested)).device is device
    assert device.pairing_state is PairingState.REQUESTED_BY_PEER
    key = device.verification_key
    assert key == computer.verification_key
    own = local.credentials.certificate
    without = verification_key(own, computer.certificate_der, None)
    assert (key == without) == (protocol < 8)  # CVE-2025-32898
    await device.accept_pairing()
    await changed(log, PairingState.PAIRED, PairingReason.ACCEPTED)
    paired = await device.wait_pairing()
    assert paired.certificate == computer.certificate_der
    body = await computer.wait_packet("pair")
    assert body == {"pair": True}
    await computer.wait_for("paired")


async def test_verification_key_is_there_while_there_is_something_to_verify(
    local: LocalPeer, phone: FakeDevice
) -> None:
    keys = [know_each_other(local, phone).verification_key]
    await local.remove(phone.device_id)
    phone.paired.clear()
    device = await connect(local, phone, "it_calls")
    keys.append(device.verification_key)
    await device.request_pairing()
    keys.append(device.verification_key)
    await device.reject_pairing()
    keys.append(device.verification_key)
    assert [key is None for key in keys] == [True, True, False, True]


@both_protocols
async def test_acceptance_with_a_timestamp(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    """As iOS sends it (section 7.5): the key does not change by it."""
    phone.misbehave = Misbehave.ACCEPT_WITH_TIMESTAMP
    phone.clock_offset = 100
    await device.request_pairing()
    await phone.wait_for("pairing_requested")
    key = device.verification_key
    await phone.accept_pairing()
    await device.wait_pairing()
    assert device.verification_key in {key, None}


@both_protocols
async def test_our_request_is_refused(
    device: RemoteDevice, phone: FakeDevice, log: EventLog[DeviceEvent]
) -> None:
    phone.accept = "reject"
    await device.request_pairing()
    with pytest.raises(PairingRejectedError):
        await device.wait_pairing()
    await log.wait_for(PairingChanged)
    await changed(log, PairingState.UNPAIRED, PairingReason.REJECTED_BY_PEER)
    assert not device.is_paired


@both_protocols
async def test_our_request_is_not_answered(
    device: RemoteDevice,
    phone: FakeDevice,
    log: EventLog[DeviceEvent],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PAIRING_TIMEOUT, and the other side is told."""
    monkeypatch.setattr(pairing_module, "PAIRING_TIMEOUT", 0.02)
    phone.accept = "ignore"
    await device.request_pairing()
    with pytest.raises(PairingTimeoutError):
        await device.wait_pairing()
    await log.wait_for(PairingChanged)
    await changed(log, PairingState.UNPAIRED, PairingReason.TIMED_OUT)
    assert (await phone.wait_packet("pair"))["pair"] is True
    assert await phone.wait_packet("pair") == {"pair": False}
    await phone.wait_for("pairing_failed")


@both_protocols
async def test_our_request_is_taken_back(
    device: RemoteDevice, phone: FakeDevice, log: EventLog[DeviceEvent]
) -> None:
    await device.request_pairing()
    waiting = asyncio.create_task(device.wait_pairing())
    await phone.wait_for("pairing_requested")
    await device.reject_pairing()
    with pytest.raises(PairingCanceledError):
        await waiting
    await log.wait_for(PairingChanged)
    await changed(log, PairingState.UNPAIRED, PairingReason.CANCELED)
    await phone.wait_for("pairing_failed")


async def test_second_request_of_ours_changes_nothing(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    await device.request_pairing()
    await device.request_pairing()
    await device.send(Packet("kdeconnect.pair", {"pair": False}))
    assert (await phone.wait_packet("pair"))["pair"] is True
    assert (await phone.wait_packet("pair"))["pair"] is False


# The other side asks


@both_protocols
async def test_their_request_is_refused(
    device: RemoteDevice, phone: FakeDevice, log: EventLog[DeviceEvent]
) -> None:
    await phone.request_pairing()
    await log.wait_for(PairingChanged)
    await device.reject_pairing()
    with pytest.raises(PairingCanceledError, match="refused here"):
        await device.wait_pairing()
    await changed(log, PairingState.UNPAIRED, PairingReason.REJECTED)
    assert await phone.wait_packet("pair") == {"pair": False}
    await phone.wait_for("pairing_failed")


@both_protocols
async def test_their_request_is_accepted_by_asking_too(
    device: RemoteDevice, phone: FakeDevice, log: EventLog[DeviceEvent]
) -> None:
    await phone.request_pairing()
    await log.wait_for(PairingChanged)
    await device.request_pairing()
    await changed(log, PairingState.PAIRED, PairingReason.ACCEPTED)
    await phone.wait_for("paired")


@both_protocols
async def test_their_request_is_repeated(
    device: RemoteDevice, phone: FakeDevice, log: EventLog[DeviceEvent]
) -> None:
    await phone.request_pairing()
    await log.wait_for(PairingChanged)
    key = device.verification_key
    await phone.send_pair(pair=True, timestamp=phone.now() - 5)
    await phone.send_pair(pair=False)
    await changed(log, PairingState.UNPAIRED, PairingReason.CANCELED_BY_PEER)
    assert key is not None
    assert len(log.seen(PairingChanged)) == 2


@both_protocols
async def test_their_request_is_taken_back(
    device: RemoteDevice, phone: FakeDevice, log: EventLog[DeviceEvent]
) -> None:
    await phone.request_pairing()
    await log.wait_for(PairingChanged)
    waiting = asyncio.create_task(device.wait_pairing())
    await phone.cancel_pairing()
    with pytest.raises(PairingCanceledError, match="took it back"):
        await waiting
    await changed(log, PairingState.UNPAIRED, PairingReason.CANCELED_BY_PEER)
    with pytest.raises(PairingCanceledError):
        await device.accept_pairing()
    assert not device.is_paired


@both_protocols
async def test_their_request_is_not_answered(
    device: RemoteDevice,
    phone: FakeDevice,
    log: EventLog[DeviceEvent],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pairing_module, "PAIRING_TIMEOUT", 0.02)
    await phone.request_pairing()
    await log.wait_for(PairingChanged)
    await changed(log, PairingState.UNPAIRED, PairingReason.TIMED_OUT)
    assert await phone.wait_packet("pair") == {"pair": False}
    await phone.wait_for("pairing_failed")


@pytest.mark.parametrize("offset", [-1790, 1790])
async def test_their_request_with_a_clock_that_is_a_little_off(
    device: RemoteDevice, phone: FakeDevice, log: EventLog[DeviceEvent], offset: int
) -> None:
    phone.clock_offset = offset
    await phone.request_pairing()
    await changed(log, PairingState.REQUESTED_BY_PEER, PairingReason.ASKED_BY_PEER)
    assert device.verification_key == phone.verification_key


@pytest.mark.parametrize("offset", [-1900, 1900])
async def test_their_request_with_a_clock_that_is_far_off(
    device: RemoteDevice,
    phone: FakeDevice,
    log: EventLog[DeviceEvent],
    local: LocalPeer,
    offset: int,
) -> None:
    """CVE-2025-32898: ignored, with a word for the user and none for the peer."""
    peers = EventLog(local.subscribe)
    phone.clock_offset = offset
    await phone.request_pairing()
    await changed(log, PairingState.UNPAIRED, PairingReason.CLOCK_SKEW)
    assert device.pairing_state is PairingState.UNPAIRED
    assert not peers.seen(PairingRequested)
    assert not phone.received
    assert local.devices[phone.device_id] is device


@pytest.mark.parametrize("protocol", [7])
async def test_clocks_do_not_matter_with_protocol_7(
    device: RemoteDevice, phone: FakeDevice, log: EventLog[DeviceEvent]
) -> None:
    await phone.send_pair(pair=True, timestamp=5)
    await changed(log, PairingState.REQUESTED_BY_PEER, PairingReason.ASKED_BY_PEER)
    assert device.verification_key == phone.verification_key


async def test_their_request_without_a_timestamp_is_ignored(
    device: RemoteDevice, phone: FakeDevice, log: EventLog[DeviceEvent]
) -> None:
    await phone.send_pair(pair=True)
    await phone.request_pairing()
    await changed(log, PairingState.REQUESTED_BY_PEER, PairingReason.ASKED_BY_PEER)
    assert len(log.all) == 1


@both_protocols
async def test_refusal_of_nothing_is_ignored(
    device: RemoteDevice, phone: FakeDevice, log: EventLog[DeviceEvent]
) -> None:
    await phone.send_pair(pair=False)
    await phone.request_pairing()
    await changed(log, PairingState.REQUESTED_BY_PEER, PairingReason.ASKED_BY_PEER)
    assert not phone.received


@both_protocols
async def test_pair_packet_that_says_neither_yes_nor_no(
    device: RemoteDevice, phone: FakeDevice, log: EventLog[DeviceEvent]
) -> None:
    await phone.send("pair", {"pair": "maybe"})
    await phone.send("pair", {})
    await phone.request_pairing()
    await changed(log, PairingState.REQUESTED_BY_PEER, PairingReason.ASKED_BY_PEER)
    assert device.is_connected


@both_protocols
async def test_stranger_learns_once_that_it_is_one(
    device: RemoteDevice, phone: FakeDevice, log: EventLog[DeviceEvent]
) -> None:
    """Any packet but a pairing is dropped, and answered by one refusal (section 12.2)."""
    for _ in range(3):
        await phone.mischief.flood(1)
    await phone.request_pairing()
    await log.wait_for(PairingChanged)
    await device.reject_pairing()
    bodies = [await phone.wait_packet("pair") for _ in range(2)]
    assert bodies == [{"pair": False}] * 2
    assert not log.seen(MessageReceived)


# Paired


@both_protocols
async def test_they_end_the_pairing(friend: RemoteDevice, phone: FakeDevice) -> None:
    log = EventLog(friend.subscribe)
    await phone.unpair()
    await changed(log, PairingState.UNPAIRED, PairingReason.UNPAIRED_BY_PEER)
    assert not friend.is_paired
    assert friend.paired is None
    assert friend.is_connected


@both_protocols
async def test_we_end_the_pairing(friend: RemoteDevice, phone: FakeDevice) -> None:
    log = EventLog(friend.subscribe)
    await friend.unpair()
    await changed(log, PairingState.UNPAIRED, PairingReason.UNPAIRED)
    assert friend.paired is None
    await phone.wait_for("unpaired")
    await friend.unpair()  # it is over already
    assert len(log.seen(PairingChanged)) == 1


async def test_we_end_the_pairing_with_one_that_does_not_read(
    friend: RemoteDevice, phone: FakeDevice
) -> None:
    """It learns of it when it comes back: nobody waits for it."""
    assert friend._link is not None
    friend._link.abort()
    await friend.unpair()
    assert not friend.is_paired


@both_protocols
async def test_messages_after_the_end_are_not_taken(
    friend: RemoteDevice, phone: FakeDevice
) -> None:
    await friend.unpair()
    log = EventLog(friend.subscribe)
    await phone.mischief.flood(2)
    await phone.wait_for("unpaired")
    await phone.request_pairing()
    await log.wait_for(PairingChanged)
    assert not log.seen(MessageReceived)


@both_protocols
async def test_paired_device_that_asks_again_gets_our_yes(
    friend: RemoteDevice, phone: FakeDevice
) -> None:
    """It has forgotten us; the pin says that it is the one (section 7.4)."""
    log = EventLog(friend.subscribe)
    await phone.send_pair(pair=True, timestamp=phone.now())
    assert await phone.wait_packet("pair") == {"pair": True}
    assert friend.is_paired
    assert not log.seen(PairingChanged)


@both_protocols
async def test_paired_devices_yes_is_not_answered(
    friend: RemoteDevice, phone: FakeDevice
) -> None:
    """It may be an answer: answering it could go on for ever."""
    log = EventLog(friend.subscribe)
    await phone.send_pair(pair=True)
    await phone.ping.send("marker")
    await log.wait_for(MessageReceived, lambda event: event.message == Ping("marker"))
    assert not [packet for packet in phone.received if packet.type == "kdeconnect.pair"]


async def test_pairing_again_after_its_end(
    friend: RemoteDevice, phone: FakeDevice
) -> None:
    await friend.unpair()
    await phone.wait_for("unpaired")
    with pytest.raises(PairingCanceledError, match="under way"):
        await friend.wait_pairing()
    await pair(friend, phone)
    assert friend.is_paired


async def test_outcome_of_an_earlier_pairing_is_not_the_present_one(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    await pair(device, phone)
    log = EventLog(device.subscribe)
    await phone.unpair()
    await log.wait_for(PairingChanged)
    with pytest.raises(PairingCanceledError, match="under way"):
        await device.wait_pairing()


async def test_waiting_without_asking(device: RemoteDevice) -> None:
    with pytest.raises(PairingCanceledError, match="under way"):
        await device.wait_pairing()


async def test_nothing_to_refuse_or_to_accept(
    device: RemoteDevice, log: EventLog[DeviceEvent]
) -> None:
    await device.reject_pairing()
    await device.unpair()
    with pytest.raises(PairingCanceledError, match="does not ask"):
        await device.accept_pairing()
    assert log.all == []


async def test_several_may_wait_and_give_up(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    await device.request_pairing()
    one = asyncio.create_task(device.wait_pairing())
    other = asyncio.create_task(device.wait_pairing())
    await phone.wait_for("pairing_requested")
    one.cancel()
    await phone.accept_pairing()
    assert await other == device.paired
    assert one.cancelled()


def test_all_failures_are_authentication_errors() -> None:
    for error in (PairingRejectedError, PairingCanceledError, PairingTimeoutError):
        assert issubclass(error, AuthenticationError)
