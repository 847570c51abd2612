"""Game streaming, up to where Nano begins."""

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib

from hypothesis import given, settings, strategies as st
import pytest

from .support import Events, FakeLink, virtual
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
)
from custom_components.rumpus.protocols.json_lines import (
    JsonObject,
    JsonValue,
    encode_json,
)
from custom_components.rumpus.protocols.smartglass.services.broadcast import (
    ENABLED_TIMEOUT,
    START_TIMEOUT,
    STOP_TIMEOUT,
    BroadcastError,
    BroadcastService,
    StreamSession,
)
from custom_components.rumpus.protocols.smartglass.services.broadcast_models import (
    MAX_SESSION_ID,
    BroadcastErrorType,
    BroadcastMessage,
    BroadcastType,
    PreviewStatus,
    StartStream,
    StopStream,
    StreamConfiguration,
    StreamFailed,
    StreamingEnabled,
    StreamState,
    StreamStateChanged,
    UnknownBroadcast,
    decode_broadcast,
)

SESSION = "{00000000-0000-4000-8000-000000000001}"
ENABLED: JsonObject = {
    "type": 4,
    "enabled": True,
    "canBeEnabled": True,
    "majorProtocolVersion": 6,
    "minorProtocolVersion": 0,
}
INITIALIZING: JsonObject = {
    "type": 3,
    "state": 1,
    "sessionId": SESSION,
    "udpPort": 49152,
    "tcpPort": 49153,
}
STARTED: JsonObject = {
    "type": 3,
    "state": 2,
    "sessionId": SESSION,
    "isWirelessConnection": False,
    "wirelessChannel": 0,
    "transmitLinkSpeed": 1_000_000_000,
}
STOPPED: JsonObject = {"type": 3, "state": 3, "sessionId": SESSION}
READY = StreamSession(SESSION, 49153, 49152, False, 1_000_000_000)

# The whole set of values that official clients send, as text.
SET_A = [
    "urcpType",
    "0",
    "urcpFixedRate",
    "-1",
    "urcpMaximumWindow",
    "1310720",
    "urcpMinimumRate",
    "256000",
    "urcpMaximumRate",
    "10000000",
    "urcpKeepAliveTimeoutMs",
    "0",
    "audioFecType",
    "0",
    "videoFecType",
    "0",
    "videoFecLevel",
    "3",
    "videoPacketUtilization",
    "0",
    "enableDynamicBitrate",
    "false",
    "dynamicBitrateScaleFactor",
    "1",
    "dynamicBitrateUpdateMs",
    "5000",
    "sendKeyframesOverTCP",
    "false",
    "videoMaximumWidth",
    "1280",
    "videoMaximumHeight",
    "720",
    "videoMaximumFrameRate",
    "60",
    "videoPacketDefragTimeoutMs",
    "16",
    "enableVideoFrameAcks",
    "false",
    "enableAudioChat",
    "true",
    "audioBufferLengthHns",
    "10000000",
    "audioSyncPolicy",
    "1",
    "audioSyncMinLatency",
    "10",
    "audioSyncDesiredLatency",
    "40",
    "audioSyncMaxLatency",
    "170",
    "audioSyncCompressLatency",
    "100",
    "audioSyncCompressFactor",
    "0.99",
    "audioSyncLengthenFactor",
    "1.01",
    "enableOpusAudio",
    "false",
    "enableOpusChatAudio",
    "true",
    "inputReadsPerSecond",
    "120",
    "udpMaxSendPacketsInWinsock",
    "250",
    "udpSubBurstGroups",
    "5",
    "udpBurstDurationMs",
    "11",
]


# Messages.


def test_configuration() -> None:
    body = StreamConfiguration().to_json()
    assert body == dict(zip(SET_A[::2], SET_A[1::2], strict=True))
    assert len(body) == 34
    changed = StreamConfiguration(enable_dynamic_bitrate=True, video_maximum_width=1920)
    assert changed.to_json() == body | {
        "enableDynamicBitrate": "true",
        "videoMaximumWidth": "1920",
    }


def test_start_fits_one_message() -> None:
    body = StartStream().to_json()
    requery = StartStream(requery_preview_status=True).to_json()
    assert requery == body | {"reQueryPreviewStatus": True}
    assert len(encode_json(requery)) == 1002
    assert StopStream().to_json() == {"type": 2}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (ENABLED, StreamingEnabled(True, True, 6, 0)),
        ({"type": "4", "enabled": "false"}, StreamingEnabled(False)),
        (
            INITIALIZING,
            StreamStateChanged(StreamState.INITIALIZING, SESSION, 49152, 49153),
        ),
        (
            STARTED,
            StreamStateChanged(
                StreamState.STARTED,
                SESSION,
                is_wireless=False,
                wireless_channel=0,
                link_speed=1_000_000_000,
            ),
        ),
        (
            {"type": 3, "state": 0, "sessionId": ""},
            StreamStateChanged(StreamState.UNKNOWN),
        ),
        ({"type": 3, "state": 9, "udpPort": 65536}, StreamStateChanged(9)),
        (
            {"type": 5, "errorType": 6, "errorValue": -1},
            StreamFailed(BroadcastErrorType.NO_CONTROLLER, -1),
        ),
        ({"type": 5, "errorType": 99}, StreamFailed(99)),
        (
            {"type": 7, "isPublicPreview": True, "isInternalPreview": "0"},
            PreviewStatus(True, False),
        ),
        (
            {"type": 6, "x": 1},
            UnknownBroadcast(BroadcastType.TELEMETRY, {"type": 6, "x": 1}),
        ),
        ({"type": 12}, UnknownBroadcast(12, {"type": 12})),
    ],
)
def test_what_the_console_says(body: JsonObject, message: BroadcastMessage) -> None:
    assert decode_broadcast(body) == message


