"""What the TV remote answers."""

from collections.abc import Callable

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.smartglass.services import tv_decode
from custom_components.rumpus.protocols.smartglass.services.tv_decode import (
    MAX_BUTTONS,
    MAX_CHANNELS,
    MAX_DEVICES,
    MAX_ID,
    MAX_PROVIDERS,
    MAX_RECENT,
    MAX_TEXT,
    MAX_URL,
    decode_app_providers,
    decode_configuration,
    decode_headend,
    decode_lineups,
    decode_live_tv,
    decode_recent_channels,
    decode_streaming,
)
from custom_components.rumpus.protocols.smartglass.services.tv_models import (
    AppChannel,
    AppProvider,
    HeadendInfo,
    HeadendProvider,
    LiveTvInfo,
    PauseBuffer,
    RecentChannel,
    Streaming,
    TvChannel,
    TvDevice,
    TvDeviceType,
    TvLineup,
    TvSource,
)

UUID = "516b9ea7-5292-97ec-e7d4-f843fab6d392"
PROVIDER: JsonObject = {
    "providerName": "Cable",
    "headendId": UUID,
    "source": "tuner",
    "titleId": "162615AD",
    "filterPreference": "ALL",
    "canStream": "false",
}
DECODERS = (
    decode_app_providers,
    decode_configuration,
    decode_headend,
    decode_lineups,
    decode_live_tv,
    decode_recent_channels,
    decode_streaming,
)
LISTS = (decode_app_providers, decode_configuration, decode_recent_channels)


def test_configuration() -> None:
    devices = decode_configuration(
        [
            {
                "device_id": "0",
                "device_type": "tv",
                "device_brand": "Brand",
                "device_model": "Model",
                "device_name": "Name",
                "buttons": {"btn.vol_up": "Vol +", "btn.power": 1, "btn.up": None},
            },
            {"device_id": 1, "device_type": "AVR", "buttons": "none"},
            {"device_id": "tuner", "device_type": "tuner"},
            {"device_id": "3", "device_type": "projector"},
            {"device_id": "", "device_type": "tv"},
            {"device_type": "tv"},
            "tv",
        ]
    )
    buttons = {"btn.vol_up": "Vol +", "btn.power": "1", "btn.up": "btn.up"}
    assert devices == (
        TvDevice("0", TvDeviceType.TV, "Brand", "Model", "Name", buttons),
        TvDevice("1", TvDeviceType.RECEIVER),
        TvDevice("tuner", TvDeviceType.TUNER),
        TvDevice("3", "projector"),
    )
    assert hash(devices[0])


def test_headend() -> None:
    provider = HeadendProvider("Cable", UUID, TvSource.TUNER, 0x162615AD, "ALL", False)
    info = decode_headend(
        {
            "providerName": "Cable",
            "headendId": UUID,
            "blockExplicitContentPerShow": "1",
            "dvrEnabled": True,
            "headendLocale": "en-US",
            "streamingPort": "10242",
            "preferredProvider": PROVIDER,
            "providers": [PROVIDER, 5],
        }
    )
    assert info == HeadendInfo(
        "Cable", UUID, "en-US", True, True, 10242, provider, (provider,)
    )
    assert decode_headend({}) == HeadendInfo(None, None)
    by_id = decode_headend({"preferredProvider": UUID}).preferred_provider
    assert by_id == HeadendProvider(None, UUID)


@pytest.mark.parametrize(
    ("title_id", "expected"),
    [
        ("0x162615ad", 0x162615AD),
        (" FFFFFFFF ", 0xFFFFFFFF),
        (371594669, 371594669),
        ("100000000", None),
        ("-1", None),
        ("", None),
        (-1, None),
        (2**32, None),
        ("0" * (MAX_ID + 1), None),
        (None, None),
    ],
)
def test_title_ids(title_id: JsonValue, expected: int | None) -> None:
    (provider,) = decode_headend({"providers": [{"titleId": title_id}]}).providers
    assert provider.title_id == expected


def test_live_tv() -> None:
    body: JsonObject = {
        "inHdmiMode": "0",
        "streamingPort": 10242,
        "tunerChannelType": "televisionChannel",
        "currentTunerChannelId": "a",
        "currentHdmiChannelId": "b",
        "pauseBufferInfo": {
            "Enabled": "true",
            "IsDvr": False,
            "MaxBufferSize": "18000000000",
            "BufferCurrent": 131688132168080320,
            "BufferStart": "131688132168080320",
            "BufferEnd": "131688151636700238",
            "CurrentTime": "131688151637000000",
            "Epoch": "0",
        },
    }
    buffer = PauseBuffer(
        True,
        False,
        18000000000,
        131688132168080320,
        131688132168080320,
        131688151636700238,
        131688151637000000,
        0,
    )
    assert decode_live_tv(body) == LiveTvInfo(
        False, 10242, "televisionChannel", "a", "b", buffer
    )
    assert decode_live_tv({}) == LiveTvInfo(None)


@pytest.mark.parametrize("port", [0, -1, 65536, "x", None, [1]])
def test_ports_of_no_use(port: JsonValue) -> None:
    assert decode_live_tv({"streamingPort": port}).streaming_port is None


def test_lineups() -> None:
    body: JsonObject = {
        "providers": [
            {
                "headendId": UUID,
                "cqsChannels": ["x", "", 5, "y"],
                "foundChannels": [
                    {"channelNumber": "1.1", "displayName": "News", "channelId": "c"},
                    {"channelNumber": 2, "channelId": "d"},
                    {"channelNumber": "3"},
                ],
            },
            {"headendId": "bare"},
            {"foundChannels": []},
        ]
    }
    assert decode_lineups(body) == (
        TvLineup(
            UUID, (TvChannel("c", "1.1", "News"), TvChannel("d", "2")), ("x", "y")
        ),
        TvLineup("bare"),
    )
    assert decode_lineups({}) == ()


