"""Finding one console and agreeing with it on a session."""

import asyncio
from dataclasses import replace
import errno

import pytest

from .common import CLIENT_UUID, HASTY, PATIENCE, QUICK
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
)
from custom_components.rumpus.protocols.smartglass.enums import (
    ConnectResult,
    PairedIdentityState,
)
from custom_components.rumpus.protocols.smartglass.errors import ConnectRefusedError
from custom_components.rumpus.protocols.smartglass.protocol import (
    MAX_JOINS,
    SmartglassProtocol,
)
from tests.fakes.xbox import FakeConsole

TOKEN = "t" * 2500


# Before there is a session.


async def test_discover(fake: FakeConsole, protocol: SmartglassProtocol) -> None:
    found = await protocol.discover()
    assert found.live_id == fake.live_id
    assert (found.address, found.port) == (fake.address, fake.port)
    assert protocol.discovered is found


async def test_discover_asks_again(
    fake: FakeConsole, protocol: SmartglassProtocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: asyncio.Queue[bytes] = asyncio.Queue()
    transmit = protocol._transmit

    def counted(datagram: bytes) -> None:
        transmit(datagram)
        sent.put_nowait(datagram)

    monkeypatch.setattr(protocol, "_transmit", counted)
    fake.disappear()
    finding = asyncio.create_task(protocol.discover(PATIENCE))
    async with asyncio.timeout(PATIENCE):
        assert await sent.get() == await sent.get()
    fake.reappear()
    assert (await finding).live_id == fake.live_id


async def test_discover_gives_up(
    fake: FakeConsole, protocol: SmartglassProtocol
) -> None:
    fake.unplug()
    with pytest.raises(PeerTimeoutError):
        await protocol.discover(0.05)


async def test_discover_hears_no_garbage(
    fake: FakeConsole, protocol: SmartglassProtocol
) -> None:
    fake.unplug()
    finding = asyncio.create_task(protocol.discover(0.2, 0.05))
    await asyncio.sleep(0)
    protocol.datagram_received(b"\xdd\x01garbage", (fake.address, fake.port))
    protocol.datagram_received(fake.discovery_response(), (fake.address, fake.port))
    protocol.datagram_received(fake.discovery_response(), (fake.address, fake.port))
    assert (await finding).live_id == fake.live_id


async def test_power_on(fake: FakeConsole, protocol: SmartglassProtocol) -> None:
    fake.turn_off()
    fake.wake_packets = 2
    await protocol.power_on(fake.live_id, tries=2, interval=0)
    await fake.wait_for("state", value="on")


async def test_an_address_that_cannot_be_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENETUNREACH, "unreachable")

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "create_datagram_endpoint", refuse)
    with pytest.raises(DisconnectedError):
        await SmartglassProtocol.open("192.0.2.1")


# Connect.


async def test_connect_anonymously(
    fake: FakeConsole, protocol: SmartglassProtocol
) -> None:
    assert not protocol.participant_id
    state = await protocol.connect()
    assert state == PairedIdentityState.NOT_PAIRED
    assert protocol.participant_id == fake.participant.number
    assert not fake.participant.is_authenticated
    with pytest.raises(ProtocolError):
        await protocol.connect()


async def test_connect_with_tokens_in_pieces(
    fake: FakeConsole, protocol: SmartglassProtocol
) -> None:
    fake.accounts["123456"] = TOKEN
    fake.pairing_state = 1
    state = await protocol.connect("123456", TOKEN, CLIENT_UUID)
    assert state == PairedIdentityState.PAIRED
    assert fake.participant.is_authenticated
    assert len(fake.seen("connect_request")) == 3


@pytest.mark.parametrize("result", range(2, 11))
async def test_each_refusal_has_its_result(
    fake: FakeConsole, protocol: SmartglassProtocol, result: int
) -> None:
    fake.refuse(result)
    with pytest.raises(ConnectRefusedError) as info:
        await protocol.connect()
    assert info.value.result == result
    assert isinstance(info.value, AuthenticationError)
    assert protocol.session is None


async def test_anonymous_connects_may_be_refused(
    fake: FakeConsole, protocol: SmartglassProtocol
) -> None:
    fake.flags = 2
    with pytest.raises(ConnectRefusedError) as info:
        await protocol.connect()
    assert info.value.result is ConnectResult.FAILURE_ANONYMOUS_CONNECTIONS_DISABLED


async def test_a_connect_is_retried_and_gives_up(
    fake: FakeConsole, protocol: SmartglassProtocol
) -> None:
    fake.mute_connects = True
    protocol.timing = HASTY
    with pytest.raises(PeerTimeoutError):
        await protocol.connect()
    assert len(fake.seen("connect_request")) == len(HASTY.connect)


