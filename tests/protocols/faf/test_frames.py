"""What makes messages of the frames of WebSockets."""

import itertools
import time
from unittest.mock import Mock

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.faf import websocket as websocket_module
from custom_components.rumpus.protocols.faf.protocol import OversizedMessageError
from custom_components.rumpus.protocols.faf.text import (
    MalformedMessageError,
    decode_text,
    encode_text,
)
from custom_components.rumpus.protocols.faf.websocket import (
    MAX_BUFFER,
    MAX_FRAME,
    FrameBuffer,
)
from custom_components.rumpus.protocols.json_lines import JsonObject

messages = st.dictionaries(
    st.text(max_size=6), st.none() | st.floats(0, 9) | st.text(max_size=6), max_size=4
)


def unframed(*frames: bytes) -> list[JsonObject]:
    """Return the messages of some frames."""
    buffer, found = FrameBuffer(), []
    for frame in frames:
        buffer.feed(frame)
        while (message := buffer.next_message()) is not None:
            found.append(message)
    return found


@given(st.lists(messages), st.sampled_from([b"", b"\n", b"\r\n", b" \n \n"]))
def test_frames_of_a_native_lobby(sent: list[JsonObject], end: bytes) -> None:
    assert unframed(*(encode_text(m).encode() + end for m in sent)) == sent


@given(st.lists(messages), st.data())
def test_frames_of_a_bridge(sent: list[JsonObject], data: st.DataObject) -> None:
    stream = b"".join(encode_text(message).encode() + b"\n" for message in sent)
    places = st.integers(0, len(stream))
    cuts = sorted({0, len(stream), *data.draw(st.lists(places))})
    frames = [stream[a:b] for a, b in itertools.pairwise(cuts)]
    assert unframed(*frames) == sent


def test_a_message_in_two_frames_without_an_end() -> None:
    assert unframed(b'{"a":', b"1}", b'{"b":2}') == [{"a": 1}, {"b": 2}]


def test_half_a_message_that_looks_like_a_whole() -> None:
    assert unframed(b'{"a":{}', b',"b":{}', b"}\n", b"{}") == [{"a": {}, "b": {}}, {}]


def test_a_message_that_comes_byte_by_byte_is_not_decoded_at_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decode = Mock(wraps=decode_text)
    monkeypatch.setattr(websocket_module, "decode_text", decode)
    frames = [b'{"a":[', *[b"{}"] * 5000, b"]}\n"]
    with pytest.raises(MalformedMessageError):
        unframed(*frames)
    assert decode.call_count < 20


def test_blanks_in_front_of_many_messages_are_not_searched_for_at_each() -> None:
    """A line would take as long as all that are behind it, otherwise."""

    def seconds(size: int) -> float:
        buffer = FrameBuffer()
        buffer.feed(b" {}\n" * size)
        start = time.process_time()
        for _ in range(100):
            assert buffer.next_message() == {}
        return time.process_time() - start

    few, many = (min(seconds(size) for _ in range(5)) for size in (100, 1_000_000))
    assert many < 20 * few


@pytest.mark.parametrize("line", [b"nope", b"[1]", b"5", b'{"a":}'])
def test_goes_on_behind_what_is_no_message(line: bytes) -> None:
    buffer = FrameBuffer()
    buffer.feed(line + b'\n{"n":1}')
    with pytest.raises(MalformedMessageError):
        buffer.next_message()
    assert buffer.next_message() == {"n": 1}
    assert buffer.next_message() is None


def test_limit_buffer() -> None:
    assert MAX_BUFFER >= MAX_FRAME >= 16 * 1024 * 1024
    buffer = FrameBuffer()
    buffer.feed(b"x" * MAX_BUFFER)
    assert buffer.next_message() is None
    with pytest.raises(OversizedMessageError):
        buffer.feed(b"x")
