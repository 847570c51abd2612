"""All services against a fake console, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
import contextlib

import pytest

from custom_components.rumpus.protocols.errors import DisconnectedError, ProtocolError
from custom_components.rumpus.protocols.smartglass.console import Console
from custom_components.rumpus.protocols.smartglass.enums import (
    GamepadButtons,
    MediaControlCommand,
    ResultCode,
    ServiceChannel,
)
from custom_components.rumpus.protocols.smartglass.errors import (
    RejectedError,
    StumpError,
    TextNotOpenError,
)
from custom_components.rumpus.protocols.smartglass.events import (
    ChannelOpened,
    MediaChanged,
    TextChanged,
    TextClosed,
    TextOpened,
    TvNotified,
)
from custom_components.rumpus.protocols.smartglass.messages import Accelerometer
from custom_components.rumpus.protocols.smartglass.services import text as text_module
from custom_components.rumpus.protocols.smartglass.services.broadcast import (
    BroadcastError,
)
from custom_components.rumpus.protocols.smartglass.services.broadcast_models import (
    BroadcastErrorType,
)
from custom_components.rumpus.protocols.smartglass.services.input import (
    GamepadState,
    Stick,
)
from custom_components.rumpus.protocols.smartglass.services.tv import volume_device
from custom_components.rumpus.protocols.smartglass.services.tv_models import TvSource
from custom_components.rumpus.protocols.smartglass.tokens import Tokens
from tests.fakes.xbox import GAME, PLAYER, FakeConsole, FakeMedia, Faults
from tests.protocols.smartglass.common import PATIENCE, QUICK, Log, client_of

type Linked = tuple[Console, Log]

A = GamepadButtons.A


@pytest.fixture(autouse=True)
async def patience() -> AsyncIterator[None]:
    """Nothing here takes long."""
    async with asyncio.timeout(2 * PATIENCE):
        yield


def pressed(fake: FakeConsole) -> list[int]:
    return [
        buttons
        for event in fake.seen("gamepad")
        if isinstance(buttons := event.data["buttons"], int)
    ]


async def test_input(fake: FakeConsole, linked: Linked) -> None:
    console, _ = linked
    await asyncio.gather(
        console.input.press(A, GamepadButtons.LEFT_SHOULDER, hold=0.02),
        console.input.move(Stick.LEFT, 0.5, -1, hold=0.02),
    )
    await console.input.tap(10, 20, hold=0.01)
    await console.input.sense(Accelerometer(5, 0, -1, 9.5))
    await fake.wait_for("sensor")
    assert pressed(fake) == [A | GamepadButtons.LEFT_SHOULDER, 0, 0, 0, 0, 0]
    moved = fake.seen("gamepad")[3].data
    assert (moved["left_thumbstick_x"], moved["left_thumbstick_y"]) == (0.5, -1)
    assert len(fake.seen("touch")) == 2


async def test_buttons_are_let_go_of_before_the_session_ends(
    fake: FakeConsole, linked: Linked
) -> None:
    console, _ = linked
    await console.input.hold(A)
    await console.input.gamepad(GamepadState(A, right_trigger=1))
    await console.disconnect()
    await fake.wait_for("left")
    assert pressed(fake) == [A, A, 0]
    with pytest.raises(DisconnectedError):
        await console.input.press(A)


async def test_media(fake: FakeConsole, linked: Linked) -> None:
    console, log = linked
    fake.set_media(
        FakeMedia(position=10, metadata={"title": "T", "image": "https://img/a.png"})
    )
    told = (await log.wait_for(MediaChanged)).media
    assert told is not None
    assert (told.title_id, told.title, told.picture_url) == (
        PLAYER.title_id,
        "T",
        "https://img/a.png",
    )
    assert 10 <= told.position_at(asyncio.get_running_loop().time()) < 12
    await console.media.command(MediaControlCommand.PAUSE)
    await log.wait_for(MediaChanged, lambda e: e.media is not None and not e.media.rate)
    await console.media.seek(60)
    await log.wait_for(MediaChanged, lambda e: bool(e.media and e.media.position == 60))
    fake.media_service.results = ResultCode.INVALID_STATE
    with pytest.raises(RejectedError):
        await console.media.command(MediaControlCommand.PLAY)
    fake.set_media(None)
    await log.wait_for(MediaChanged, lambda e: e.media is None)
    assert console.media.current is None


async def test_media_in_fragments(fake: FakeConsole, linked: Linked) -> None:
    console, log = linked
    fake.set_media(FakeMedia(asset_id="x" * 5000))
    await log.wait_for(MediaChanged)
    assert console.media.current is not None
    assert console.media.current.asset_id == "x" * 5000


async def test_text(fake: FakeConsole, linked: Linked) -> None:
    console, log = linked
    with pytest.raises(TextNotOpenError):
        await console.text.set_text("x")
    session = fake.open_text("Search", "old", 0x32, max_length=3000)
    await log.wait_for(TextChanged, lambda event: event.field.text == "old")
    (opened,) = log.of(TextOpened)
    assert (opened.field.session_id, opened.field.prompt) == (session, "Search")
    await fake.wait_for("text_ack", version=1)
    await console.text.set_text("grün")
    await console.text.append("!")
    assert fake.keyboard.text == "grün!"
    long = "ü" * 1500
    await console.text.set_text(long)
    assert fake.keyboard.text == long
    fake.keyboard.type("by hand", delta=(0, 3000, "by hand"))
    await log.wait_for(TextChanged, lambda event: event.field.text == "by hand")
    await console.text.append("s")
    await console.text.accept()
    done = await fake.wait_for("text_done", session=session, result=1)
    assert done.data["version"] == fake.keyboard.version
    assert fake.keyboard.text == "by hands"
    assert log.of(TextClosed) == [TextClosed(session, True)]


async def test_text_that_is_refused_or_changed(
    fake: FakeConsole, linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    console, log = linked
    monkeypatch.setattr(text_module, "ACK_TIMEOUT", PATIENCE)
    fake.open_text("Name", "old")
    await log.wait_for(TextChanged)
    fake.keyboard.refuses_input = True
    with pytest.raises(RejectedError):
        await console.text.set_text("x")
    fake.keyboard.refuses_input = False
    # The console is ahead of what we know when our text comes.
    fake.keyboard.version += 5
    await console.text.append("!")
    assert fake.keyboard.text == "old!"
    # Both type at the same time.
    fake.keyboard.type("new")
    await console.text.append("?")
    assert fake.keyboard.text == "new?"
    fake.close_text(accepted=False)
    await log.wait_for(TextClosed, lambda event: event.accepted is False)


async def test_text_field_that_was_open_before(fake: FakeConsole) -> None:
    fake.open_text("Name", "abc")
    async with client_of(fake) as (console, log):
        await console.connect()
        await log.wait_for(TextChanged)
        await console.text.append("d")
        assert fake.keyboard.text == "abcd"


async def test_typing_as_soon_as_the_field_opens(
    fake: FakeConsole, linked: Linked
) -> None:
    console, log = linked
    fake.open_text("Name", "abc")
    await log.wait_for(TextOpened)
    await console.text.append("d")
    assert fake.keyboard.text == "abcd"


async def test_text_of_a_title(fake: FakeConsole, linked: Linked) -> None:
    console, log = linked
    fake.keyboard.open("Name", by_title=True)
    opened = await log.wait_for(TextOpened)
    assert opened.field.is_title
    await console.text.set_text("abc")
    assert fake.keyboard.text == "abc"


async def test_tv(fake: FakeConsole, linked: Linked) -> None:
    console, log = linked
    devices = await console.tv.get_configuration()
    television = volume_device(devices)
    assert television is not None
    assert (television.device_id, television.brand) == ("0", "Loopback")
    assert await console.tv.send_key("btn.vol_up", television.device_id)
    assert not await console.tv.send_key("btn.nothing", television.device_id)
    await fake.wait_for("send_key", button_id="btn.vol_up", device_id="0")
    headend, lineups = await asyncio.gather(
        console.tv.get_headend_info(), console.tv.get_tuner_lineups()
    )
    assert headend.preferred_provider is not None
    assert headend.preferred_provider.headend_id == headend.providers[0].headend_id
    lineup = lineups[0]
    await console.tv.set_channel(lineup.channels[1].channel_id, lineup.headend_id)
    await fake.wait_for("set_channel", found=True)
    await log.wait_for(TvNotified, lambda event: event.name == "ChannelChanged")
    live = await console.tv.get_live_tv_info()
    assert live.tuner_channel_id == lineup.channels[1].channel_id
    assert (await console.tv.get_app_channel_lineups())[0].title_id == 0x162615AD
    assert await console.tv.get_recent_channels()
    streaming = await console.tv.ensure_streaming_started(TvSource.TUNER)
    assert streaming.port == 10242
    with pytest.raises(StumpError):
        await console.tv.get_program_info()


async def test_stream_of_a_title(fake: FakeConsole, linked: Linked) -> None:
    console, _ = linked
    fake.launch(GAME)
    title = await console.open_title_channel(GAME.title_id)
    stream = await title.open_stream()
    for data in (bytes(5), b"x" * 8144, b"y" * 16):
        await stream.send(data)
        assert await stream.read() == data
    fake.title_service.breaks_mac = True
    await stream.send(b"x")
    with pytest.raises(ProtocolError):
        await stream.read()
    await fake.wait_for("aux_closed")
    await stream.close()


async def test_title_that_vanishes(fake: FakeConsole, linked: Linked) -> None:
    console, _ = linked
    fake.launch(GAME)
    title = await console.open_title_channel(GAME.title_id)
    stream = await title.open_stream()
    await fake.wait_for("aux_connected")
    fake.title_service.drop_streams()
    with pytest.raises(DisconnectedError):
        await stream.read()
    await stream.close()


async def test_streaming(fake: FakeConsole) -> None:
    fake.accounts["123"] = "token"
    async with client_of(fake) as (console, _):
        await console.connect(Tokens("123", "token"))
        await console.open_channel(ServiceChannel.SYSTEM_BROADCAST)
        session = await console.broadcast.start()
        assert session.session_id == fake.broadcast.session_id
        assert (session.tcp_port, session.udp_port) == (49153, 49152)
        assert len(fake.broadcast.configuration) == 34
        assert await console.broadcast.stop()
        assert not fake.broadcast.is_streaming
        fake.broadcast.set_enabled(enabled=False)
        fake.broadcast.error = None
        with pytest.raises(BroadcastError):
            await console.broadcast.start()


async def test_streaming_without_an_account(fake: FakeConsole, linked: Linked) -> None:
    console, _ = linked
    await console.open_channel(ServiceChannel.SYSTEM_BROADCAST)
    with pytest.raises(BroadcastError) as raised:
        await console.broadcast.start()
    assert raised.value.error is BroadcastErrorType.DIFFERENT_ACCOUNT_ACTIVE


async def test_everything_on_a_bad_network(socket_enabled: None) -> None:
    """Nothing is lost and nothing happens twice, in spite of the network."""
    bad = Faults(loss=0.15, duplicate=0.05, reorder=0.05, seed=3)
    async with contextlib.AsyncExitStack() as stack:
        fake = await stack.enter_async_context(FakeConsole(faults=bad))
        fake.retransmit = (0.05,) * 40
        console, log = await stack.enter_async_context(client_of(fake, timing=QUICK))
        await console.connect()
        text, media = ServiceChannel.SYSTEM_TEXT, ServiceChannel.SYSTEM_MEDIA
        await log.wait_for(ChannelOpened, lambda event: event.channel is text)
        await log.wait_for(ChannelOpened, lambda event: event.channel is media)
        fake.set_media(FakeMedia())
        fake.open_text("Name", "0")
        await log.wait_for(TextChanged)
        await log.wait_for(MediaChanged)
        await asyncio.gather(
            *(console.text.append(str(number)) for number in range(1, 10)),
            *(console.media.command(MediaControlCommand.NEXT_TRACK) for _ in range(10)),
        )
        assert fake.keyboard.text == "0123456789"
        assert len(fake.seen("media_command")) == 10