async def test_a_connect_that_is_retried_is_no_second_client(
    fake: FakeConsole, protocol: SmartglassProtocol
) -> None:
    found = await protocol.discover()
    fake.mute_connects = True
    connecting = asyncio.create_task(
        protocol.connect(certificate=found.certificate, client_uuid=CLIENT_UUID)
    )
    await fake.wait_for("connect_request")
    fake.mute_connects = False
    await connecting
    assert fake.participant.number == protocol.participant_id


async def test_a_connect_waits_while_the_user_is_signed_in(
    fake: FakeConsole, protocol: SmartglassProtocol
) -> None:
    fake.sign_in_delay = 0.12
    fake.accounts["123456"] = TOKEN
    await protocol.connect("123456", TOKEN)
    assert len(fake.seen("connect_answer", result=ConnectResult.PENDING)) > 2
    assert protocol.is_joined


async def test_a_sign_in_that_does_not_end_is_given_up(
    fake: FakeConsole, protocol: SmartglassProtocol
) -> None:
    protocol.timing = replace(HASTY, pending=0.1)
    fake.refuse(ConnectResult.PENDING)
    with pytest.raises(PeerTimeoutError):
        await protocol.connect()


async def test_forged_and_replayed_responses_are_ignored(
    fake: FakeConsole, protocol: SmartglassProtocol
) -> None:
    other = await SmartglassProtocol.open(fake.address, fake.port, timing=QUICK)
    heard: list[bytes] = []
    received = other.datagram_received

    def listen(data: bytes, addr: tuple[str, int]) -> None:
        heard.append(data)
        received(data, addr)

    other.datagram_received = listen  # type: ignore[method-assign]
    await other.connect()
    await other.disconnect()
    # Those were for other keys.
    await protocol.discover()
    fake.mark()
    fake.mute_connects = True
    connecting = asyncio.create_task(protocol.connect())
    await fake.wait_for("connect_request")
    assert len(heard) > 1
    for datagram in heard:
        protocol.datagram_received(datagram, (fake.address, fake.port))
    assert protocol.session is None
    fake.mute_connects = False
    await connecting


def renumber(fake: FakeConsole, number: int) -> bytes:
    """Let the console know its only client by another number, and return its answer."""
    participant = fake.participant
    del fake.participants[participant.number]
    fake.participants[number] = participant
    participant.number = number
    return participant.keys.connect_response(0, 0, number)


async def test_the_last_answer_counts_until_we_have_joined(
    fake: FakeConsole, protocol: SmartglassProtocol
) -> None:
    await protocol.connect()
    datagram = renumber(fake, 99)
    joining = asyncio.create_task(protocol.local_join())
    await fake.wait_for("dropped", reason="an unknown participant")
    protocol.datagram_received(datagram[:-1], (fake.address, fake.port))
    protocol.datagram_received(datagram, (fake.address, fake.port))
    await joining
    assert protocol.participant_id == 99
    await protocol.game_dvr_record(-1)


async def test_sessions_that_are_offered_are_bounded(
    fake: FakeConsole, protocol: SmartglassProtocol
) -> None:
    await protocol.connect()
    keys = fake.participant.keys
    fake.mute_acks = True
    joining = asyncio.create_task(protocol.local_join())
    for number in range(1, MAX_JOINS + 1):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        datagram = keys.connect_response(0, 0, number)
        protocol.datagram_received(datagram, (fake.address, fake.port))
    with pytest.raises(PeerTimeoutError):
        await joining


async def test_late_responses_are_ignored(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    participant = fake.participant
    number = joined.participant_id
    late = participant.keys.connect_response(0, 0, 99)
    joined.datagram_received(late, (fake.address, fake.port))
    assert joined.participant_id == number
    await joined.ack(need_ack=True)


async def test_a_certificate_that_is_none(protocol: SmartglassProtocol) -> None:
    with pytest.raises(ProtocolError):
        await protocol.connect(certificate=b"none")


async def test_closing_ends_a_connect(
    fake: FakeConsole, protocol: SmartglassProtocol
) -> None:
    found = await protocol.discover()
    fake.mute_connects = True
    connecting = asyncio.create_task(protocol.connect(certificate=found.certificate))
    await fake.wait_for("connect_request")
    await protocol.disconnect()
    with pytest.raises(DisconnectedError):
        await connecting
    with pytest.raises(DisconnectedError):
        await protocol.discover()


async def test_closing_ends_a_discovery(
    fake: FakeConsole, protocol: SmartglassProtocol
) -> None:
    fake.unplug()
    finding = asyncio.create_task(protocol.discover(PATIENCE))
    await asyncio.sleep(0)
    await protocol.disconnect()
    with pytest.raises(DisconnectedError):
        await finding
