"""A device's links: how one replaces another, how they are lost (section 8.2)."""

import asyncio
from dataclasses import replace
import time

import pytest

from .bench import bench
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
from custom_components.rumpus.protocols.kdeconnect.const import DeviceType
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
    TrustReason,
)
from custom_components.rumpus.protocols.kdeconnect.link import (
    MAX_PAIRED_LINE,
    MAX_UNPAIRED_LINE,
    Link,
)
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


# In memory, where the order of everything is known


async def test_late_end_of_an_old_link_is_ignored() -> None:
    async with bench(paired=True) as made:
        old, old_reader, old_transport = made.link()
        made.device.attach(old)
        await turns()
        new, _, _ = made.link()
        made.device.attach(new)
        await turns()
        # The other end decides: cut by us it would take its new link for lost, too.
        assert not old_transport.aborted
        old_reader.feed_eof()
        await turns()
        assert made.device.is_connected
        assert made.told == [LinkUp()]
        assert len(made.device._tasks) == 1


async def test_what_still_comes_on_an_old_link_counts() -> None:
    """It was sent before the device had its new one."""
    async with bench(paired=True) as made:
        old, old_reader, _ = made.link()
        made.device.attach(old)
        await turns()
        new, new_reader, _ = made.link()
        made.device.attach(new)
        old_reader.feed_data(b'{"type":"kdeconnect.ping","body":{}}\n')
        await turns()
        new_reader.feed_data(b'{"type":"kdeconnect.ping","body":{}}\n')
        await turns()
        pings = [event for event in made.told if isinstance(event, MessageReceived)]
        assert len(pings) == 2


async def test_what_a_link_that_was_given_up_still_had_is_ignored() -> None:
    async with bench(paired=True) as made:
        links = [made.link()[0] for _ in range(3)]
        for link in links:
            made.device.attach(link)
            await turns()
        made.device._receive(links[0], Packet("kdeconnect.pair", {"pair": False}))
        assert made.device.is_paired


async def test_device_that_keeps_the_older_link_stays_connected() -> None:
    """Of two calls that crossed, each end may have seen the other one last."""
    async with bench(paired=True) as made:
        old, old_reader, _ = made.link()
        made.device.attach(old)
        await turns()
        new, new_reader, _ = made.link()
        made.device.attach(new)
        await turns()
        new_reader.feed_eof()
        await turns()
        assert made.device.is_connected
        assert made.told == [LinkUp()]
        old_reader.feed_data(b'{"type":"kdeconnect.ping","body":{}}\n')
        await turns()
        assert isinstance(made.told[-1], MessageReceived)
        old_reader.feed_eof()
        await turns()
        assert not made.device.is_connected


@pytest.mark.parametrize(
    ("first_caller", "second_caller", "kept"),
    [("a", "b", "new"), ("b", "a", "old"), ("a", "a", "new")],
)
async def test_of_two_links_that_both_stay_both_ends_keep_the_same(
    monkeypatch: pytest.MonkeyPatch, first_caller: str, second_caller: str, kept: str
) -> None:
    monkeypatch.setattr(device_module, "SPARE_TIME", 0)
    async with bench(paired=True) as made:
        old, _, old_transport = made.link(caller_id=first_caller)
        made.device.attach(old)
        await turns()
        new, _, new_transport = made.link(caller_id=second_caller)
        made.device.attach(new)
        await turns()
        assert old_transport.aborted is (kept == "new")
        assert new_transport.aborted is (kept == "old")
        assert made.device.is_connected
        assert made.told == [LinkUp()]


