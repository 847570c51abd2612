"""A device and its links in memory: replaced, spare, lost, and in each state of pairing."""

import asyncio
from dataclasses import replace
import time

import pytest

from .bench import bench
from .support import EventLog, fake_credentials, turns
from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.kdeconnect import device as device_module
from custom_components.rumpus.protocols.kdeconnect.const import DeviceType
from custom_components.rumpus.protocols.kdeconnect.events import (
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
)
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.pairing import (
    PairingReason,
    PairingState,
)

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


async def test_link_of_another_key_is_no_spare() -> None:
    """Whoever lets such a link in: what comes on the old one counts no more."""
    other = type(fake_credentials()).generate(fake_credentials().device_id)
    async with bench() as made:
        old, _, old_transport = made.link()
        made.device.attach(old)
        new, reader, _ = made.link(other.certificate_der)
        made.device.attach(new)
        assert old_transport.aborted
        await turns()
        reader.feed_eof()
        await turns()
        assert not made.device.is_connected


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
        new = replace(new, host="10.0.0.10")
        made.device.attach(new)
        await turns()
        assert old_transport.aborted is (kept == "new")
        assert new_transport.aborted is (kept == "old")
        assert made.device.is_connected
        assert made.device.address == (new if kept == "new" else old).host
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


@pytest.mark.parametrize("linked", [False, True])
async def test_device_that_is_repaired_counts_as_one_that_is_not_paired(
    *, linked: bool
) -> None:
    """Without a word to it, and until it is trusted again."""
    async with bench(paired=True) as made:
        device = made.device
        link, _, transport = made.link()
        if linked:
            device.attach(link)
            await turns()
        told, said = list(made.told), bytes(transport.written)
        states = []
        for step in (device.untrust, lambda: device.trust(made.stored)):
            step()
            states.append((device.is_paired, device.pairing_state, device.certificate))
        assert states == [
            (False, PairingState.UNPAIRED, made.certificate if linked else b""),
            (True, PairingState.PAIRED, made.certificate),
        ]
        assert made.told == told
        assert b"kdeconnect.pair" not in bytes(transport.written[len(said) :])
        await turns()


async def test_repaired_device_may_be_paired_with_its_new_certificate() -> None:
    other = type(fake_credentials()).generate(fake_credentials().device_id)
    async with bench(paired=True) as made:
        made.device.untrust()
        link, reader, _ = made.link(other.certificate_der)
        made.device.attach(link)
        await made.device.request_pairing()
        reader.feed_data(b'{"type":"kdeconnect.pair","body":{"pair":true}}\n')
        await turns()
        assert made.device.paired is not None
        assert made.device.paired.certificate == other.certificate_der


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
