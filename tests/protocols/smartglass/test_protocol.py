"""What a client can do in a session with one console."""

import asyncio
from dataclasses import replace
import errno
import socket

import pytest

from .common import HASTY, PATIENCE, QUICK
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
)
from custom_components.rumpus.protocols.smartglass import shell
from custom_components.rumpus.protocols.smartglass.channels import Channel
from custom_components.rumpus.protocols.smartglass.enums import (
    DisconnectReason,
    ResultCode,
    ServiceChannel,
)
from custom_components.rumpus.protocols.smartglass.errors import (
    ChannelError,
    RejectedError,
    TitleNotLaunchedError,
)
from custom_components.rumpus.protocols.smartglass.events import LossReason
from custom_components.rumpus.protocols.smartglass.messages import (
    GameDvrRecord,
    Gamepad,
)
from custom_components.rumpus.protocols.smartglass.protocol import SmartglassProtocol
from custom_components.rumpus.protocols.smartglass.session import (
    ChannelAnswered,
    SessionEnded,
    ToldEvent,
)
from tests.fakes.xbox import GAME, HOME, FakeConsole

INPUT = ServiceChannel.SYSTEM_INPUT
TV = ServiceChannel.SYSTEM_INPUT_TV_REMOTE
GAME_URI = f"ms-xbl-{GAME.title_id:08X}://default/"


# In a session.