@pytest.mark.parametrize("trusted", [False, True], ids=["paired", "trusted"])
async def test_older_link_takes_as_much_as_the_newer_one(*, trusted: bool) -> None:
    """The device may have been paired since, and may keep the older one."""
    async with bench() as made:
        old, _, _ = made.link()
        made.device.attach(old)
        new, reader, _ = made.link()
        made.device.attach(new)
        await turns()
        assert old.stream.max_message == MAX_UNPAIRED_LINE
        if trusted:
            made.device.trust(made.stored)
        else:
            await made.device.request_pairing()
            reader.feed_data(b'{"type":"kdeconnect.pair","body":{"pair":true}}\n')
            await turns()
        assert old.stream.max_message == new.stream.max_message == MAX_PAIRED_LINE
        await made.device.unpair()
        assert old.stream.max_message == new.stream.max_message == MAX_UNPAIRED_LINE


async def test_spare_link_that_ends_first_leaves_nothing_to_choose() -> None:
    async with bench(paired=True) as made:
        old, old_reader, _ = made.link()
        made.device.attach(old)
        await turns()
        made.device.attach(made.link()[0])
        old_reader.feed_eof()
        await turns()
        made.device._choose_link()
        assert made.device.is_connected


@pytest.mark.parametrize("we_asked", [True, False])
async def test_pairing_ends_when_its_link_gives_way_to_another_key(
    *, we_asked: bool
) -> None:
    """Section 12.2: the pin is the certificate of the very link of the pairing.

    A lost link may be replaced before its reader has noticed the loss.
    """
    other = type(fake_credentials()).generate(fake_credentials().device_id)
    async with bench() as made:
        device = made.device
        link, reader, _ = made.link()
        device.attach(link)
        await turns()
        if we_asked:
            await device.request_pairing()
        else:
            reader.feed_data(_request())
            await turns()
        waiting = asyncio.create_task(device.wait_pairing())
        await turns()
        link.abort()
        newer, newer_reader, _ = made.link(other.certificate_der)
        device.attach(newer)
        assert made.told[-1] == PairingChanged(
            PairingState.UNPAIRED, PairingReason.LINK_LOST
        )
        newer_reader.feed_data(b'{"type":"kdeconnect.pair","body":{"pair":true}}\n')
        await turns()
        assert not device.is_paired
        with pytest.raises(DisconnectedError):
            await waiting


def _request() -> bytes:
    body = b'{"pair":true,"timestamp":%d}' % int(time.time())
    return b'{"type":"kdeconnect.pair","body":' + body + b"}\n"


@pytest.mark.parametrize("state", ["unpaired", "requested", "requested_by_peer"])
@pytest.mark.usefixtures("quick")
async def test_link_is_lost_in_each_state_of_pairing(state: str) -> None:
    async with bench() as made:
        device = made.device
        link, reader, _ = made.link()
        device.attach(link)
        if state == "requested":
            await device.request_pairing()
        elif state == "requested_by_peer":
            reader.feed_data(_request())
        await turns()
        waiting = asyncio.create_task(device.wait_pairing())
        await turns()
        reader.feed_eof()
        await turns()
        assert made.told[-1] == LinkDown()
        assert device.pairing_state is PairingState.UNPAIRED
        assert device._timer is None
        lost = PairingChanged(PairingState.UNPAIRED, PairingReason.LINK_LOST)
        assert (lost in made.told) == (state != "unpaired")
        with pytest.raises(Exception) as caught:  # noqa: PT011 - by state
            await waiting
        assert isinstance(caught.value, DisconnectedError) == (state != "unpaired")


async def test_close_tells_those_who_wait_and_nobody_else() -> None:
    async with bench() as made:
        link, _, transport = made.link()
        made.device.attach(link)
        await made.device.request_pairing()
        log = EventLog(made.device.subscribe)
        waiting = asyncio.create_task(made.device.wait_pairing())
        await turns()
        told = list(made.told)
        await made.device.close()
        with pytest.raises(DisconnectedError, match="our end was stopped"):
            await waiting
        assert transport.aborted
        assert log.all == []
        assert made.told == told
        assert made.device._timer is None
        assert not made.device._tasks
        await made.device.close()


async def test_close_while_a_lost_link_has_its_grace() -> None:
    async with bench() as made:
        link, reader, _ = made.link()
        made.device.attach(link)
        reader.feed_eof()
        await turns()
        assert made.device.is_up
        await made.device.close()
        assert made.told == [LinkUp()]