@pytest.mark.parametrize(
    "body",
    [{}, {"type": None}, {"type": 3}, {"type": 4}, {"type": 5, "errorType": "x"}],
)
def test_what_is_of_no_use(body: JsonObject) -> None:
    with pytest.raises(ProtocolError):
        decode_broadcast(body)
    service = BroadcastService(FakeLink(), Events().append)
    service.received_json(body)
    assert (service.enabled, service.state, service.preview) == (None, None, None)


def test_limit_of_session_ids() -> None:
    longest = "x" * MAX_SESSION_ID
    for session_id, expected in (
        (longest, longest),
        (longest + "x", None),
        ("a b", None),
    ):
        message = decode_broadcast({"type": 3, "state": 1, "sessionId": session_id})
        assert message == StreamStateChanged(StreamState.INITIALIZING, expected)


NAMES = [
    "type",
    "state",
    "sessionId",
    "udpPort",
    "tcpPort",
    "enabled",
    "errorType",
    "errorValue",
    "majorProtocolVersion",
    "isPublicPreview",
]
VALUES: st.SearchStrategy[JsonValue] = (
    st.none() | st.booleans() | st.integers(-2, 20) | st.floats() | st.text(max_size=4)
)


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_nothing_breaks_the_service(body: JsonObject) -> None:
    BroadcastService(FakeLink(), Events().append).received_json(body)


# The dialogue.


@contextlib.asynccontextmanager
async def opened(
    link: FakeLink, events: Events, *answers: JsonObject, is_enabled: bool = True
) -> AsyncIterator[BroadcastService]:
    """Open the channel in front of a console that answers a start so."""
    service = BroadcastService(link, events.append)
    service.opened()
    if is_enabled:
        service.received_json(ENABLED)

    def answer(obj: JsonObject) -> None:
        for body in answers if obj["type"] == 1 else (STOPPED,):
            service.received_json(body)

    link.answer = answer
    yield service
    service.closed()
    await asyncio.sleep(0)


def types(link: FakeLink) -> list[JsonValue]:
    return [obj["type"] for obj in link.objects]


@virtual
async def test_start_and_stop(link: FakeLink, events: Events) -> None:
    heard: list[BroadcastMessage] = []
    preview: JsonObject = {"type": 7, "isPublicPreview": True}
    async with opened(link, events, preview, INITIALIZING, STARTED) as service:
        service.received_json({"type": 5, "errorType": 12})
        assert service.failure == StreamFailed(BroadcastErrorType.POOR_NETWORK)
        unsubscribe = service.subscribe(heard.append)
        assert await service.start(requery_preview_status=True) == READY
        assert [service.failure] == [None]
        assert service.enabled == StreamingEnabled(True, True, 6, 0)
        assert service.preview == PreviewStatus(True, None)
        assert service.state == decode_broadcast(STARTED)
        assert await service.stop()
        unsubscribe()
        unsubscribe()
        service.received_json(ENABLED)
    assert link.objects == [
        StartStream(requery_preview_status=True).to_json(),
        {"type": 2},
    ]
    told = (preview, INITIALIZING, STARTED, STOPPED)
    assert heard == [decode_broadcast(body) for body in told]
    assert not events