async def test_join_is_the_first_message(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    event = await fake.wait_for("message", name="local_join")
    assert event.data["sequence"] == 1
    assert event.data["need_ack"]
    assert (await fake.wait_for("joined")).data["display_name"] == "SmartGlass-PC"


async def test_a_join_that_nobody_acks_fails(
    fake: FakeConsole, protocol: SmartglassProtocol
) -> None:
    protocol.timing = HASTY
    await protocol.connect()
    fake.mute_acks = True
    with pytest.raises(PeerTimeoutError):
        await protocol.local_join()


async def test_messages_with_and_without_an_ack(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    await joined.send_message(GameDvrRecord(-5, 0))
    await joined.game_dvr_record(-60)
    await fake.wait_for("game_dvr", start_time_delta=-60, end_time_delta=0)
    await joined.start_channel(INPUT)
    await joined.send_message(Gamepad(), INPUT, blocking=False)
    await fake.wait_for("gamepad")


async def test_a_rejected_message_fails(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    fake.reject("game_dvr_record")
    with pytest.raises(RejectedError) as info:
        await joined.game_dvr_record(-60)
    assert info.value.result is None
    await joined.game_dvr_record(-60)


async def test_a_message_that_is_cancelled_is_not_sent_again(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    fake.mute_acks = True
    sending = asyncio.create_task(joined.game_dvr_record(-60))
    await fake.wait_for("game_dvr")
    sending.cancel()
    await asyncio.wait({sending})
    assert joined.session is not None
    assert joined.session.pending_sends == 0


async def test_an_ack_of_its_own_is_a_heartbeat(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    await joined.ack([1], need_ack=True)
    await fake.wait_for("heartbeat")
    await joined.ack([1], [2])


async def test_objects_in_pieces(fake: FakeConsole, joined: SmartglassProtocol) -> None:
    await joined.start_channel(TV)
    request = "GetRecentChannels"
    params: dict[str, object] = {"startindex": 0, "count": 9, "pad": "x" * 2000}
    await joined.json({"request": request, "msgid": "1", "params": params}, TV)  # type: ignore[dict-item]
    await fake.wait_for("json_request", request=request)


async def test_what_cannot_be_sent_without_a_session(
    protocol: SmartglassProtocol,
) -> None:
    with pytest.raises(DisconnectedError):
        await protocol.local_join()
    with pytest.raises(DisconnectedError):
        protocol.send_nowait(Gamepad())
    with pytest.raises(DisconnectedError):
        await protocol.start_channel(INPUT)


# Channels.


async def test_pipelined_channels(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    fake.answer_delay = 0.02
    await asyncio.gather(*(joined.start_channel(channel) for channel in (INPUT, TV)))
    assert joined.session is not None
    assert joined.session.channels.open_channels == {INPUT, TV}


async def test_a_refused_channel(fake: FakeConsole, joined: SmartglassProtocol) -> None:
    fake.refuse_channel("tv", ResultCode.ACCESS_DENIED)
    with pytest.raises(ChannelError) as info:
        await joined.start_channel(TV)
    assert info.value.result == ResultCode.ACCESS_DENIED
    with pytest.raises(ChannelError):
        joined.send_nowait(Gamepad(), TV)


async def test_a_silent_channel(fake: FakeConsole, joined: SmartglassProtocol) -> None:
    fake.mute_channel("tv")
    joined.timing = HASTY
    with pytest.raises(ChannelError) as info:
        await joined.start_channel(TV)
    assert info.value.result is None


@pytest.mark.parametrize("is_rejected", [True, False])
async def test_a_channel_request_that_is_not_taken(
    fake: FakeConsole, protocol: SmartglassProtocol, is_rejected: bool
) -> None:
    protocol.timing = HASTY
    await protocol.connect()
    await protocol.local_join()
    fake.mute_channel("tv")
    if is_rejected:
        fake.reject("start_channel_request")
    else:
        fake.mute_acks = True
    with pytest.raises(ChannelError):
        await protocol.start_channel(TV)


async def test_a_channel_that_answers_before_the_ack(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    fake.mute_acks = True
    await joined.start_channel(TV)


async def test_a_late_answer_opens_the_channel(
    fake: FakeConsole, joined: SmartglassProtocol, events: list[ToldEvent]
) -> None:
    fake.answer_delay = 0.15
    joined.timing = HASTY
    with pytest.raises(ChannelError):
        await joined.start_channel(TV)
    await fake.wait_for("channel_opened")
    await joined.ack(need_ack=True)
    assert joined.session is not None
    assert joined.session.channels.open_channels == {TV}


async def test_stop_channel(fake: FakeConsole, joined: SmartglassProtocol) -> None:
    await joined.start_channel(TV)
    joined.stop_channel(TV)
    await fake.wait_for("channel_closed", service="tv")
    with pytest.raises(ChannelError):
        joined.stop_channel(TV)


async def test_an_end_while_channels_open(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    fake.mute_channel("tv")
    starting = asyncio.create_task(joined.start_channel(TV))
    await fake.wait_for("message", name="start_channel_request")
    fake.disconnect_clients()
    with pytest.raises(DisconnectedError):
        await starting


# Titles.


async def test_a_title_that_starts(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    fake.honours_launch = True
    await joined.launch_title(GAME_URI)
    # Again: it is in front already.
    await joined.launch_title(GAME_URI)
    await fake.wait_for("title_launch", uri=GAME_URI, location=0)


async def test_a_title_that_does_not_start(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    joined.timing = replace(QUICK, launch=0.05)
    with pytest.raises(TitleNotLaunchedError):
        await joined.launch_title(GAME_URI)
    # Something else happening is no answer.
    launching = asyncio.create_task(joined.launch_title(GAME_URI))
    await fake.wait_for("title_launch")
    fake.set_titles([HOME])
    with pytest.raises(TitleNotLaunchedError):
        await launching


async def test_a_page_that_comes_to_the_front(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    launching = asyncio.create_task(joined.launch_title("https://example.com/"))
    await fake.wait_for("title_launch")
    fake.launch(GAME)
    await launching


async def test_a_launch_that_nobody_acks(
    fake: FakeConsole, protocol: SmartglassProtocol
) -> None:
    protocol.timing = HASTY
    await protocol.connect()
    await protocol.local_join()
    fake.mute_acks = True
    with pytest.raises(PeerTimeoutError):
        await protocol.launch_title(GAME_URI)


async def test_an_end_while_a_title_starts(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    joined.timing = replace(QUICK, launch=PATIENCE)
    launching = asyncio.create_task(joined.launch_title(GAME_URI))
    await fake.wait_for("title_launch")
    await joined.ack(need_ack=True)
    fake.disconnect_clients()
    with pytest.raises(DisconnectedError):
        await launching


# The socket.


async def test_disconnect_says_why_and_closes_the_socket(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    await joined.disconnect(DisconnectReason.APP_CLOSE, 5)
    assert not joined.is_open
    assert not joined.is_joined
    event = await fake.wait_for("left")
    assert event.data["reason"] == "reason 4"
    await joined.disconnect()
    joined.hang_up()


async def test_stop_says_goodbye_without_a_reason(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    await joined.stop()
    assert not joined.is_open
    event = await fake.wait_for("left")
    assert event.data["reason"] == "reason 0"


async def test_refusals_of_the_network_are_not_fatal(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    joined.error_received(ConnectionRefusedError())
    await joined.game_dvr_record(-1)


async def test_other_errors_of_the_network_fail_what_is_sent(
    fake: FakeConsole, joined: SmartglassProtocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sendto(data: bytes) -> None:
        joined.error_received(OSError(errno.ENETUNREACH, "unreachable"))

    transport = joined._transport
    assert transport is not None
    monkeypatch.setattr(transport, "sendto", sendto)
    with pytest.raises(DisconnectedError):
        await joined.game_dvr_record(-1)
    assert joined.session is not None
    assert joined.session.pending_sends == 0
    with pytest.raises(DisconnectedError):
        joined.send_nowait(Gamepad())
    monkeypatch.undo()
    await joined.game_dvr_record(-2)
    assert [event.data["start_time_delta"] for event in fake.seen("game_dvr")] == [-2]


async def test_the_system_keeps_more_for_us_than_for_others(
    protocol: SmartglassProtocol,
) -> None:
    assert protocol._transport is not None
    ours = protocol._transport.get_extra_info("socket")
    option = socket.SOL_SOCKET, socket.SO_RCVBUF
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        assert ours.getsockopt(*option) > other.getsockopt(*option)


async def test_a_network_that_takes_nothing_gets_nothing_for_a_while(
    fake: FakeConsole, joined: SmartglassProtocol
) -> None:
    joined.pause_writing()
    sending = asyncio.create_task(joined.game_dvr_record(-1))
    await asyncio.sleep(0)
    joined.resume_writing()
    await sending
    await fake.wait_for("game_dvr")


async def test_a_socket_that_is_lost_fails_all(
    fake: FakeConsole, joined: SmartglassProtocol, events: list[ToldEvent]
) -> None:
    fake.mute_acks = True
    sending = asyncio.create_task(joined.game_dvr_record(-1))
    await fake.wait_for("game_dvr")
    assert joined._transport is not None
    joined._transport.abort()
    with pytest.raises(DisconnectedError):
        await sending
    assert not joined.is_joined
    assert events[-1] == SessionEnded(LossReason.FAILED)
    with pytest.raises(DisconnectedError):
        await joined.game_dvr_record(-1)


async def test_a_socket_that_does_not_close_holds_nobody_up(
    joined: SmartglassProtocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "CLOSE_TIMEOUT", 0.01)
    transport = joined._transport
    assert transport is not None
    monkeypatch.setattr(transport, "close", lambda: None)
    await joined.disconnect()
    assert not joined.is_open
    transport.abort()


async def test_a_listener_may_send_at_once(fake: FakeConsole) -> None:
    heard: list[ToldEvent] = []

    def listener(event: ToldEvent) -> None:
        heard.append(event)
        if isinstance(event, ChannelAnswered):
            opened.send_nowait(Gamepad(), INPUT)

    opened = await SmartglassProtocol.open(
        fake.address, fake.port, timing=QUICK, listener=listener
    )
    await opened.connect()
    await opened.local_join()
    await opened.start_channel(INPUT)
    await fake.wait_for("gamepad")
    await opened.disconnect()
    assert [event for event in heard if isinstance(event, ChannelAnswered)] == [
        ChannelAnswered(1, Channel(INPUT), ResultCode.SUCCESS)
    ]


async def test_a_listener_that_fails_harms_nobody(
    fake: FakeConsole, caplog: pytest.LogCaptureFixture
) -> None:
    def listener(event: ToldEvent) -> None:
        raise LookupError

    protocol = await SmartglassProtocol.open(
        fake.address, fake.port, timing=QUICK, listener=listener
    )
    await protocol.connect()
    await protocol.local_join()
    await fake.wait_for("acked")
    await protocol.game_dvr_record(-1)
    await protocol.disconnect()
    assert "A listener failed" in caplog.text
