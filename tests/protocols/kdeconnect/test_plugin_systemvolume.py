"""Sound outputs of the peer and of ours."""

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies, texts
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_fields import MAX_TEXT
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    decode_message,
    systemvolume,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.systemvolume import (
    DEFAULT_MAX_VOLUME,
    MAX_SINK_NAME,
    MAX_SINKS,
    MAX_VOLUME,
    Sink,
    SinkChange,
    SinkList,
    SinkRequest,
    Sinks,
    SinksWanted,
)

TYPE = "kdeconnect.systemvolume"
REQUEST = "kdeconnect.systemvolume.request"

CAPTURE: JsonObject = {
    "sinkList": [
        {
            "description": "Speaker",
            "enabled": True,
            "maxVolume": 65536,
            "muted": False,
            "name": "speaker",
            "volume": 65536,
        },
        {
            "description": "Headset",
            "enabled": False,
            "maxVolume": 65536,
            "muted": False,
            "name": "headset",
            "volume": 65536,
        },
    ]
}
SPEAKER = Sink("speaker", "Speaker", 65536, 65536, is_muted=False, is_default=True)
HEADSET = Sink("headset", "Headset", 65536, 65536, is_muted=False, is_default=False)
BOTH = Sinks({"speaker": SPEAKER, "headset": HEADSET})

sinks = st.builds(
    Sink,
    texts.filter(bool),
    texts.filter(bool),
    st.integers(0, MAX_VOLUME),
    st.integers(1, MAX_VOLUME),
    st.booleans(),
    st.booleans(),
)
some_truth = st.none() | st.booleans()
some_volume = st.none() | st.integers(0, MAX_VOLUME)


def listed(*entries: JsonValue) -> tuple[Sink, ...]:
    """Return the sinks of a list."""
    return SinkList.from_packet(Packet(TYPE, {"sinkList": list(entries)})).sinks


def told(**body: JsonValue) -> SinkChange:
    """Return the change in a packet of a sink."""
    return SinkChange.from_packet(Packet(TYPE, {"name": "s", **body}))


def test_capture_of_kde_22() -> None:
    message = decode_message(Packet(TYPE, CAPTURE))

    assert message == SinkList((SPEAKER, HEADSET))
    assert Sinks().updated(message) == BOTH
    assert BOTH.default == SPEAKER


def test_capture_of_a_new_default_of_kde_22() -> None:
    lost = decode_message(Packet(TYPE, {"enabled": False, "name": "speaker"}))
    won = decode_message(Packet(TYPE, {"enabled": True, "name": "headset"}))

    assert lost == SinkChange("speaker", is_default=False)
    assert won == SinkChange("headset", is_default=True)
    between = BOTH.updated(lost)
    assert between.default is None
    after = between.updated(won)
    assert after.default is not None
    assert after.default.name == "headset"
    assert BOTH.updated(won) == after


def test_capture_without_a_sound_server() -> None:
    message = decode_message(Packet(TYPE, {"sinkList": []}))

    assert message == SinkList(())
    assert BOTH.updated(message) == Sinks()
    assert Sinks().default is None


def test_change_of_an_unknown_sink_changes_nothing() -> None:
    assert BOTH.updated(SinkChange("other", 7, is_default=True)) is BOTH


@settings(deadline=None)
@given(
    st.lists(sinks, min_size=1, max_size=4, unique_by=lambda sink: sink.name),
    st.lists(st.tuples(st.integers(0, 3), some_volume, some_truth, some_truth)),
)
def test_changes_change_what_they_name(
    wanted: list[Sink],
    changes: list[tuple[int, int | None, bool | None, bool | None]],
) -> None:
    state = Sinks().updated(SinkList(tuple(wanted)))
    for number, volume, muted, default in changes:
        name = wanted[number % len(wanted)].name
        before = state.by_name[name]
        state = state.updated(SinkChange(name, volume, muted, default))
        after = state.by_name[name]
        assert after.volume == (before.volume if volume is None else volume)
        assert after.is_muted == (before.is_muted if muted is None else muted)
        assert after.is_default == (before.is_default if default is None else default)
        if default:
            assert state.default == after
            assert sum(sink.is_default is True for sink in state.by_name.values()) == 1
    assert list(state.by_name) == [sink.name for sink in wanted]


def test_entries_that_lack_something() -> None:
    assert listed({"name": "s"}) == (Sink("s", "s", None, DEFAULT_MAX_VOLUME),)
    assert listed({}, {"name": ""}, {"name": 7}, None, "s") == ()


def test_later_sink_of_one_name_counts() -> None:
    assert listed({"name": "s", "volume": 1}, {"name": "s", "volume": 2}) == (
        Sink("s", "s", 2),
    )


@pytest.mark.parametrize("value", ["s", {"s": 1}, 7, True])
def test_list_that_is_none_is_refused(value: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(TYPE, {"sinkList": value, "name": "s"}))


