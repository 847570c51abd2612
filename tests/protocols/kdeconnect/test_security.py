"""What an attacker in the network cannot do (section 12): each known hole, and the rules."""

import asyncio
import contextlib
import logging
import time

import pytest

from .conftest import both_protocols
from .support import (
    LOOPBACK,
    Callee,
    EventLog,
    RawCaller,
    Sink,
    announcement,
    call_us,
    connect,
    fake_credentials,
    know_each_other,
    new_id,
    new_peer,
    pair,
    running,
    send_datagram,
    turns,
    udp_port,
)
from custom_components.rumpus.protocols.errors import UnsupportedError
from custom_components.rumpus.protocols.kdeconnect import device as device_module
from custom_components.rumpus.protocols.kdeconnect.credentials import verification_key
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.events import (
    DeviceAppeared,
    DeviceDisappeared,
    IdentityChanged,
    LinkUp,
    MessageReceived,
    PairingChanged,
    PairingRequested,
    TrustBroken,
    TrustReason,
)
from custom_components.rumpus.protocols.kdeconnect.local import (
    MAX_UNPAIRED_LINKS,
    LocalPeer,
)
from custom_components.rumpus.protocols.kdeconnect.packet import Payload
from custom_components.rumpus.protocols.kdeconnect.pairing import PairingState
from custom_components.rumpus.protocols.kdeconnect.plugins.clipboard import (
    ClipboardFile,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.ping import Ping
from custom_components.rumpus.protocols.kdeconnect.plugins.share import SharedFile
from tests.fakes.kdeconnect import (
    FakeCredentials,
    FakeDevice,
    LinkFailedError,
    Misbehave,
)

# The known holes


@pytest.mark.usefixtures("eager")
async def test_cve_2020_26164_nobody_makes_us_connect_anywhere(
    local: LocalPeer,
) -> None:
    """Only where devices listen; floods are held by the limits of their own tests."""
    server = await asyncio.start_server(lambda *_: None, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    assert port not in range(1716, 1765)
    async with Callee.open() as callee:
        send_datagram(announcement(port), udp_port(local))
        good = new_id()
        send_datagram(announcement(callee.port, device_id=good), udp_port(local))
        assert (await callee.next())["targetDeviceId"] == good
    server.close()


async def test_cve_2020_26164_our_name_tells_nothing_of_the_user(sink: Sink) -> None:
    peer = new_peer(sink.port)
    async with running(peer):
        assert (await sink.next())["deviceName"] == peer.identity.name == "Our end"


@both_protocols
async def test_cve_2020_26164_old_link_stays_when_another_certificate_comes(
    local: LocalPeer, device: RemoteDevice, phone: FakeDevice
) -> None:
    impostor = FakeDevice(
        "phone",
        protocol=phone.protocol,
        credentials=FakeCredentials.generate(phone.device_id),
    )
    async with impostor:
        with contextlib.suppress(LinkFailedError):
            await call_us(local, impostor)
            await impostor.wait_for("link_down")
    assert device.certificate == phone.certificate_der
    await device.request_pairing()
    await phone.wait_for("pairing_requested")


async def test_cve_2025_32898_keys_of_protocol_8_contain_the_time(
    device: RemoteDevice, local: LocalPeer, phone: FakeDevice
) -> None:
    """Nobody can search for keys that give the same code beforehand."""
    keys = set()
    log = EventLog(device.subscribe)
    for offset in (-60, 0, 60):
        phone.clock_offset = offset
        await phone.request_pairing()
        await log.wait_for(PairingChanged)
        keys.add(device.verification_key)
        await phone.cancel_pairing()
        await log.wait_for(PairingChanged)
    own = local.credentials.certificate
    assert len(keys) == 3
    assert verification_key(own, phone.certificate_der, None) not in keys


async def test_cve_2025_32898_old_times_are_refused(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    log = EventLog(device.subscribe)
    await phone.send_pair(pair=True, timestamp=int(time.time()) - 1900)
    await log.wait_for(PairingChanged)
    assert device.pairing_state is PairingState.UNPAIRED


@both_protocols
async def test_cve_2025_32899_forged_datagrams_end_no_pairing(
    local: LocalPeer, phone: FakeDevice
) -> None:
    """Nor do forged connections, whatever they say in clear text."""
    device = know_each_other(local, phone)
    stored = device.paired
    log = EventLog(device.subscribe)
    me = phone.device_id
    async with Callee.open() as callee:
        for data in (
            announcement(callee.port, device_id=me, protocolVersion=7),
            announcement(callee.port, device_id=me, protocolVersion=9),
            announcement(callee.port, device_id=me, deviceName="!"),
            b'{"type":"kdeconnect.pair","body":{"pair":false}}\n',
        ):
            send_datagram(data, udp_port(local))
        mallory = FakeCredentials.generate(me)
        async with RawCaller.open(local.tcp_port, mallory) as forger:
            forger.writer.write(forger.identity(deviceId=me))
            with contextlib.suppress(ConnectionError):
                await forger.start_tls()
                forger.write(forger.identity(deviceId=me))
            await forger.closed()
        async with RawCaller.open(local.tcp_port) as forger:
            forger.writer.write(
                forger.identity(deviceId=me)
                + b'{"type":"kdeconnect.pair","body":{"pair":false}}\n'
            )
            await forger.closed()
    assert device.paired == stored
    assert local.devices[me] is device
    assert log.seen(PairingChanged) == []
    await call_us(local, phone)
    await log.wait_for(LinkUp)


@both_protocols
async def test_cve_2025_32900_forged_datagrams_change_no_name(
    local: LocalPeer, friend: RemoteDevice, phone: FakeDevice
) -> None:
    """Nor the type, nor what the device can do: it counts what came inside TLS."""
    log = EventLog(friend.subscribe)
    before = friend.identity
    local._renewed = type(local._renewed)()
    phone.identity_overrides["udp"] = {
        "deviceName": "Forged",
        "deviceType": "tv",
        "incomingCapabilities": ["kdeconnect.forged"],
    }
    phone.announce(LOOPBACK, udp_port(local))
    await phone.wait_for("link_replaced")
    await phone.ping.send("marker")
    await log.wait_for(MessageReceived, lambda event: event.message == Ping("marker"))
    assert friend.identity == before
    assert log.seen(IdentityChanged) == []


async def test_cve_2025_32900_unknown_device_is_shown_by_its_second_name(
    local: LocalPeer, phone: FakeDevice
) -> None:
    phone.identity_overrides["udp"] = {"deviceName": "Forged"}
    phone.identity_overrides["clear"] = {"deviceName": "Forged"}
    device = await connect(local, phone, "we_call")
    assert device.name == "Pixel"


@pytest.mark.usefixtures("eager")
async def test_cve_2025_32901_malformed_ids_and_names_do_nothing(
    local: LocalPeer, caplog: pytest.LogCaptureFixture
) -> None:
    async with Callee.open() as callee:
        malformed: tuple[dict[str, object], ...] = (
            {"deviceId": "../../etc"},
            {"deviceId": "x" * 31},
            {"deviceId": "x" * 39},
            {"deviceId": 5},
            {"deviceId": "\x00" * 32},
            {"deviceName": ""},
            {"deviceName": "\u202e\u202e"},
            {"deviceName": {}},
        )
        for members in malformed:
            bad = announcement(callee.port, device_id=None, **members)
            send_datagram(bad, udp_port(local))
        good = new_id()
        send_datagram(announcement(callee.port, device_id=good), udp_port(local))
        assert (await callee.next())["targetDeviceId"] == good
        assert callee.lines.empty()
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


async def test_cve_2025_66270_nobody_enters_as_another_device(
    local: LocalPeer, phone: FakeDevice
) -> None:
    """One certificate, two identities: first our own, then the paired device's."""
    device = know_each_other(local, phone)
    log = EventLog(device.subscribe)
    mallory = FakeCredentials.generate()
    for first, second in (
        (mallory.device_id, phone.device_id),
        (phone.device_id, mallory.device_id),
    ):
        async with RawCaller.open(local.tcp_port, mallory) as caller:
            caller.writer.write(caller.identity(deviceId=first))
            await caller.start_tls()
            caller.write(caller.identity(deviceId=second))
            await caller.closed()
    assert not device.is_connected
    assert list(local.devices) == [phone.device_id]
    assert log.seen(LinkUp) == []


async def test_2025_hardening_calls_for_others_are_refused(local: LocalPeer) -> None:
    """And of two targets that are right, both are needed."""
    async with RawCaller.open(local.tcp_port) as caller:
        caller.writer.write(caller.identity(targetDeviceId=new_id()))
        assert await caller.closed() == b""
    own = local.identity.device_id
    async with RawCaller.open(local.tcp_port) as caller:
        line = caller.identity(targetDeviceId=own, targetProtocolVersion=7)
        caller.writer.write(line)
        assert await caller.closed() == b""


async def test_2025_hardening_datagrams_are_not_reflected(
    local: LocalPeer, sink: Sink
) -> None:
    """Of many datagrams from one address one is acted on: no more goes out than came in."""
    await sink.next()
    async with Callee.open() as callee:
        for _ in range(20):
            send_datagram(announcement(callee.port), udp_port(local))
        await callee.next()
        await turns(50)
        assert callee.lines.empty()
    await local.announce()
    await sink.next()
    assert sink.received.empty()


async def test_2026_a_file_name_is_one_harmless_part_of_a_path(
    friend: RemoteDevice, phone: FakeDevice
) -> None:
    """Whatever a device calls a file: it leads nowhere, and nothing is fetched unasked."""
    log = EventLog(friend.subscribe)
    for kind in ("share.request", "clipboard.file"):
        await phone.mischief.send_raw(
            b'{"type":"kdeconnect.%s","body":{"filename":"../../etc/..\\\\x"},'
            b'"payloadSize":5,"payloadTransferInfo":{"port":1739}}\n' % kind.encode()
        )
    await phone.ping.send("marker")
    await log.wait_for(MessageReceived, lambda event: event.message == Ping("marker"))
    messages = [
        event.message for event in log.all if isinstance(event, MessageReceived)
    ]
    names = [
        message.filename
        for message in messages
        if isinstance(message, SharedFile | ClipboardFile)
    ]
    assert names == ["x", "x"]
    assert len(friend._tasks) == 1


# The protocol version of a paired device (section 12.3)


async def test_downgrade_in_a_datagram_is_ignored(
    local: LocalPeer, phone: FakeDevice
) -> None:
    device = know_each_other(local, phone)
    log = EventLog(device.subscribe)
    async with Callee.open() as callee:
        forged = announcement(callee.port, device_id=phone.device_id, protocolVersion=7)
        send_datagram(forged, udp_port(local))
        phone.announce(LOOPBACK, udp_port(local))
        await log.wait_for(LinkUp)
        assert callee.lines.empty()
    assert device.protocol_version == 8


async def test_downgrade_in_clear_text_is_refused(
    local: LocalPeer, phone: FakeDevice
) -> None:
    """Even from the device itself, as its certificate shows: the user is told."""
    device = know_each_other(local, phone)
    stored = device.paired
    log = EventLog(device.subscribe)
    async with RawCaller.open(local.tcp_port, fake_credentials()) as caller:
        caller.writer.write(caller.identity(protocolVersion=7))
        await caller.start_tls()
        await caller.closed()
    assert log.all == [TrustBroken(TrustReason.PROTOCOL_DOWNGRADED)]
    assert device.paired == stored
    assert not device.is_connected


async def test_downgrade_inside_tls_is_refused(
    local: LocalPeer, phone: FakeDevice
) -> None:
    device = know_each_other(local, phone)
    stored = device.paired
    async with RawCaller.open(local.tcp_port, fake_credentials()) as caller:
        caller.writer.write(caller.identity())
        await caller.start_tls()
        caller.write(caller.identity(protocolVersion=7))
        await caller.closed()
    assert device.paired == stored
    assert not device.is_connected


@pytest.mark.parametrize("protocol", [7])
async def test_newer_version_is_kept_as_the_least_from_then_on(
    local: LocalPeer, phone: FakeDevice
) -> None:
    device = know_each_other(local, phone)
    phone.protocol = 8
    await call_us(local, phone)
    assert device.protocol_version == 8
    assert device.paired is not None
    assert device.paired.protocol_version == 8


# Before pairing (section 12.2)


async def test_unpaired_device_gets_nothing_but_pairing(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    log = EventLog(device.subscribe)
    await phone.mischief.flood(3, "battery")
    with pytest.raises(UnsupportedError):
        await device.fetch(Payload(5, 1739), 5)
    await phone.request_pairing()
    await log.wait_for(PairingChanged)
    assert log.seen(MessageReceived) == []


async def test_nothing_is_accepted_without_the_users_act(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    log = EventLog(device.subscribe)
    for _ in range(3):
        await phone.send_pair(pair=True, timestamp=phone.now())
    await log.wait_for(PairingChanged)
    await turns(50)
    assert device.pairing_state is PairingState.REQUESTED_BY_PEER
    assert not device.is_paired


async def test_user_sees_name_address_and_key_of_who_asks(
    local: LocalPeer, device: RemoteDevice, phone: FakeDevice
) -> None:
    peers = EventLog(local.subscribe)
    await phone.request_pairing()
    asking = (await peers.wait_for(PairingRequested)).device
    assert (asking.name, asking.address) == ("Pixel", LOOPBACK)
    assert asking.verification_key == phone.verification_key


async def test_prompts_in_all_are_bounded_by_the_links_of_strangers(
    local: LocalPeer,
) -> None:
    peers = EventLog(local.subscribe)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(MAX_UNPAIRED_LINKS):
            caller = await stack.enter_async_context(
                RawCaller.open(local.tcp_port, FakeCredentials.generate())
            )
            await caller.link()
            await peers.wait_for(DeviceAppeared)
            caller.send("pair", {"pair": True, "timestamp": int(time.time())})
            await peers.wait_for(PairingRequested)
        one_more = await stack.enter_async_context(RawCaller.open(local.tcp_port))
        one_more.writer.write(one_more.identity())
        assert await one_more.closed() == b""
    assert len(peers.seen(PairingRequested)) == MAX_UNPAIRED_LINKS


@both_protocols
async def test_pin_is_the_certificate_of_the_link_of_the_pairing(
    device: RemoteDevice, phone: FakeDevice
) -> None:
    paired = await pair(device, phone)
    assert paired.certificate == phone.certificate_der == device.certificate
    assert paired.device_id == phone.device_id
    assert paired.protocol_version == phone.protocol
    assert paired.address == LOOPBACK
    assert (paired.name, paired.device_type.value) == ("Pixel", "phone")


# The pin (section 6.3)


@both_protocols
async def test_first_certificate_is_trusted_and_no_other_afterwards(
    local: LocalPeer,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device_module, "LINK_GRACE", 0)
    device = await connect(local, phone, "it_calls")
    await pair(device, phone)
    peers, log = EventLog(local.subscribe), EventLog(device.subscribe)
    phone.misbehave = Misbehave.OTHER_CERTIFICATE
    phone.drop_link()
    await peers.wait_for(DeviceDisappeared)
    with contextlib.suppress(LinkFailedError):
        await call_us(local, phone)
    await log.wait_for(TrustBroken)
    assert device.paired is not None
    assert device.paired.certificate == phone.certificate_der
    phone.misbehave = Misbehave.NOTHING
    with contextlib.suppress(LinkFailedError):
        await call_us(local, phone)
    await log.wait_for(LinkUp)


async def test_certificate_of_another_common_name_is_refused(
    local: LocalPeer, phone: FakeDevice
) -> None:
    phone.misbehave = Misbehave.WRONG_COMMON_NAME
    await call_us(local, phone)
    await phone.wait_for("link_down")
    assert not local.devices


async def test_paired_devices_common_name_does_not_help_an_impostor(
    local: LocalPeer, phone: FakeDevice
) -> None:
    device = know_each_other(local, phone)
    log = EventLog(device.subscribe)
    impostor = FakeCredentials.generate(phone.device_id)
    async with RawCaller.open(local.tcp_port, impostor) as caller:
        caller.writer.write(caller.identity())
        await caller.start_tls()
        caller.write(caller.identity())
        await caller.closed()
    assert log.all == [TrustBroken(TrustReason.CERTIFICATE_CHANGED)]
    assert not device.is_connected
