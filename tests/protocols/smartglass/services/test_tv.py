"""Requests to the TV remote, and what it tells by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
import contextlib

import pytest

from .support import Events, FakeLink, virtual
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
)
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.smartglass.errors import StumpError
from custom_components.rumpus.protocols.smartglass.events import TvNotified
from custom_components.rumpus.protocols.smartglass.services.tv import (
    MAX_ARGUMENT,
    MAX_ERROR,
    MAX_NOTIFICATION,
    RESPONSE_TIMEOUT,
    TvRequestError,
    TvService,
    live_tv_url,
    volume_device,
)
from custom_components.rumpus.protocols.smartglass.services.tv_models import (
    HeadendInfo,
    LiveTvInfo,
    RecentChannel,
    Streaming,
    StreamQuality,
    TvDevice,
    TvDeviceType,
    TvNotification,
    TvSource,
)

type Answers = dict[str, JsonValue]


class Stump:
    """Answers as a console does; what it does not know is an error."""

    def __init__(self, service: TvService, link: FakeLink) -> None:
        self.service = service
        self.answers: Answers = {}
        link.answer = self.answer

    def answer(self, obj: JsonObject) -> None:
        request, msgid = obj["request"], obj["msgid"]
        assert isinstance(request, str)
        if request in self.answers:
            params = self.answers[request]
            answer: JsonObject = {
                "response": request,
                "msgid": msgid,
                "params": params,
            }
        else:
            answer = {"response": "Error", "msgid": msgid, "error": "Unknown"}
        self.service.received_json(answer)


@contextlib.asynccontextmanager
async def opened(
    link: FakeLink, events: Events, answers: Answers | None = None
) -> AsyncIterator[tuple[TvService, Stump]]:
    """Open the channel, in front of a console that answers."""
    service = TvService(link, events.append)
    service.opened()
    stump = Stump(service, link)
    stump.answers = answers or {}
    yield service, stump
    service.closed()


type Ask = Callable[[TvService], Awaitable[object]]


@pytest.mark.parametrize(
    ("ask", "request_name", "params", "answer", "result"),
    [
        (TvService.get_configuration, "GetConfiguration", None, [], ()),
        (
            TvService.get_headend_info,
            "GetHeadendInfo",
            None,
            {"providerName": "P"},
            HeadendInfo("P", None),
        ),
        (
            TvService.get_live_tv_info,
            "GetLiveTVInfo",
            None,
            {"inHdmiMode": "1"},
            LiveTvInfo(True),
        ),
        (TvService.get_program_info, "GetProgrammInfo", None, {"x": 1}, {"x": 1}),
        (
            lambda tv: tv.get_recent_channels(5, 10),
            "GetRecentChannels",
            {"startindex": 5, "count": 10},
            [{"channelId": "c", "channelNum": "NumberUnused"}],
            (RecentChannel("c"),),
        ),
        (TvService.get_tuner_lineups, "GetTunerLineups", None, {}, ()),
        (TvService.get_app_channel_lineups, "GetAppChannelLineups", None, [], ()),
        (
            lambda tv: tv.get_app_channel_data("p", "c"),
            "GetAppChannelData",
            {"providerId": "p", "channelId": "c", "id": "c"},
            "any",
            "any",
        ),
        (
            lambda tv: tv.get_app_channel_program_data("p", "g"),
            "GetAppChannelProgramData",
            {"providerId": "p", "programId": "g"},
            None,
            None,
        ),
        (
            lambda tv: tv.set_channel("c", "l"),
            "SetChannel",
            {"channelId": "c", "lineupInstanceId": "l"},
            None,
            None,
        ),
        (
            lambda tv: tv.set_channel_by_name("News"),
            "SetChannel",
            {"channel_name": "News"},
            {},
            None,
        ),
        (
            lambda tv: tv.send_key("btn.up"),
            "SendKey",
            {"button_id": "btn.up"},
            True,
            True,
        ),
        (
            lambda tv: tv.send_key("btn.up", "0"),
            "SendKey",
            {"button_id": "btn.up", "device_id": "0"},
            "false",
            False,
        ),
        (
            lambda tv: tv.send_key("btn.up"),
            "SendKey",
            {"button_id": "btn.up"},
            None,
            True,
        ),
        (
            lambda tv: tv.ensure_streaming_started(TvSource.TUNER),
            "EnsureStreamingStarted",
            {"source": "tuner"},
            {"source": "tuner", "streamingPort": "10242"},
            Streaming(None, TvSource.TUNER, 10242),
        ),
    ],
)
def test_requests(
    ask: Ask, request_name: str, params: JsonValue, answer: JsonValue, result: object
) -> None:
    link, events = FakeLink(), Events()

    @virtual
    async def scenario() -> None:
        async with opened(link, events, {request_name: answer}) as (service, _):
            assert await ask(service) == result

    scenario()
    (sent,) = link.objects
    assert sent["request"] == request_name
    assert sent.get("params") == params
    assert ("params" in sent) == (params is not None)


@virtual
async def test_message_ids_are_unique(link: FakeLink, events: Events) -> None:
    answers: Answers = {"SendKey": True}
    async with opened(link, events, answers) as (first, _):
        await first.send_key("btn.up")
        await first.send_key("btn.up")
    async with opened(link, events, answers) as (second, _):
        await second.send_key("btn.up")
    ids = [str(obj["msgid"]) for obj in link.objects]
    assert len(set(ids)) == 3
    prefixes = [msgid.partition(".")[0] for msgid in ids]
    assert prefixes[0] == prefixes[1]
    assert {len(prefix) for prefix in prefixes} == {8}
    assert all(int(prefix, 16) < 2**31 for prefix in prefixes)


@virtual
async def test_errors(
    link: FakeLink, events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(link, events) as (service, _):
        with pytest.raises(StumpError) as raised:
            await service.get_configuration()
        assert isinstance(raised.value, TvRequestError)
        assert raised.value.request == "GetConfiguration"
        assert raised.value.detail == "Unknown"
        assert "Unknown" not in str(raised.value)
    assert "Unknown" not in caplog.text


@pytest.mark.parametrize(
    ("error", "detail"),
    [("  no\x1b[31m\nsuch  ", "no [31m such"), ("", ""), (5, ""), ([], "")],
)
def test_words_of_errors_are_cleaned(error: JsonValue, detail: str) -> None:
    assert _detail_of(error) == detail


def test_limit_of_errors() -> None:
    assert _detail_of("x" * (MAX_ERROR + 1)) == "x" * MAX_ERROR


def _detail_of(error: JsonValue) -> str:
    link, events = FakeLink(), Events()
    details: list[str] = []

    @virtual
    async def scenario() -> None:
        async with opened(link, events) as (service, _):

            def fail(obj: JsonObject) -> None:
                service.received_json(
                    {"response": obj["request"], "msgid": obj["msgid"], "error": error}
                )

            link.answer = fail
            with pytest.raises(TvRequestError) as failed:
                await service.send_key("btn.up")
            details.append(failed.value.detail)

    scenario()
    return details[0]


@virtual
async def test_answers_are_matched_by_id_and_then_by_name(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as (service, _):
        link.answer = None
        key = asyncio.create_task(service.send_key("btn.up"))
        other = asyncio.create_task(service.send_key("btn.down"))
        program = asyncio.create_task(service.get_program_info())
        await asyncio.sleep(0.1)
        first = str(link.objects[0]["msgid"])
        # Of a request that was given up, and of none at all.
        service.received_json({"response": "SendKey", "msgid": "x", "params": False})
        service.received_json({"response": "GetTunerLineups", "params": {}})
        service.received_json({"response": "Error", "error": "whose?"})
        service.received_json({"anything": "else"})
        assert not any(task.done() for task in (key, other, program))
        # As some write what is a UUID with official clients.
        service.received_json(
            {"response": "SendKey", "msgid": f"{{{first.upper()}}}", "params": False}
        )
        assert await key is False
        service.received_json({"response": "GetProgrammInfo", "params": 7})
        assert await program == 7
        service.received_json({"response": "Error", "error": "only one waits"})
        with pytest.raises(TvRequestError):
            await other


@virtual
async def test_first_answer_counts(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as (service, _):

        def twice(obj: JsonObject) -> None:
            for params in (1, 2):
                service.received_json(
                    {"response": "x", "msgid": obj["msgid"], "params": params}
                )
            service.received_json({"response": "Error", "msgid": obj["msgid"]})

        link.answer = twice
        assert await service.get_program_info() == 1


@virtual
async def test_no_answer(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as (service, _):
        link.answer = None
        start = asyncio.get_running_loop().time()
        with pytest.raises(PeerTimeoutError):
            await service.get_configuration()
        passed = asyncio.get_running_loop().time() - start
        assert passed == pytest.approx(link.delay + RESPONSE_TIMEOUT)


@virtual
async def test_answer_counts_more_than_the_ack(link: FakeLink, events: Events) -> None:
    async with opened(link, events, {"SendKey": True}) as (service, _):
        link.errors.append(PeerTimeoutError())
        assert await service.send_key("btn.up")
        link.answer = None
        link.errors.append(PeerTimeoutError())
        with pytest.raises(PeerTimeoutError):
            await service.send_key("btn.up")


@virtual
async def test_channel_goes_while_an_answer_is_waited_for(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as (service, _):
        link.answer = None
        asking = asyncio.create_task(service.get_configuration())
        await asyncio.sleep(1)
        service.closed()
        with pytest.raises(DisconnectedError):
            await asking


DEVICES: JsonValue = [{"device_id": "0", "device_type": "tv", "buttons": {}}]


@virtual
async def test_configuration_is_kept_until_it_changes(
    link: FakeLink, events: Events
) -> None:
    answers: Answers = {"GetConfiguration": DEVICES, "GetHeadendInfo": {}}
    async with opened(link, events, answers) as (service, _):
        for _ in range(2):
            assert len(await service.get_configuration()) == 1
            await service.get_headend_info()
        assert len(link.objects) == 2
        await service.get_configuration(is_fresh=True)
        await service.get_headend_info(is_fresh=True)
        assert len(link.objects) == 4
        service.received_json({"notification": "HeadendChanged"})
        await service.get_configuration()
        assert len(link.objects) == 4
        await service.get_headend_info()
        assert len(link.objects) == 5
        service.received_json({"notification": "ConfigurationChanged"})
        await service.get_configuration()
        await service.get_headend_info()
        assert len(link.objects) == 7
        service.opened()
        await service.get_configuration()
        await service.get_headend_info()
        assert len(link.objects) == 9


@virtual
async def test_answer_that_is_outdated_is_not_kept(
    link: FakeLink, events: Events
) -> None:
    answers: Answers = {"GetConfiguration": DEVICES, "GetHeadendInfo": {}}
    async with opened(link, events, answers) as (service, _):
        both = [
            asyncio.create_task(service.get_configuration()),
            asyncio.create_task(service.get_headend_info()),
        ]
        await asyncio.sleep(link.delay / 2)
        service.received_json({"notification": "ConfigurationChanged"})
        await asyncio.gather(*both)
        await service.get_configuration()
        await service.get_headend_info()
    assert len(link.objects) == 4


@virtual
async def test_notifications(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as (service, _):
        for name in TvNotification:
            service.received_json({"notification": name.value, "more": [1]})
        assert events.take() == [TvNotified(name) for name in TvNotification]
        unknown: JsonObject = {"notification": "Something.New_2", "more": ["secret"]}
        service.received_json(unknown)
        (event,) = events.take()
        assert event == TvNotified("Something.New_2")
        assert isinstance(event, TvNotified)
        assert event.body == unknown
        assert "secret" not in repr(event)
        for wrong in ("", "a b", "a\n", "ä"):
            service.received_json({"notification": wrong})
        service.received_json({"notification": 5})
    assert not events


@virtual
async def test_limit_of_notifications(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as (service, _):
        longest = "x" * MAX_NOTIFICATION
        service.received_json({"notification": longest})
        service.received_json({"notification": longest + "x"})
    assert events == [TvNotified(longest)]


@virtual
async def test_limit_of_arguments(link: FakeLink, events: Events) -> None:
    async with opened(link, events, {"SendKey": True}) as (service, _):
        longest = "x" * MAX_ARGUMENT
        assert await service.send_key(longest)
        with pytest.raises(ProtocolError):
            await service.send_key(longest + "x")
    assert len(link.objects) == 1


@virtual
async def test_arguments_out_of_range(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as (service, _):
        for wrong in (
            service.send_key(""),
            service.send_key("btn.up", ""),
            service.set_channel("", "l"),
            service.set_channel("c", ""),
            service.set_channel_by_name(""),
            service.get_app_channel_data("", "c"),
            service.get_app_channel_program_data("p", ""),
            service.get_recent_channels(-1, 1),
            service.get_recent_channels(0, 0),
            service.get_recent_channels(0, 2**31),
        ):
            with pytest.raises(ProtocolError):
                await wrong
    assert not link.objects


def device(kind: TvDeviceType | str, *buttons: str) -> TvDevice:
    return TvDevice("0", kind, buttons=dict.fromkeys(buttons, ""))


def test_device_for_the_volume() -> None:
    television = device(TvDeviceType.TV, "btn.vol_up", "btn.power")
    receiver = device(TvDeviceType.RECEIVER, "btn.vol_mute")
    mute = device(TvDeviceType.RECEIVER, "btn.power")
    box = device(TvDeviceType.SET_TOP_BOX, "btn.vol_up")
    assert volume_device([television, receiver]) is receiver
    assert volume_device([mute, box, television]) is television
    assert volume_device([mute, box, device("other", "btn.vol_up")]) is None
    assert volume_device([]) is None


def test_address_of_the_stream() -> None:
    assert (
        live_tv_url("192.0.2.9", 10242, TvSource.TUNER)
        == "http://192.0.2.9:10242/zurich?quality=best"
    )
    assert (
        live_tv_url("fd00::9", 1, TvSource.HDMI, StreamQuality.LOW, "12 3")
        == "http://[fd00::9]:1/hdmi-in?quality=low&xuid=12+3"
    )
    for port in (0, 65536):
        with pytest.raises(ProtocolError):
            live_tv_url("192.0.2.9", port, TvSource.TUNER)