@pytest.mark.parametrize("packet_type", [TYPE, REQUEST])
@pytest.mark.parametrize("name", [None, "", 7, [], "n" * (MAX_SINK_NAME + 1)])
def test_change_of_nothing_is_refused(packet_type: str, name: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(packet_type, {"name": name, "volume": 1}))


def test_limit_of_sinks() -> None:
    entries: list[JsonValue] = [{"name": str(n)} for n in range(MAX_SINKS + 1)]

    assert [sink.name for sink in listed(*entries)] == [
        str(n) for n in range(MAX_SINKS)
    ]


def test_limit_of_sink_name() -> None:
    fitting = "n" * MAX_SINK_NAME

    assert [
        sink.name for sink in listed({"name": fitting + "n"}, {"name": fitting})
    ] == [fitting]
    assert told(name=fitting).name == fitting


def test_limit_of_description() -> None:
    (sink,) = listed({"name": "s", "description": "d" * (MAX_TEXT + 1)})

    assert sink.description == "d" * MAX_TEXT


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        (98304, 98304),
        (MAX_VOLUME, MAX_VOLUME),
        (MAX_VOLUME + 1, MAX_VOLUME),
        (-1, 0),
        ("7", 7),
        ("loud", None),
        (None, None),
    ],
)
def test_limit_of_volume(volume: JsonValue, expected: int | None) -> None:
    assert told(volume=volume).volume == expected
    assert listed({"name": "s", "volume": volume})[0].volume == expected


@pytest.mark.parametrize(
    ("largest", "expected"),
    [
        (100, 100),
        (MAX_VOLUME, MAX_VOLUME),
        (MAX_VOLUME + 1, DEFAULT_MAX_VOLUME),
        (0, DEFAULT_MAX_VOLUME),
        (-1, DEFAULT_MAX_VOLUME),
        (None, DEFAULT_MAX_VOLUME),
    ],
)
def test_limit_of_largest_volume(largest: JsonValue, expected: int) -> None:
    assert listed({"name": "s", "maxVolume": largest})[0].max_volume == expected


def test_levels() -> None:
    assert SPEAKER.level == 1.0
    assert Sink("s", "s", 150, 100).level == 1.5
    assert Sink("s", "s").level is None
    assert SPEAKER.volume_at(0.5) == 32768
    assert SPEAKER.volume_at(2.0) == 65536
    assert SPEAKER.volume_at(-1.0) == 0


def test_truth_values_in_other_types() -> None:
    assert told(muted="true", enabled=0) == SinkChange("s", None, True, False)
    assert told(muted="?", enabled=None) == SinkChange("s")


@pytest.mark.parametrize(
    ("packet", "body", "message"),
    [
        (systemvolume.request_sinks(), {"requestSinks": True}, SinksWanted()),
        (
            systemvolume.set_volume("s", 7),
            {"name": "s", "volume": 7},
            SinkRequest("s", volume=7),
        ),
        (
            systemvolume.set_muted("s", False),
            {"name": "s", "muted": False},
            SinkRequest("s", muted=False),
        ),
        (
            systemvolume.set_default("s"),
            {"name": "s", "enabled": True},
            SinkRequest("s", enabled=True),
        ),
    ],
)
def test_requests(packet: Packet, body: JsonObject, message: object) -> None:
    assert packet == Packet(REQUEST, body)
    assert decode_message(packet) == message


@settings(deadline=None)
@given(st.lists(sinks, max_size=4, unique_by=lambda sink: sink.name))
def test_list_round_trip(wanted: list[Sink]) -> None:
    packet = systemvolume.sink_list(tuple(wanted))

    assert decode_message(packet) == SinkList(tuple(wanted))


def test_list_of_what_nobody_told() -> None:
    assert decode_message(systemvolume.sink_list((Sink("s", "S"),))) == SinkList(
        (Sink("s", "S", 0, is_muted=False, is_default=False),)
    )


@settings(deadline=None)
@given(texts.filter(bool), some_volume, some_truth, some_truth)
def test_change_round_trip(
    name: str, volume: int | None, muted: bool | None, default: bool | None
) -> None:
    packet = systemvolume.sink_change(
        name, volume=volume, is_muted=muted, is_default=default
    )

    assert decode_message(packet) == SinkChange(name, volume, muted, default)


@settings(deadline=None)
@given(
    st.sampled_from([TYPE, REQUEST]),
    bodies("sinkList", "name", "volume", "muted", "enabled", "requestSinks"),
)
def test_any_packet_is_a_message_or_a_protocol_error(
    packet_type: str, body: JsonObject
) -> None:
    try:
        message = decode_message(Packet(packet_type, body))
    except ProtocolError:
        return
    assert isinstance(message, SinkList | SinkChange | SinksWanted | SinkRequest)