async def test_stored_pairing_is_shown_before_there_is_a_link() -> None:
    async with bench(paired=True) as made:
        device = made.device
        assert device.paired == made.stored
        assert (device.address, device.port) == ("10.0.0.5", 1717)
        assert device.name == "Phone"
        assert device.device_type is DeviceType.PHONE
        assert device.protocol_version == 8
        assert device.certificate == made.certificate
        assert not device.is_connected
        link, _, _ = made.link()
        device.attach(link)
        assert device.address == "10.0.0.9"
        assert device.paired == replace(made.stored, address="10.0.0.9")
        await turns()


async def test_device_without_a_certificate_has_no_verification_key() -> None:
    async with bench(protocol=7) as made:
        assert made.device.certificate == b""
        assert made.device.verification_key is None


async def test_trust_in_a_device_without_a_link() -> None:
    async with bench() as made:
        stored = replace(made.stored, name="Stored")
        made.device.trust(stored)
        assert made.device.is_paired
        assert made.device.name == "Stored"
        assert made.device.certificate == made.certificate
        assert made.told == []


async def test_trust_in_the_owner_of_the_link() -> None:
    async with bench() as made:
        link, reader, transport = made.link()
        made.device.attach(link)
        made.device.trust(made.stored)
        assert made.device.is_connected
        assert link.stream.max_message == MAX_PAIRED_LINE
        await turns()
        assert b"kdeconnect.mpris.request" in transport.written
        reader.feed_data(b'{"type":"kdeconnect.ping","body":{}}\n')
        await turns()
        assert isinstance(made.told[-1], MessageReceived)


async def test_trust_ends_a_pairing_that_is_under_way() -> None:
    async with bench() as made:
        link, _, _ = made.link()
        made.device.attach(link)
        await made.device.request_pairing()
        waiting = asyncio.create_task(made.device.wait_pairing())
        await turns()
        made.device.trust(made.stored)
        assert await waiting == made.stored
        assert made.device._timer is None


async def test_trust_in_somebody_else_than_the_owner_of_the_link() -> None:
    """The link is cut, and what it said of itself counts no more."""
    other = type(fake_credentials()).generate(fake_credentials().device_id)
    async with bench() as made:
        made.identity = replace(made.identity, name="Impostor")
        link, reader, transport = made.link(other.certificate_der)
        made.device.attach(link)
        made.device.trust(replace(made.stored, name="Phone"))
        assert transport.aborted
        assert not made.device.is_connected
        assert made.device.name == "Phone"
        assert made.device.certificate == made.certificate
        reader.feed_data(b'{"type":"kdeconnect.pair","body":{"pair":false}}\n')
        reader.feed_eof()
        await turns()
        assert made.device.is_paired


async def test_distrust_matters_only_of_a_paired_device_without_a_link() -> None:
    reason = TrustReason.CERTIFICATE_CHANGED
    async with bench() as made:
        made.device.distrust(reason)
        assert made.told == []
    async with bench(paired=True) as made:
        made.device.distrust(reason)
        assert made.told == [TrustBroken(reason)]
        assert made.device.paired == made.stored
        link, _, _ = made.link()
        made.device.attach(link)
        made.device.distrust(reason)
        assert made.told == [TrustBroken(reason), LinkUp()]
        await turns()


async def test_greeting_a_link_that_is_lost_is_no_error() -> None:
    async with bench(paired=True) as made:
        link, reader, _ = made.link()
        link.abort()
        made.device.attach(link)
        await turns()
        assert not made.device.is_connected
        reader.feed_eof()
        await turns()


async def test_subscribers_hear_before_the_owner() -> None:
    async with bench() as made:
        order: list[str] = []
        made.device.subscribe(lambda _: order.append(f"{len(made.told)} told"))
        link, _, _ = made.link()
        made.device.attach(link)
        assert order == ["0 told"]
        await turns()
