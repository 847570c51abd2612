"""What can go wrong between a console and us, at every step."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import os
import time

import pytest

from .common import HASTY, PATIENCE, QUICK, Log, client_of, longest_stall
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
)
from custom_components.rumpus.protocols.smartglass.console import (
    OPENED_CHANNELS,
    Console,
)
from custom_components.rumpus.protocols.smartglass.enums import DisconnectReason
from custom_components.rumpus.protocols.smartglass.errors import ConnectRefusedError
from custom_components.rumpus.protocols.smartglass.events import (
    LinkLost,
    LossReason,
    MediaChanged,
    StatusChanged,
)
from custom_components.rumpus.protocols.smartglass.protocol import SmartglassProtocol
from custom_components.rumpus.protocols.smartglass.shell import DEFAULT_TIMING
from custom_components.rumpus.protocols.smartglass.tokens import Tokens
from tests.fakes.xbox import GAME, HOME, FakeConsole, FakeMedia, Faults

type Client = tuple[Console, Log]


# Refused.


@pytest.mark.parametrize("result", range(2, 10))
async def test_a_refusal(fake: FakeConsole, client: Client, result: int) -> None:
    console, log = client
    fake.refuse(result)
    with pytest.raises(ConnectRefusedError) as info:
        await console.connect()
    assert info.value.result == result
    assert not console.is_connected
    assert log.events == []
    fake.refuse(None)
    await console.connect()


async def test_tokens_that_are_refused_are_in_no_text(
    fake: FakeConsole, client: Client
) -> None:
    console, _ = client
    tokens = Tokens("654321", "secret" * 300)
    with pytest.raises(AuthenticationError) as info:
        await console.connect(tokens)
    for text in (str(info.value), repr(info.value), repr(tokens)):
        assert "secret" not in text
        assert "654321" not in text


# Gone.


async def test_nobody_at_the_address(fake: FakeConsole) -> None:
    fake.unplug()
    async with client_of(fake, timing=HASTY) as (console, _):
        with pytest.raises(PeerTimeoutError):
            await console.connect()


async def test_nothing_listens_at_the_address(socket_enabled: None) -> None:
    async with FakeConsole() as fake:
        pass
    async with client_of(fake, timing=HASTY) as (console, _):
        with pytest.raises(PeerTimeoutError):
            await console.connect()


async def test_gone_before_the_connect_response(fake: FakeConsole) -> None:
    async with client_of(fake, timing=HASTY) as (console, log):
        fake.mute_connects = True
        connecting = asyncio.create_task(console.connect())
        await fake.wait_for("connect_request")
        fake.unplug()
        with pytest.raises(PeerTimeoutError):
            await connecting
    assert log.events == []


async def test_gone_before_the_ack_of_the_join(fake: FakeConsole) -> None:
    fake.mute_acks = True
    async with client_of(fake, timing=HASTY) as (console, log):
        connecting = asyncio.create_task(console.connect())
        await fake.wait_for("joined")
        fake.unplug()
        with pytest.raises(PeerTimeoutError):
            await connecting
    assert log.of(LinkLost) == []


async def test_gone_while_channels_open(fake: FakeConsole) -> None:
    for service in ("input", "media", "text", "tv"):
        fake.mute_channel(service)
    timing = replace(QUICK, silence=0.2, status=5.0)
    async with client_of(fake, timing=timing) as (console, log):
        connecting = asyncio.create_task(console.connect())
        await log.wait_for(StatusChanged)
        fake.unplug()
        with pytest.raises(DisconnectedError):
            await connecting
        assert not console.is_connected
    assert log.of(LinkLost) == []


async def test_gone_before_the_first_status(fake: FakeConsole) -> None:
    fake.status_delay = 5
    async with client_of(fake, timing=replace(QUICK, status=5.0)) as (console, _):
        connecting = asyncio.create_task(console.connect())
        await fake.wait_for("channel_opened", service="tv")
        fake.disconnect_clients()
        async with asyncio.timeout(1):
            with pytest.raises(DisconnectedError):
                await connecting


async def test_gone_in_the_middle_of_a_command(fake: FakeConsole) -> None:
    timing = replace(QUICK, acks=(0.05,) * 100)
    async with client_of(fake, timing=timing) as (console, log):
        await console.connect()
        fake.mute_acks = True
        sending = asyncio.create_task(console.record(-1))
        await fake.wait_for("game_dvr")
        fake.unplug()
        with pytest.raises(DisconnectedError):
            await sending
        (lost,) = log.of(LinkLost)
        assert lost == LinkLost(LossReason.SILENCE)
        assert not lost.says_off
        assert not console.is_connected
        assert console.status is None
        # And it may come back.
        fake.mute_acks = False
        fake.plug_in()
        await console.connect()
        await console.record(-2)


async def test_a_command_without_an_ack_fails_alone(fake: FakeConsole) -> None:
    async with client_of(fake, timing=replace(HASTY, silence=5)) as (console, _):
        await console.connect()
        fake.mute_acks = True
        with pytest.raises(PeerTimeoutError):
            await console.record(-1)
        fake.mute_acks = False
        await console.record(-2)
        assert len(fake.seen("game_dvr")) == 2


# Off.


@pytest.mark.parametrize(
    ("reason", "is_off"),
    [
        (DisconnectReason.POWER_OFF, True),
        (DisconnectReason.LOW_POWER, True),
        (DisconnectReason.UNSPECIFIED, False),
        (DisconnectReason.ERROR, False),
        (DisconnectReason.MAINTENANCE, False),
        (DisconnectReason.SIGN_OUT, False),
        (DisconnectReason.REBOOT, False),
        (DisconnectReason.DISABLED, False),
        (77, False),
    ],
)
async def test_a_disconnect_says_why(
    fake: FakeConsole, linked: Client, reason: int, is_off: bool
) -> None:
    _, log = linked
    fake.disconnect_clients(reason)
    lost = await log.wait_for(LinkLost)
    assert lost.reason is LossReason.DISCONNECTED
    assert lost.disconnect_reason == reason
    assert lost.says_off == is_off


async def test_its_own_button(fake: FakeConsole, linked: Client) -> None:
    console, log = linked
    fake.press_power_button()
    lost = await log.wait_for(LinkLost)
    assert lost.says_off
    assert not console.is_connected


async def test_its_own_button_when_the_last_word_is_lost(
    fake: FakeConsole, linked: Client
) -> None:
    """The empty list of titles comes, the Disconnect does not."""
    _, log = linked
    fake.set_titles([])
    await log.wait_for(StatusChanged, lambda event: not event.status.active_titles)
    fake.unplug()
    lost = await log.wait_for(LinkLost)
    assert lost == LinkLost(LossReason.SILENCE, was_empty=True)
    assert lost.says_off


def test_it_is_known_to_be_off_within_8_seconds() -> None:
    """By the pauses that a real console gets, with a second for the network."""
    timing = DEFAULT_TIMING
    assert timing.farewell + timing.heartbeat + 1 <= 8
    assert timing.silence + 1 <= 8


async def test_unplugged_is_not_off(fake: FakeConsole, linked: Client) -> None:
    _, log = linked
    fake.set_titles([])
    fake.set_titles([HOME])
    await log.wait_for(
        StatusChanged, lambda event: len(event.status.active_titles) == 1
    )
    fake.unplug()
    lost = await log.wait_for(LinkLost)
    assert lost == LinkLost(LossReason.SILENCE)


async def test_a_short_silence_is_survived(fake: FakeConsole, linked: Client) -> None:
    console, log = linked
    fake.disappear()
    await asyncio.sleep(0.15)
    fake.reappear()
    await console.record(-1)
    assert log.of(LinkLost) == []


async def test_a_restart_with_another_certificate(
    fake: FakeConsole, linked: Client
) -> None:
    console, log = linked
    fake.restart()
    lost = await log.wait_for(LinkLost)
    assert lost.reason is LossReason.SILENCE
    await console.connect()
    await console.record(-1)
    assert len(fake.seen("connected")) == 2


async def test_power_off_twice_at_once(fake: FakeConsole) -> None:
    timing = replace(QUICK, power_off_silence=PATIENCE, power_off=2 * PATIENCE)
    async with client_of(fake, timing=timing) as (console, log):
        await console.connect()
        async with asyncio.timeout(PATIENCE / 2):
            await asyncio.gather(console.power_off(), console.power_off())
        assert [event.reason for event in log.of(LinkLost)] == [LossReason.POWERED_OFF]


async def test_a_power_off_that_is_given_up_beside_another(
    fake: FakeConsole, linked: Client
) -> None:
    console, log = linked
    fake.is_updating = True
    first, second = (asyncio.create_task(console.power_off()) for _ in range(2))
    await fake.wait_for("power_off")
    first.cancel()
    fake.unplug()
    await second
    assert [event.reason for event in log.of(LinkLost)] == [LossReason.POWERED_OFF]


async def test_a_power_off_that_is_cancelled_in_its_last_moment(
    linked: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link is gone then, and whoever follows it has to hear of that."""
    console, log = linked

    async def go_off(protocol: SmartglassProtocol, live_id: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()

    monkeypatch.setattr(SmartglassProtocol, "power_off", go_off)
    await asyncio.wait({asyncio.create_task(console.power_off())})
    assert [event.reason for event in log.of(LinkLost)] == [LossReason.POWERED_OFF]
    assert not console.is_connected


# Wrong things.

type Mischief = Callable[[FakeConsole], object]

MISCHIEF: dict[str, Mischief] = {
    "garbage": lambda fake: fake.mischief.garbage(),
    "raw": lambda fake: fake.mischief.raw(os.urandom(2000)),
    "empty": lambda fake: fake.mischief.raw(b""),
    "wrong_mac": lambda fake: fake.mischief.wrong_mac(),
    "other_participant": lambda fake: fake.mischief.for_other_participant(),
    "truncated": lambda fake: fake.mischief.truncated(),
    "not_utf8": lambda fake: fake.mischief.not_utf8(),
    "unknown_type": lambda fake: fake.mischief.unknown_type(),
    "unknown_channel": lambda fake: fake.mischief.unknown_channel(),
    "ack_unknown": lambda fake: fake.mischief.ack_unknown(),
    "huge_ack": lambda fake: fake.mischief.huge_ack(),
    "endless_fragments": lambda fake: fake.mischief.endless_fragments(100),
    "json": lambda fake: fake.mischief.json_text("[[[["),
    "json_array": lambda fake: fake.mischief.json_text("[1]"),
    "json_piece": lambda fake: fake.mischief.json_text('{"fragment_data":1}'),
}


@pytest.mark.parametrize("mischief", MISCHIEF.values(), ids=MISCHIEF)
async def test_a_session_survives(
    fake: FakeConsole, linked: Client, mischief: Mischief
) -> None:
    console, log = linked
    before = console.status
    mischief(fake)
    await console.record(-1)
    await fake.wait_for("game_dvr")
    assert console.status == before
    assert log.of(LinkLost) == []
    # The console got all the acks that it wants.
    async with asyncio.timeout(PATIENCE):
        while fake.participant.unacked:
            await fake.wait_for("acked")


@pytest.mark.parametrize("way", ["reversed_status", "doubled_status", "gapped_status"])
async def test_fragments_in_any_order(
    fake: FakeConsole, linked: Client, way: str
) -> None:
    _, log = linked
    fake.titles = [GAME]
    getattr(fake.mischief, way)()
    await log.wait_for(
        StatusChanged,
        lambda event: event.status.active_titles[0].title_id == GAME.title_id,
    )
    assert len(log.of(StatusChanged)) == 2


async def test_media_that_overtake_the_answer_that_opens_their_channel(
    fake: FakeConsole,
) -> None:
    """The console tells what plays once; the answer before it may get lost."""
    fake.set_media(FakeMedia(asset_id="film"))
    lost: list[bytes] = []
    send = fake.send_datagram

    def lose_once(data: bytes, address: tuple[str, int]) -> None:
        # The flags and type of a StartChannelResponse, which are in clear.
        if data[16:18] == b"\xa0\x27" and data not in lost:
            lost.append(data)
        else:
            send(data, address)

    fake.send_datagram = lose_once  # type: ignore[method-assign]
    async with client_of(fake) as (console, log):
        await console.connect()
        changed = await log.wait_for(MediaChanged)
    assert len(lost) == len(OPENED_CHANNELS)
    assert changed.media is not None
    assert changed.media.asset_id == "film"


async def test_long_media_states_come_in_fragments(
    fake: FakeConsole, linked: Client
) -> None:
    console, _ = linked
    fake.set_media(FakeMedia(asset_id="a" * 3000))
    await console.record(-1)
    assert console.media.current is not None
    assert len(console.media.current.asset_id) == 3000


async def test_a_flood_of_garbage_does_not_hold_anything_up(
    fake: FakeConsole, linked: Client
) -> None:
    console, log = linked
    garbage = [b"\xd0\x0d" + os.urandom(90) for _ in range(50)]
    address = fake.participant.address

    async def flood() -> None:
        for _ in range(60):
            for datagram in garbage:
                fake.send_datagram(datagram, address)
            await asyncio.sleep(0)

    async def commands() -> None:
        for number in range(10):
            await console.record(-number)

    async def both() -> None:
        await asyncio.gather(flood(), commands())

    stall = await longest_stall(both())
    assert stall < 0.5
    assert len(fake.seen("game_dvr")) == 10
    assert log.of(LinkLost) == []


async def test_latency_does_not_add_up(fake: FakeConsole) -> None:
    """Commands are not sent one after the other's ack."""
    async with client_of(fake, timing=replace(QUICK, acks=(1.0, 1.0))) as (console, _):
        await console.connect()
        fake.faults = Faults(delay=0.05)
        started = time.perf_counter()
        await asyncio.gather(*(console.record(-number) for number in range(20)))
        assert time.perf_counter() - started < 0.5
