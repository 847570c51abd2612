"""Devices that fall silent, and commands that fail half way."""

import asyncio

import pytest

from .common import HASTY, PATIENT, WATCHFUL, Linked, client_of
from custom_components.rumpus.protocols.companion import (
    connection as connection_module,
    frames,
)
from custom_components.rumpus.protocols.companion.connection import (
    AuthenticationExchange,
)
from custom_components.rumpus.protocols.companion.enums import HidButton
from custom_components.rumpus.protocols.companion.events import (
    Lost,
    MediaFlagsChanged,
    VolumeChanged,
)
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_commands import CommandError
from tests.fakes.apple_tv_core import APPS

# Devices that fall silent, or only seem to.


async def test_a_device_that_vanishes(device: FakeAppleTv) -> None:
    async with client_of(device, WATCHFUL) as (made, log):
        await made.connect()
        device.vanish()
        lost = await log.get(Lost)
        assert isinstance(lost.error, PeerTimeoutError)
        assert not made.is_connected


def test_it_is_noticed_within_15_seconds() -> None:
    assert PATIENT.quiet + connection_module.TRIES * PATIENT.probe < 15


async def test_a_device_with_nothing_to_say_is_asked(device: FakeAppleTv) -> None:
    async with client_of(device, WATCHFUL) as (made, log):
        await made.connect()
        device.mark()
        for _ in range(3):
            await device.wait_for("request", name="FetchAttentionState")
        assert made.is_connected
        assert not [event for event in log.events if isinstance(event, Lost)]


@pytest.mark.parametrize("refuses", [False, True])
async def test_a_device_that_tells_nothing_about_its_power(
    refuses: bool, device: FakeAppleTv
) -> None:
    if refuses:
        device.companion.errors["FetchAttentionState"] = CommandError()
    else:
        device.companion.mute.add("FetchAttentionState")
    async with client_of(device, WATCHFUL) as (made, _):
        await made.connect()
        device.mark()
        name = "FetchAttentionState" if refuses else "_systemInfo"
        for _ in range(3):
            await device.wait_for("request", name=name)
        assert made.is_connected


async def test_a_device_that_stops_to_answer_one_question(
    device: FakeAppleTv,
) -> None:
    async with client_of(device, WATCHFUL) as (made, _):
        await made.connect()
        device.companion.mute.add("FetchAttentionState")
        device.mark()
        for _ in range(2):
            await device.wait_for("request", name="FetchAttentionState")
            await device.wait_for("request", name="_systemInfo")
        assert made.is_connected


async def test_a_device_that_answers_slowly_is_not_dropped(
    device: FakeAppleTv,
) -> None:
    async with client_of(device, WATCHFUL) as (made, log):
        await made.connect()
        # Later than the first question's time, before that of the second is over.
        device.companion.answer_delay = 0.75
        device.mark()
        for _ in range(3):
            await device.wait_for("request", name="FetchAttentionState")
        assert made.is_connected
        assert not [event for event in log.events if isinstance(event, Lost)]


async def test_a_late_look_at_the_clock_is_no_silence(
    device: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "MAX_LATE", 0.0)
    async with client_of(device, WATCHFUL) as (made, _):
        await made.connect()
        device.companion.mute |= {"FetchAttentionState", "_systemInfo"}
        device.mark()
        for _ in range(4):
            await device.wait_for("request", name="FetchAttentionState")
        assert made.is_connected


