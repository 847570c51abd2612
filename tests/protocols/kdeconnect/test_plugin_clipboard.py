"""Clipboard packets, and keeping two clipboards the same."""

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies, texts
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet, Payload
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    clipboard,
    decode_message,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.clipboard import (
    MAX_CONTENT,
    ClipboardAtConnect,
    ClipboardChanged,
    ClipboardFile,
    ClipboardSync,
)

TYPE = "kdeconnect.clipboard"
CONNECT = "kdeconnect.clipboard.connect"
FILE = "kdeconnect.clipboard.file"


def test_change() -> None:
    packet = Packet(TYPE, {"content": "copied"})

    assert decode_message(packet) == ClipboardChanged("copied")
    assert decode_message(Packet(TYPE, {"content": ""})) == ClipboardChanged("")


@pytest.mark.parametrize("content", [None, 7, [], True])
def test_change_without_a_content_is_refused(content: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(TYPE, {"content": content}))


@pytest.mark.parametrize("content", [None, ""])
def test_captures_of_an_empty_clipboard(content: JsonValue) -> None:
    packet = Packet(CONNECT, {"content": content, "timestamp": 0})

    assert decode_message(packet) == ClipboardAtConnect(None, 0)


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [(1795250610567, 1795250610567), ("5", 5), (-1, 0), (None, 0), ("soon", 0)],
)
def test_time_stamps(timestamp: JsonValue, expected: int) -> None:
    packet = Packet(CONNECT, {"content": "c", "timestamp": timestamp})

    assert decode_message(packet) == ClipboardAtConnect("c", expected)


def test_file() -> None:
    packet = Packet(FILE, {"filename": "../a.png"}, Payload(9, 1739))

    assert decode_message(packet) == ClipboardFile("a.png", Payload(9, 1739))
    assert decode_message(Packet(FILE, {}, Payload(9, 1739))) == ClipboardFile(
        "unnamed", Payload(9, 1739)
    )


def test_file_without_data_is_refused() -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(FILE, {"filename": "a.png"}))


@pytest.mark.parametrize("packet_type", [TYPE, CONNECT])
def test_limit_of_content(packet_type: str) -> None:
    fitting = "c" * MAX_CONTENT

    message = decode_message(Packet(packet_type, {"content": fitting}))
    assert isinstance(message, ClipboardChanged | ClipboardAtConnect)
    assert message.content == fitting
    with pytest.raises(ProtocolError):
        decode_message(Packet(packet_type, {"content": fitting + "c"}))


@settings(deadline=None)
@given(texts, st.integers(1, 2**53))
def test_round_trips(content: str, timestamp_ms: int) -> None:
    assert decode_message(clipboard.changed(content)) == ClipboardChanged(content)
    assert decode_message(
        clipboard.at_connect(content, timestamp_ms)
    ) == ClipboardAtConnect(content or None, timestamp_ms)


def test_round_trip_of_a_file() -> None:
    assert clipboard.file("a.png") == Packet(FILE, {"filename": "a.png"})
    assert decode_message(clipboard.file("a.png", Payload(3, 1740))) == ClipboardFile(
        "a.png", Payload(3, 1740)
    )


@settings(deadline=None)
@given(
    st.sampled_from([TYPE, CONNECT, FILE]),
    bodies("content", "timestamp", "filename"),
    st.none() | st.just(Payload(1, 1739)),
)
def test_any_packet_is_a_message_or_a_protocol_error(
    packet_type: str, body: JsonObject, payload: Payload | None
) -> None:
    try:
        message = decode_message(Packet(packet_type, body, payload))
    except ProtocolError:
        return
    assert isinstance(message, ClipboardChanged | ClipboardAtConnect | ClipboardFile)


def test_contents_are_not_shown() -> None:
    for message in (
        ClipboardChanged("secret"),
        ClipboardAtConnect("secret", 1),
        ClipboardFile("secret", Payload(1, 1739)),
        ClipboardSync("secret", 1),
    ):
        assert "secret" not in repr(message)


def test_received_content_is_not_sent_back() -> None:
    sync = ClipboardSync()

    assert sync.received(ClipboardChanged("a"), 10) == "a"
    assert sync.changed("a", 11) is None
    assert sync.changed("b", 12) == Packet(TYPE, {"content": "b"})
    assert sync.received(ClipboardChanged("b"), 13) is None
    assert (sync.content, sync.timestamp_ms) == ("b", 13)


def test_newest_content_wins_at_connect() -> None:
    sync = ClipboardSync("ours", 10)

    assert sync.received(ClipboardAtConnect("older", 9), 20) is None
    assert sync.received(ClipboardAtConnect("as old", 10), 20) is None
    assert sync.received(ClipboardAtConnect("newer", 11), 20) == "newer"
    assert (sync.content, sync.timestamp_ms) == ("newer", 11)


def test_unknown_time_never_wins() -> None:
    assert ClipboardSync().received(ClipboardAtConnect("c", 0), 20) is None


def test_empty_clipboard_never_wins() -> None:
    sync = ClipboardSync("ours", 10)

    assert sync.received(ClipboardAtConnect(None, 15), 20) is None
    assert (sync.content, sync.timestamp_ms) == ("ours", 10)


def test_time_in_the_future_is_now() -> None:
    sync = ClipboardSync()

    assert sync.received(ClipboardAtConnect("c", 2**53), 20) == "c"
    assert sync.timestamp_ms == 20
    assert sync.received(ClipboardAtConnect("d", 21), 22) == "d"


def test_what_is_told_at_connect() -> None:
    assert ClipboardSync().at_connect() is None
    assert ClipboardSync("", 10).at_connect() is None
    assert ClipboardSync("c").at_connect() is None
    assert ClipboardSync("c", 10).at_connect() == Packet(
        CONNECT, {"content": "c", "timestamp": 10}
    )


messages = st.builds(ClipboardChanged, texts) | st.builds(
    ClipboardAtConnect, texts, st.integers(0, 1000)
)


@settings(deadline=None)
@given(st.lists(messages | texts, max_size=20))
def test_both_sides_hold_the_same(steps: list[object]) -> None:
    sync = ClipboardSync()
    ours: str | None = None
    for now_ms, step in enumerate(steps, 1):
        if isinstance(step, str):
            packet = sync.changed(step, now_ms)
            assert (packet is None) == (step == ours)
            ours = step
        elif isinstance(step, ClipboardChanged | ClipboardAtConnect):
            taken = sync.received(step, now_ms)
            assert taken is None or taken != ours
            ours = ours if taken is None else taken
        assert sync.content == ours
        assert sync.timestamp_ms <= now_ms