@virtual
async def test_a_listener_that_fails_harms_nobody(
    link: FakeLink, events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[BroadcastMessage] = []

    def fail(message: BroadcastMessage) -> None:
        raise ValueError("not my day")

    async with opened(link, events) as service:
        service.subscribe(fail)
        service.subscribe(heard.append)
        service.received_json(ENABLED)
    assert heard == [decode_broadcast(ENABLED)]
    assert "not my day" in caplog.text


@virtual
async def test_states_in_the_wrong_order(link: FakeLink, events: Events) -> None:
    other = INITIALIZING | {"sessionId": "{OTHER}"}
    nameless: JsonObject = {"type": 3, "state": 1}
    async with opened(link, events, STARTED, other, nameless, INITIALIZING) as service:
        assert await service.start() == READY


@virtual
async def test_console_allows_it_later(link: FakeLink, events: Events) -> None:
    async with opened(link, events, INITIALIZING, STARTED, is_enabled=False) as service:
        starting = asyncio.create_task(service.start())
        await asyncio.sleep(ENABLED_TIMEOUT / 2)
        assert not link.objects
        service.received_json(ENABLED)
        assert await starting == READY


@virtual
async def test_console_does_not_say_whether(link: FakeLink, events: Events) -> None:
    async with opened(link, events, is_enabled=False) as service:
        with pytest.raises(PeerTimeoutError):
            await service.start()
    assert not link.objects


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (ENABLED | {"enabled": False}, BroadcastErrorType.STREAMING_DISABLED),
        (ENABLED | {"majorProtocolVersion": 7}, BroadcastErrorType.VERSION_MISMATCH),
    ],
)
def test_console_cannot(body: JsonObject, error: BroadcastErrorType) -> None:
    link, events = FakeLink(), Events()

    @virtual
    async def scenario() -> None:
        async with opened(link, events) as service:
            service.received_json(body)
            with pytest.raises(BroadcastError) as raised:
                await service.start()
            assert raised.value.error is error

    scenario()
    assert not link.objects


@pytest.mark.parametrize(
    ("answers", "error", "value"),
    [
        (
            [{"type": 5, "errorType": 7, "errorValue": 3}],
            BroadcastErrorType.DIFFERENT_ACCOUNT_ACTIVE,
            3,
        ),
        ([{"type": 5, "errorType": 77}], 77, None),
        ([INITIALIZING, STOPPED], BroadcastErrorType.FAILED_TO_START, None),
    ],
)
def test_console_fails(
    answers: list[JsonObject], error: int, value: int | None
) -> None:
    link, events = FakeLink(), Events()

    @virtual
    async def scenario() -> None:
        async with opened(link, events, *answers) as service:
            with pytest.raises(BroadcastError) as raised:
                await service.start()
            assert (raised.value.error, raised.value.value) == (error, value)
            told = service.failure
            assert (told is None) == (INITIALIZING in answers)
            # What comes when nobody waits is only told.
            for body in (*answers, STARTED, STOPPED):
                service.received_json(body)

    scenario()
    assert types(link) == [1, 2]


@virtual
async def test_stream_that_stopped_before_does_not_matter(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events, STOPPED, INITIALIZING, STARTED) as service:
        assert await service.start() == READY


@virtual
async def test_stream_without_ports(link: FakeLink, events: Events) -> None:
    async with opened(link, events, INITIALIZING | {"tcpPort": 0}, STARTED) as service:
        with pytest.raises(ProtocolError):
            await service.start()
    assert types(link) == [1, 2]


@virtual
async def test_console_does_not_start(link: FakeLink, events: Events) -> None:
    async with opened(link, events, INITIALIZING) as service:
        start = asyncio.get_running_loop().time()
        with pytest.raises(PeerTimeoutError):
            await service.start()
        passed = asyncio.get_running_loop().time() - start
        assert passed == pytest.approx(link.delay + START_TIMEOUT)
        await asyncio.sleep(1)
    assert types(link) == [1, 2]


@virtual
async def test_console_does_not_say_that_it_stops(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as service:
        link.answer = None
        start = asyncio.get_running_loop().time()
        assert not await service.stop()
        passed = asyncio.get_running_loop().time() - start
        assert passed == pytest.approx(link.delay + STOP_TIMEOUT)


@virtual
async def test_answer_counts_more_than_the_ack(link: FakeLink, events: Events) -> None:
    async with opened(link, events, INITIALIZING, STARTED) as service:
        link.errors.append(PeerTimeoutError())
        assert await service.start() == READY
        link.answer = None
        link.errors.append(PeerTimeoutError())
        with pytest.raises(PeerTimeoutError):
            await service.stop()


@virtual
async def test_cancelled_start_is_stopped(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        starting = asyncio.create_task(service.start())
        await asyncio.sleep(1)
        starting.cancel()
        await asyncio.wait([starting])
        assert types(link) == [1, 2]
        await asyncio.sleep(1)
        link.errors.extend([PeerTimeoutError(), PeerTimeoutError()])
        with pytest.raises(PeerTimeoutError):
            await service.start()
        await asyncio.sleep(1)
    assert types(link) == [1, 2, 1, 2]


type Use = Callable[[BroadcastService], asyncio.Task[object]]


@virtual
async def test_channel_goes_meanwhile(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        link.answer = None
        for use in (service.start, service.stop):
            tasks = [asyncio.create_task(use()), asyncio.create_task(use())]
            await asyncio.sleep(1)
            service.closed()
            for task in tasks:
                with pytest.raises(DisconnectedError):
                    await task
            service.opened()
            service.received_json(ENABLED)
        service.closed()
        assert service.enabled is None
        waiting = asyncio.create_task(service.start())
        await asyncio.sleep(1)
        service.closed()
        with pytest.raises(DisconnectedError):
            await waiting
    assert types(link) == [1, 2]