async def test_a_question_that_cannot_be_asked(
    device: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client_of(device, WATCHFUL) as (made, log):
        await made.connect()
        monkeypatch.setattr(frames, "MAX_UNSENT", 0)  # as if nothing had left for long
        assert isinstance((await log.get(Lost)).error, RumpusError)


# Commands that fail half way.


async def test_a_button_comes_up_again_when_we_are_cancelled(
    device: FakeAppleTv, linked: Linked
) -> None:
    holding = asyncio.create_task(linked[0].hold(HidButton.SIRI, 30))
    await device.wait_for("request", name="_hidC")
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert (await device.wait_for("button")).data["name"] == "siri"


async def test_a_button_comes_up_again_when_nothing_is_answered(
    device: FakeAppleTv,
) -> None:
    async with client_of(device, HASTY) as (made, _):
        await made.connect()
        device.companion.mute.add("_hidC")
        with pytest.raises(PeerTimeoutError):
            await made.press(HidButton.UP)
        assert (await device.wait_for("button")).data["name"] == "up"


async def test_a_swipe_that_is_cancelled_lifts_the_finger(
    device: FakeAppleTv, linked: Linked
) -> None:
    swiping = asyncio.create_task(linked[0].swipe(100, 100, 900, 100, 30_000))
    await device.wait_for("touch", phase=3)
    swiping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await swiping
    assert (await device.wait_for("touch", phase=4)).data["x"] != 900


async def test_a_swipe_that_ends_with_the_link(
    device: FakeAppleTv, linked: Linked
) -> None:
    swiping = asyncio.create_task(linked[0].swipe(100, 100, 900, 100, 30_000))
    await device.wait_for("touch", phase=3)
    device.mischief.abort()
    with pytest.raises(DisconnectedError):
        await swiping


async def test_a_volume_that_is_not_told(device: FakeAppleTv) -> None:
    async with client_of(device, HASTY) as (made, log):
        await made.connect()
        await log.get(VolumeChanged)
        connection = device.companion.connection
        connection.interests.discard("_iMC")
        # It was set all the same, as asking shows.
        await made.set_volume(30)
        assert device.volume == 0.3
        device.companion.mute.add("_mcc")
        with pytest.raises(PeerTimeoutError):
            await made.set_volume(70)


async def test_a_volume_that_stays(device: FakeAppleTv) -> None:
    async with client_of(device, HASTY) as (made, log):
        await made.connect()
        await log.get(VolumeChanged)
        device.companion.connection.interests.discard("_iMC")
        device.volume_listeners.append(lambda: setattr(device, "volume", 0.5))
        with pytest.raises(PeerTimeoutError, match="volume"):
            await made.set_volume(70)


async def test_a_volume_that_cannot_be_asked_for(device: FakeAppleTv) -> None:
    device.companion.errors["_mcc"] = CommandError()
    async with client_of(device) as (made, log):
        await made.connect()
        await log.get(MediaFlagsChanged)
        await device.wait_for("refused", name="_mcc")
        assert len(await made.apps()) == len(APPS)
        assert made.volume is None


# Authentication frames, by hand.


async def test_max_stray(device: FakeAppleTv, socket_enabled: None) -> None:
    async def other_things(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(10)
        writer.write(b"\x01\0\0\0" * connection_module.MAX_STRAY)
        await writer.drain()

    server = await asyncio.start_server(other_things, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    stream = await connection_module.open_stream("127.0.0.1", port, PATIENT)
    exchange = AuthenticationExchange.verification(stream, 5)
    with pytest.raises(ProtocolError, match="other things"):
        await exchange(b"x", 1)
    await stream.close()
    server.close()


@pytest.mark.parametrize(
    ("before", "body", "reason"),
    [
        (b"\x01\0\0\0" + b"\x42\0\0\x01x", b"\xe1\x43_pd\x72hi", None),
        (b"", b"\xe0", "nothing"),
        (b"", b"\xe1\x43_pd\x42hi", "nothing"),
        (b"", b"\xd0", "dictionary"),
        (b"", b"\xff", "type 0xff"),
    ],
)
async def test_answers_to_authentication(
    before: bytes, body: bytes, reason: str | None, socket_enabled: None
) -> None:
    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(10)
        writer.write(before + b"\x06" + len(body).to_bytes(3) + body)
        await writer.drain()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    stream = await connection_module.open_stream("127.0.0.1", port, PATIENT)
    exchange = AuthenticationExchange.verification(stream, 5)
    if reason is None:
        assert await exchange(b"x", 1) == b"hi"
    else:
        with pytest.raises(ProtocolError, match=reason):
            await exchange(b"x", 1)
    await stream.close()
    server.close()


async def test_nothing_is_left_after_many_sessions(device: FakeAppleTv) -> None:
    before = asyncio.all_tasks()
    for number in range(20):
        async with client_of(device, WATCHFUL) as (made, log):
            await made.connect()
            if number % 2:
                device.drop()
                await log.get(Lost)
                assert not made.is_connected
        assert not made._connection._tasks
        assert not made._connection._pending
    assert asyncio.all_tasks() == before