def test_app_providers() -> None:
    providers = decode_app_providers(
        [
            {
                "id": "LiveTvHdmiProvider",
                "providerName": "OneGuide",
                "titleId": "0x162615ad",
                "primaryColor": "ff107c10",
                "secondaryColor": "#ffebebeb",
                "providerImageUrl": "http://192.0.2.1/p.png",
                "channels": [{"name": "One", "id": "1"}, {"name": "None"}],
            },
            {"id": "bare", "providerImageUrl": "file:///x"},
            {"providerName": "nothing"},
        ]
    )
    assert providers == (
        AppProvider(
            "LiveTvHdmiProvider",
            "OneGuide",
            0x162615AD,
            0xFF107C10,
            0xFFEBEBEB,
            "http://192.0.2.1/p.png",
            (AppChannel("1", "One"),),
        ),
        AppProvider("bare"),
    )


def test_recent_channels() -> None:
    channels = decode_recent_channels(
        [
            {"channelNum": "5", "providerId": UUID, "channelId": "c"},
            {"channelNum": "NumberUnused", "channelId": "d"},
            {"channelNum": "6"},
        ]
    )
    assert channels == (RecentChannel("c", UUID, "5"), RecentChannel("d"))
    assert decode_recent_channels([]) == ()


def test_streaming() -> None:
    body: JsonObject = {
        "currentChannelId": "c",
        "source": "HDMI",
        "streamingPort": "10242",
        "tunerChannelType": "t",
        "userCanViewChannel": "true",
    }
    assert decode_streaming(body) == Streaming("c", TvSource.HDMI, 10242, "t", True)
    assert decode_streaming({"source": "dvd"}) == Streaming(None, "dvd", None)


def test_limit_of_devices() -> None:
    devices: JsonValue = [{"device_id": str(n)} for n in range(MAX_DEVICES + 1)]
    assert len(decode_configuration(devices)) == MAX_DEVICES


def test_limit_of_buttons() -> None:
    buttons: JsonObject = {f"btn.{n}": "x" for n in range(MAX_BUTTONS + 1)}
    (device,) = decode_configuration([{"device_id": "0", "buttons": buttons}])
    assert len(device.buttons) == MAX_BUTTONS
    longest: JsonObject = {"b" * MAX_ID: "x", "b" * (MAX_ID + 1): "x", "": "x"}
    (device,) = decode_configuration([{"device_id": "0", "buttons": longest}])
    assert list(device.buttons) == ["b" * MAX_ID]


def test_limit_of_providers() -> None:
    items: JsonValue = [
        {"id": str(n), "headendId": str(n)} for n in range(MAX_PROVIDERS + 1)
    ]
    assert len(decode_headend({"providers": items}).providers) == MAX_PROVIDERS
    assert len(decode_lineups({"providers": items})) == MAX_PROVIDERS
    assert len(decode_app_providers(items)) == MAX_PROVIDERS


def test_limit_of_channels() -> None:
    items: JsonValue = [{"channelId": "c", "id": "c"}] * (MAX_CHANNELS + 1)
    names: JsonValue = ["c"] * (MAX_CHANNELS + 1)
    body: JsonObject = {"headendId": "h", "foundChannels": items, "cqsChannels": names}
    (lineup,) = decode_lineups({"providers": [body]})
    assert len(lineup.channels) == len(lineup.cqs_channels) == MAX_CHANNELS
    (provider,) = decode_app_providers([{"id": "p", "channels": items}])
    assert len(provider.channels) == MAX_CHANNELS


def test_limit_of_recent_channels() -> None:
    items: JsonValue = [{"channelId": "c"}] * (MAX_RECENT + 1)
    assert len(decode_recent_channels(items)) == MAX_RECENT


def test_limit_of_texts_and_ids() -> None:
    (device,) = decode_configuration(
        [{"device_id": "i" * MAX_ID, "device_name": "n" * (MAX_TEXT + 1)}]
    )
    assert device.name == "n" * MAX_TEXT
    assert decode_configuration([{"device_id": "i" * (MAX_ID + 1)}]) == ()


def test_limit_of_urls() -> None:
    url = "https://a/".ljust(MAX_URL, "x")
    items: JsonValue = [
        {"id": "1", "providerImageUrl": url},
        {"id": "2", "providerImageUrl": url + "x"},
    ]
    first, second = decode_app_providers(items)
    assert (first.image_url, second.image_url) == (url, None)


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize("params", [None, True, 5, "text"])
def test_answers_of_another_shape(
    decode: Callable[[JsonValue], object], params: JsonValue
) -> None:
    with pytest.raises(ProtocolError):
        decode(params)
    with pytest.raises(ProtocolError):
        decode({} if decode in LISTS else [])


KEYS = st.sampled_from(
    sorted(
        {
            value
            for code in vars(tv_decode).values()
            for value in getattr(getattr(code, "__code__", None), "co_consts", ())
            if isinstance(value, str) and value.isidentifier()
        }
    )
)
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6)
    ),
    max_leaves=12,
)


@settings(max_examples=100)
@given(VALUES)
def test_no_answer_breaks_a_decoder(params: JsonValue) -> None:
    for decode in DECODERS:
        try:
            decode(params)
        except ProtocolError:
            continue
