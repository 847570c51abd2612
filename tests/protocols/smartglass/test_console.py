"""The facade that programs use, against a fake console."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from .common import HASTY, PATIENCE, QUICK, Log, client_of, discoverer_of
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
)
from custom_components.rumpus.protocols.smartglass.console import Console
from custom_components.rumpus.protocols.smartglass.enums import (
    DisconnectReason,
    GamepadButtons,
    PairedIdentityState,
    ResultCode,
    ServiceChannel,
)
from custom_components.rumpus.protocols.smartglass.errors import (
    ChannelError,
    ConsoleMismatchError,
    RejectedError,
    TitleNotLaunchedError,
)
from custom_components.rumpus.protocols.smartglass.events import (
    ChannelFailed,
    ChannelOpened,
    ConsoleEvent,
    LinkLost,
    LossReason,
    MediaChanged,
    PairingStateChanged,
    StatusChanged,
    SurfaceChanged,
)
from custom_components.rumpus.protocols.smartglass.messages import Gamepad
from custom_components.rumpus.protocols.smartglass.protocol import SmartglassProtocol
from custom_components.rumpus.protocols.smartglass.tokens import Tokens
from tests.fakes.xbox import GAME, PLAYER, FakeConsole, FakeMedia

BROADCAST = ServiceChannel.SYSTEM_BROADCAST
INPUT = ServiceChannel.SYSTEM_INPUT
TV = ServiceChannel.SYSTEM_INPUT_TV_REMOTE
OPEN = {
    ServiceChannel.CORE,
    INPUT,
    ServiceChannel.SYSTEM_MEDIA,
    ServiceChannel.SYSTEM_TEXT,
    TV,
}

type Client = tuple[Console, Log]


# Connecting.


async def test_connect_opens_the_channels_and_knows_the_status(
    fake: FakeConsole, client: Client
) -> None:
    console, log = client
    assert (console.name, console.status) == (None, None)
    assert console.channels == frozenset()
    assert await console.connect() == PairedIdentityState.NOT_PAIRED
    assert console.is_connected
    assert console.channels == OPEN
    status, discovered = console.status, console.discovered
    assert status is not None
    assert status.build_number == fake.build
    assert console.name == fake.name
    assert discovered is not None
    assert discovered.live_id == fake.live_id == console.live_id
    assert console.participant_id == fake.participant.number
    assert console.pairing_state == PairedIdentityState.NOT_PAIRED
    assert not console.is_authenticated
    assert {event.channel for event in log.of(ChannelOpened)} == OPEN - {
        ServiceChannel.CORE
    }
    requested = [event.data["service"] for event in fake.seen("channel_opened")]
    assert requested == ["input", "media", "text", "tv"]


async def test_connecting_again_does_nothing(fake: FakeConsole, linked: Client) -> None:
    console, _ = linked
    await asyncio.gather(console.connect(), console.connect())
    assert len(fake.seen("connected")) == 1


async def test_connect_with_tokens(fake: FakeConsole, client: Client) -> None:
    console, log = client
    fake.accounts["123456"] = "t" * 2500
    fake.pairing_state = 1
    tokens = Tokens("123456", "t" * 2500)
    assert await console.connect(tokens) == PairedIdentityState.PAIRED
    assert console.is_authenticated
    assert fake.participant.is_authenticated
    await console.record(-60)
    await fake.wait_for("game_dvr", start_time_delta=-60, effective=True)
    fake.set_pairing(0)
    event = await log.wait_for(PairingStateChanged)
    assert event.state == console.pairing_state == PairedIdentityState.NOT_PAIRED


async def test_each_session_has_new_keys_and_the_same_client(
    fake: FakeConsole, client: Client
) -> None:
    console, _ = client
    await console.connect()
    first = fake.participant
    await console.disconnect()
    await console.connect()
    assert fake.participant.identity[0] == first.identity[0]
    assert fake.participant.identity[1] != first.identity[1]


async def test_a_refused_channel_is_only_not_open(
    fake: FakeConsole, client: Client
) -> None:
    console, log = client
    fake.refuse_channel("tv", ResultCode.NOT_FOUND)
    await console.connect()
    assert console.channels == OPEN - {TV}
    assert log.of(ChannelFailed) == [ChannelFailed(TV, ResultCode.NOT_FOUND)]
    with pytest.raises(ChannelError):
        await console.tv.send_key("btn.power")
    with pytest.raises(ChannelError):
        await console.send(Gamepad(), TV)


async def test_a_silent_channel_holds_nothing_up(fake: FakeConsole) -> None:
    fake.mute_channel("tv")
    timing = replace(QUICK, status=0.05, channel=0.1)
    async with client_of(fake, timing=timing) as (console, log):
        await console.connect()
        assert console.channels == OPEN - {TV}
        assert log.of(ChannelFailed) == []
        assert await log.wait_for(ChannelFailed) == ChannelFailed(TV, None)


async def test_disconnect_waits_for_nobody(fake: FakeConsole) -> None:
    fake.mute_channel("tv")
    timing = replace(QUICK, status=0.05, channel=PATIENCE)
    async with client_of(fake, timing=timing) as (console, log):
        await console.connect()
        async with asyncio.timeout(1):
            await console.disconnect()
        assert not console._channel_tasks
        assert log.of(ChannelFailed) == []


async def test_a_late_channel_opens_late(fake: FakeConsole) -> None:
    fake.answer_delay = 0.1
    timing = replace(QUICK, status=0.05)
    async with client_of(fake, timing=timing) as (console, log):
        await console.connect()
        assert console.channels == {ServiceChannel.CORE}
        await log.wait_for(ChannelOpened, lambda event: event.channel is TV)
        assert console.channels == OPEN


async def test_a_console_without_a_status_is_connected_all_the_same(
    fake: FakeConsole,
) -> None:
    fake.status_delay = 0.1
    timing = replace(QUICK, status=0.05)
    async with client_of(fake, timing=timing) as (console, log):
        await console.connect()
        assert console.status is None
        await log.wait_for(StatusChanged)
        assert console.status is not None


async def test_another_console_at_the_address(fake: FakeConsole) -> None:
    async with discoverer_of(fake) as discoverer:
        console = Console(
            discoverer,
            live_id="FD99",
            address=fake.address,
            port=fake.port,
            client_uuid=UUID(int=1),
            timing=QUICK,
        )
        with pytest.raises(ConsoleMismatchError):
            await console.connect()
        assert fake.seen("connect_request") == []


async def test_a_console_that_boots_gets_time_for_its_certificate(
    fake: FakeConsole, client: Client
) -> None:
    console, _ = client
    fake.flags |= 8
    connecting = asyncio.create_task(console.connect())
    await fake.wait_for("discovery_request")
    fake.flags &= ~8
    await connecting


async def test_a_console_that_never_has_a_certificate(fake: FakeConsole) -> None:
    fake.flags |= 8
    async with client_of(fake, timing=HASTY) as (console, _):
        with pytest.raises(PeerTimeoutError):
            await console.connect()


async def test_a_console_that_has_moved(fake: FakeConsole, linked: Client) -> None:
    console, log = linked
    await fake.change_port()
    lost = await log.wait_for(LinkLost)
    assert lost == LinkLost(LossReason.SILENCE)
    assert not lost.says_off
    console.move(fake.address, fake.port)
    assert (console.address, console.port) == (fake.address, fake.port)
    await console.connect()
    assert console.is_connected


async def test_two_consoles_at_once(socket_enabled: None) -> None:
    async with (
        FakeConsole("One", "FD01") as one,
        FakeConsole("Two", "FD02") as two,
        client_of(one) as (first, _),
        client_of(two) as (second, _),
    ):
        await asyncio.gather(first.connect(), second.connect())
        await asyncio.gather(first.record(-1), second.record(-2))
        await one.wait_for("game_dvr", start_time_delta=-1)
        await two.wait_for("game_dvr", start_time_delta=-2)
        await first.disconnect()
        await second.record(-3)
    assert first.name == "One"
    assert second.name == "Two"


# In a session.


async def test_what_the_console_tells(fake: FakeConsole, linked: Client) -> None:
    console, log = linked
    fake.launch(GAME)
    event = await log.wait_for(
        StatusChanged,
        lambda event: any(
            title.title_id == GAME.title_id for title in event.status.active_titles
        ),
    )
    assert console.status == event.status
    fake.set_surface(1)
    changed = await log.wait_for(SurfaceChanged)
    assert console.surface == changed.surface
    fake.set_media(FakeMedia())
    told = await log.wait_for(MediaChanged)
    assert told.media == console.media.current
    fake.set_media(None)
    await log.wait_for(MediaChanged, lambda event: event.media is None)


async def test_services_reach_the_console(fake: FakeConsole, linked: Client) -> None:
    console, _ = linked
    await console.input.press(GamepadButtons.A, hold=0)
    await fake.wait_for("gamepad", buttons=GamepadButtons.A)
    await fake.wait_for("gamepad", buttons=0)


async def test_long_answers_of_the_tv_remote(fake: FakeConsole, linked: Client) -> None:
    console, _ = linked
    devices = await console.tv.get_configuration()
    assert devices
    assert await console.tv.send_key("btn.vol_up")


async def test_listeners_come_and_go_and_may_fail(
    fake: FakeConsole, linked: Client, caplog: pytest.LogCaptureFixture
) -> None:
    console, log = linked
    heard: list[ConsoleEvent] = []

    def fail(event: ConsoleEvent) -> None:
        raise LookupError

    unfail = console.subscribe(fail)
    unsubscribe = console.subscribe(heard.append)
    fake.launch(PLAYER)
    await log.wait_for(StatusChanged, lambda event: event.status == console.status)
    await log.wait_for(
        StatusChanged,
        lambda event: event.status.active_titles[-1].title_id == PLAYER.title_id,
    )
    assert "A listener failed" in caplog.text
    assert len(heard) == 1
    unsubscribe()
    unsubscribe()
    unfail()
    fake.launch(GAME)
    await log.wait_for(
        StatusChanged,
        lambda event: event.status.active_titles[-1].title_id == GAME.title_id,
    )
    assert len(heard) == 1


async def test_send(fake: FakeConsole, linked: Client) -> None:
    console, _ = linked
    await console.send(Gamepad(), INPUT)
    console.send_nowait(Gamepad(), INPUT)
    await fake.wait_for("message", name="gamepad", need_ack=True)
    await fake.wait_for("message", name="gamepad", need_ack=False)
    fake.reject("game_dvr_record")
    with pytest.raises(RejectedError):
        await console.record(-1)


async def test_launch_title(fake: FakeConsole, linked: Client) -> None:
    console, _ = linked
    uri = f"ms-xbl-{GAME.title_id:08X}://default/"
    with pytest.raises(TitleNotLaunchedError):
        await console.launch_title(uri)
    fake.honours_launch = True
    await console.launch_title(uri)


async def test_a_channel_that_is_opened_later(
    fake: FakeConsole, linked: Client
) -> None:
    console, log = linked
    await asyncio.gather(
        console.open_channel(BROADCAST), console.open_channel(BROADCAST)
    )
    assert console.channels == OPEN | {BROADCAST}
    assert len(fake.seen("channel_opened", service="broadcast")) == 1
    await log.wait_for(ChannelOpened, lambda event: event.channel is BROADCAST)


async def test_title_channels(fake: FakeConsole, linked: Client) -> None:
    console, _ = linked
    fake.launch(GAME)
    title = await console.open_title_channel(GAME.title_id)
    assert title.title_id == GAME.title_id
    assert await console.open_title_channel(GAME.title_id) is title
    info = await title.connection_info()
    assert info.endpoints
    with pytest.raises(ChannelError):
        await console.open_title_channel(5)
    await console.disconnect()
    with pytest.raises(DisconnectedError):
        await console.open_title_channel(GAME.title_id)


async def test_a_title_channel_that_nobody_waits_for_any_more(
    fake: FakeConsole, linked: Client
) -> None:
    console, log = linked
    fake.launch(GAME)
    fake.answer_delay = 0.05
    opening = asyncio.create_task(console.open_title_channel(GAME.title_id))
    await fake.wait_for(
        "message",
        name="start_channel_request",
        fields=lambda fields: fields["title_id"] == GAME.title_id,
    )
    opening.cancel()
    await asyncio.wait({opening})
    await fake.wait_for("channel_opened", service="title")
    await console.record(-1)
    assert ServiceChannel.TITLE in console.channels
    assert all(
        event.channel is not ServiceChannel.TITLE for event in log.of(ChannelOpened)
    )


async def test_objects_on_a_channel_without_a_service(
    fake: FakeConsole, linked: Client
) -> None:
    console, _ = linked
    fake.mischief.send("json", {"text": "{}"})
    await console.record(-1)
    assert console.is_connected


# Ends.


async def test_nothing_works_without_a_session(client: Client) -> None:
    console, _ = client
    with pytest.raises(DisconnectedError):
        await console.send(Gamepad(), INPUT)
    with pytest.raises(DisconnectedError):
        console.send_nowait(Gamepad())
    with pytest.raises(DisconnectedError):
        await console.power_off()
    with pytest.raises(DisconnectedError):
        await console.open_channel(TV)
    with pytest.raises(DisconnectedError):
        await console.tv.get_configuration()
    with pytest.raises(DisconnectedError):
        await console.input.press(GamepadButtons.A)
    await console.disconnect()


async def test_disconnect_says_goodbye_and_tells_nobody(
    fake: FakeConsole, linked: Client
) -> None:
    console, log = linked
    await console.disconnect()
    assert not console.is_connected
    assert console.status is None
    assert console.pairing_state is None
    assert console.participant_id is None
    event = await fake.wait_for("left")
    assert event.data["reason"] == f"reason {DisconnectReason.APP_CLOSE}"
    assert log.of(LinkLost) == []
    await console.disconnect()


async def test_buttons_are_let_go_before_the_end(
    fake: FakeConsole, linked: Client
) -> None:
    console, _ = linked
    pressing = asyncio.create_task(console.input.press(GamepadButtons.A, hold=5))
    await fake.wait_for("gamepad", buttons=GamepadButtons.A)
    await console.disconnect()
    with pytest.raises(DisconnectedError):
        await pressing
    await fake.wait_for("left")
    assert fake.presses[-1].data["buttons"] == 0


async def test_disconnect_fails_all_who_wait(fake: FakeConsole, linked: Client) -> None:
    console, _ = linked
    fake.mute_acks = True
    sending = asyncio.create_task(console.record(-1))
    await fake.wait_for("game_dvr")
    await console.disconnect()
    with pytest.raises(DisconnectedError):
        await sending


async def test_disconnect_while_connecting(fake: FakeConsole, client: Client) -> None:
    console, _ = client
    fake.mute_connects = True
    connecting = asyncio.create_task(console.connect())
    waiting = asyncio.create_task(console.connect())
    await fake.wait_for("connect_request")
    await console.disconnect()
    for task in (connecting, waiting):
        with pytest.raises(DisconnectedError):
            await task
    fake.mute_connects = False
    await console.connect()


@pytest.mark.parametrize(
    "kind", ["discovery_request", "connect_request", "joined", "channel_opened"]
)
async def test_connect_can_be_cancelled_anywhere(
    fake: FakeConsole, client: Client, kind: str
) -> None:
    console, log = client
    fake.mute_channel("tv")
    fake.mute_connects = kind == "connect_request"
    connecting = asyncio.create_task(console.connect())
    await fake.wait_for(kind)  # type: ignore[arg-type]
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert not console.is_connected
    if kind in ("joined", "channel_opened"):
        await fake.wait_for("left")
    assert fake.participants == {}
    assert log.of(LinkLost) == []


async def test_a_connect_that_is_cancelled_in_its_last_moment(
    fake: FakeConsole, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    console, _ = client
    open_channels = console._open_channels

    async def cancel_then(protocol: SmartglassProtocol) -> None:
        await open_channels(protocol)
        connecting.cancel()

    monkeypatch.setattr(console, "_open_channels", cancel_then)
    connecting = asyncio.create_task(console.connect())
    # The session is there, and whoever asked for it never hears of it.
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert not console.is_connected
    await fake.wait_for("left")


async def test_power_off(fake: FakeConsole, linked: Client) -> None:
    console, log = linked
    await console.power_off()
    assert not fake.is_on
    assert not console.is_connected
    (lost,) = log.of(LinkLost)
    assert lost.reason is LossReason.POWERED_OFF
    assert lost.says_off


async def test_power_off_without_a_word(fake: FakeConsole, linked: Client) -> None:
    console, log = linked
    fake.mute_acks = True
    switching = asyncio.create_task(console.power_off())
    await fake.wait_for("message", name="power_off")
    fake.unplug()
    await switching
    assert [event.reason for event in log.of(LinkLost)] == [LossReason.POWERED_OFF]


async def test_power_off_and_silence_before_anything_came(
    fake: FakeConsole, linked: Client
) -> None:
    console, log = linked
    fake.unplug()
    await console.power_off()
    assert [event.says_off for event in log.of(LinkLost)] == [True]


async def test_power_off_that_is_acked_and_then_silent(
    fake: FakeConsole, linked: Client
) -> None:
    console, log = linked
    fake.is_updating = True
    switching = asyncio.create_task(console.power_off())
    # The ack comes first, and is in our socket by then.
    await fake.wait_for("power_off")
    fake.disappear()
    async with asyncio.timeout(PATIENCE):
        await switching
    assert len(log.of(LinkLost)) == 1


async def test_a_console_that_stays_on(fake: FakeConsole) -> None:
    fake.is_updating = True
    async with client_of(fake, timing=replace(QUICK, power_off=0.3)) as (console, log):
        await console.connect()
        with pytest.raises(PeerTimeoutError):
            await console.power_off()
        assert console.is_connected
        assert log.of(LinkLost) == []
        await console.record(-1)


async def test_a_power_off_that_is_rejected(fake: FakeConsole, linked: Client) -> None:
    console, _ = linked
    fake.reject("power_off")
    with pytest.raises(RejectedError):
        await console.power_off()
    assert console.is_connected


async def test_a_console_that_restarts_instead(
    fake: FakeConsole, linked: Client
) -> None:
    console, log = linked
    fake.is_updating = True
    switching = asyncio.create_task(console.power_off())
    await fake.wait_for("power_off")
    fake.disconnect_clients(DisconnectReason.REBOOT)
    with pytest.raises(DisconnectedError):
        await switching
    (lost,) = log.of(LinkLost)
    assert lost == LinkLost(LossReason.DISCONNECTED, DisconnectReason.REBOOT)
    assert not lost.says_off


async def test_a_power_off_whose_session_falls_silent(fake: FakeConsole) -> None:
    timing = replace(QUICK, power_off_silence=5, silence=0.2)
    async with client_of(fake, timing=timing) as (console, log):
        await console.connect()
        fake.unplug()
        await console.power_off()
        assert [event.reason for event in log.of(LinkLost)] == [LossReason.POWERED_OFF]
