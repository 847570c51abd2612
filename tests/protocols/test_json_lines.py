"""JSON lines: any object, in any pieces, between any garbage, and no more than the bounds."""

import asyncio
import functools
import math
import time
import tracemalloc

from hypothesis import given, settings, strategies as st
import pytest

from .connections import connection, in_memory
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.json_lines import (
    MAX_BRACKETS,
    MAX_COMMAS,
    MAX_DEPTH,
    MAX_LINE,
    JsonLinesStream,
    JsonObject,
    JsonValue,
    decode_json,
    encode_json,
)
from custom_components.rumpus.protocols.stream import READ_CHUNK

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars: st.SearchStrategy[JsonValue] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values: st.SearchStrategy[JsonValue] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5)
    ),
    max_leaves=20,
)
objects: st.SearchStrategy[JsonObject] = st.dictionaries(texts, values, max_size=5)

# Lines that hold no object: other JSON, or none.
garbage = (
    st.binary(max_size=30).map(
        lambda data: data.replace(b"\n", b" ").replace(b"{", b"[")
    )
    | values.filter(lambda value: not isinstance(value, dict)).map(encode_json)
    | objects.map(lambda message: encode_json(message)[:-1])
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut bytes into pieces."""
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


async def read_all(
    pieces: list[bytes], max_line: int = MAX_LINE
) -> list[JsonObject | str]:
    """Return the objects that come out of the pieces, and the names of the errors."""
    reader, writer, _ = in_memory()
    stream = JsonLinesStream(reader, writer, max_line=max_line)

    async def feed() -> None:
        for piece in pieces:
            reader.feed_data(piece)
            await asyncio.sleep(0)
        reader.feed_eof()

    feeding = asyncio.create_task(feed())
    results: list[JsonObject | str] = []
    while True:
        try:
            results.append(await stream.read_message())
        except DisconnectedError:
            await feeding
            return results
        except ProtocolError as err:
            results.append(type(err).__name__)


# Values.


@given(values)
def test_any_value_survives(value: JsonValue) -> None:
    data = encode_json(value)
    assert b"\n" not in data
    assert decode_json(data) == value
    assert decode_json(data.decode()) == value


@given(objects)
def test_any_object_survives_as_a_message(message: JsonObject) -> None:
    data = JsonLinesStream.encode_message(message)
    assert data.endswith(b"\n")
    assert JsonLinesStream.decode_message(data) == message


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_anything_else_is_an_error_of_ours(data: bytes | str) -> None:
    try:
        decode_json(data)
    except ProtocolError as err:
        assert type(err) is ProtocolError  # noqa: PT017 - most examples do raise


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "nul", "nullx", "{", '{"a":1,}', "[1,]", "{'a':1}", "\ufeff{}"),
        *("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" * 400),
        *(
            '"\ud800"',
            r'"\ud800"',
            r'"\udc00\ud800"',
            '"\x01"',
            "{1:2}",
            "01",
            "+1",
            "0x1",
        ),
        *("[" * 2000, '{"":' * 2000, "[" * 2000 + "]" * 2000),
    ],
)
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(ProtocolError):
        decode_json(text)


def test_bytes_that_are_no_utf8() -> None:
    with pytest.raises(ProtocolError):
        decode_json(b'"\xff"')


def test_an_error_tells_where_but_not_what() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_json('{"password": "hunter2", oops}')
    assert str(caught.value) == "Invalid JSON at character 24"
    # The decoder's own error would carry the whole text along.
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_numbers_beyond_64_bits_become_floats() -> None:
    value = decode_json("18446744073709551616")
    assert value == 2.0**64
    assert isinstance(value, float)


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, "\ud800", {"\udfff": 1}])
def test_what_json_cannot_carry(value: JsonValue) -> None:
    with pytest.raises(ProtocolError) as caught:
        encode_json([value])
    assert caught.value.__context__ is None


def test_a_value_in_itself_cannot_be_sent() -> None:
    value: list[JsonValue] = []
    value.append(value)
    with pytest.raises(ProtocolError):
        encode_json(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_become_null(value: float) -> None:
    assert encode_json({"a": value}) == b'{"a":null}'


@pytest.mark.parametrize("data", [b"[]", b"null", b"1", b'"{}"'])
def test_a_message_is_an_object(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="no object"):
        JsonLinesStream.decode_message(data)


# Bounds of values.


def nested(depth: int) -> str:
    """Return lists and objects in turn, inside each other."""
    pairs = ['{"a":' if level % 2 else "[" for level in range(depth)]
    return (
        "".join(pairs)
        + "0"
        + "".join("}" if level[0] == "{" else "]" for level in pairs[::-1])
    )


def test_max_depth() -> None:
    decode_json(nested(MAX_DEPTH))
    with pytest.raises(ProtocolError, match="deep"):
        decode_json(nested(MAX_DEPTH + 1))
    with pytest.raises(ProtocolError, match="deep"):
        decode_json(f"[[],[],{nested(MAX_DEPTH)}]".encode())


@pytest.mark.parametrize("depth", range(5))
def test_the_depth_may_be_chosen(depth: int) -> None:
    decode_json(nested(depth), max_depth=depth)
    with pytest.raises(ProtocolError):
        decode_json(nested(depth + 1), max_depth=depth)


def test_brackets_in_strings_make_no_depth() -> None:
    text = "[{" * MAX_DEPTH
    assert decode_json(encode_json([text])) == [text]
    assert decode_json(encode_json(text), max_depth=0) == text


def test_max_brackets() -> None:
    most = f"[{'[],' * (MAX_BRACKETS - 2)}{{}}]"
    assert len(str(decode_json(most))) > MAX_BRACKETS
    for text in (most.replace("{}", "{},[]"), most.replace("{}", "[{}]")):
        with pytest.raises(ProtocolError, match="lists and objects"):
            decode_json(text)


def test_max_commas() -> None:
    most = f"[{MAX_COMMAS * '0,'}0]"
    value = decode_json(most)
    assert isinstance(value, list)
    assert len(value) == MAX_COMMAS + 1
    for text in (most.replace("[0", "[0,0"), most.replace("[0", '["a,b"')):
        for data in (text, text.encode()):
            with pytest.raises(ProtocolError, match="commas"):
                decode_json(data)


@pytest.mark.parametrize("room", [MAX_LINE, 8 * MAX_LINE])
@pytest.mark.parametrize(
    ("start", "unit", "end"),
    [
        ("[", "[],", "0]"),
        ("[", f'"{"x" * 59}",', "0]"),
        ("[", f"[{'0,' * 14}0],", "0]"),
        ("[", '{"":0,"a":[]},', "0]"),
        ("[" * 63, f"[{'0,' * 14}0],", "0" + "]" * 63),
        ("[" * 64, "0,", "0" + "]" * 64),
        ('["' + "[" * 64 + '"', ',""', "]"),
        ("[", "1.234567890123456e-300,", "0]"),
        ('["', r"\u00e9", '"]'),
        ("[" * 1000, "[],", ""),
    ],
)
def test_no_line_takes_long(start: str, unit: str, end: str, room: int) -> None:
    room -= len(start) + len(end)
    brackets = unit.count("[") + unit.count("{")
    count = room // len(unit)
    if brackets:
        count = min(count, (MAX_BRACKETS - 100) // brackets)
    if commas := unit.count(","):
        count = min(count, (MAX_COMMAS - 100) // commas)
    data = (start + count * unit + end).encode()
    taken = []
    for _ in range(3):
        begin = time.thread_time()
        try:
            decode_json(data)
        except ProtocolError:
            assert not end  # only the last is invalid
        taken.append(time.thread_time() - begin)
    # 25 ms on a slow machine; without the bounds it is several times that.
    assert min(taken) < 0.05


# Streams.


@given(
    st.lists(objects | garbage, max_size=8),
    st.lists(st.integers(0, 10_000), max_size=30),
    st.sampled_from([b"\n", b"\r\n", b"\n\n\r\n \n"]),
)
@settings(deadline=None)
def test_all_objects_are_read_between_all_garbage(
    lines: list[JsonObject | bytes], places: list[int], ending: bytes
) -> None:
    data = b"".join(
        (line if isinstance(line, bytes) else encode_json(line)) + ending
        for line in lines
    )
    results = asyncio.run(read_all(cut(data, places)))
    messages = [line for line in lines if isinstance(line, dict)]
    assert [result for result in results if isinstance(result, dict)] == messages
    errors = [line for line in lines if isinstance(line, bytes) and line.strip()]
    assert results.count("ProtocolError") == len(errors)
    assert len(results) == len(messages) + len(errors)


@given(
    st.lists(st.integers(0, 40), max_size=10),
    st.lists(st.integers(0, 500), max_size=30),
)
@settings(deadline=None)
def test_lines_of_all_lengths_around_the_bound(
    lengths: list[int], places: list[int]
) -> None:
    def line(length: int) -> bytes:
        return b'{"":"' + length * b"x" + b'"}'

    data = b"".join(line(length) + b"\n" for length in lengths)
    results = asyncio.run(read_all(cut(data, places), max_line=len(line(20))))
    assert results == [
        {"": length * "x"} if length <= 20 else "MessageTooLargeError"
        for length in lengths
    ]


async def test_max_line() -> None:
    def line(length: int) -> bytes:
        return b'"' + (length - 2) * b"x" + b'"\n'

    fits = b'{"a":' + line(MAX_LINE - 6)[:-1] + b"}\n"
    assert len(fits) == MAX_LINE + 1
    too_long = fits.replace(b"a", b"aa")
    results = await read_all([fits, too_long, fits])
    assert [type(result) for result in results] == [dict, str, dict]
    assert results[1] == "MessageTooLargeError"


async def test_a_line_without_its_end_is_no_message() -> None:
    assert await read_all([b'{"a":1}\n{"b":2}']) == [{"a": 1}]
    assert await read_all([b""]) == []


async def test_a_canceled_read_goes_on_in_the_middle_of_a_line() -> None:
    reader, writer, _ = in_memory()
    stream = JsonLinesStream(reader, writer, max_line=8)

    async def cancel_a_read() -> None:
        reading = asyncio.create_task(stream.read_message())
        for _ in range(10):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait({reading})
        assert reading.cancelled()

    for piece in (b'{"a', b'":1}'):
        reader.feed_data(piece)
        await cancel_a_read()
    reader.feed_data(b'\n{"too long')
    assert await stream.read_message() == {"a": 1}
    with pytest.raises(MessageTooLargeError):
        await stream.read_message()
    for piece in (b"er still", b'":1}'):
        reader.feed_data(piece)
        await cancel_a_read()
    reader.feed_data(b"\n{}\n")
    assert await stream.read_message() == {}


@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
@pytest.mark.usefixtures("socket_enabled")
async def test_endless_line_is_skipped_without_being_kept(tls: bool) -> None:
    chunk = b"x" * 65_536

    async def flood(theirs: JsonLinesStream) -> None:
        theirs.write_message({"before": 1})
        for _ in range(32 * 1024 * 1024 // len(chunk)):
            await theirs.send_raw(chunk)
        await theirs.send_raw(b'\n{"after":1}\n')

    async with asyncio.timeout(60), connection(tls=tls) as (one, other):
        ours = JsonLinesStream(one.reader, one.writer)
        flooding = asyncio.create_task(
            flood(JsonLinesStream(other.reader, other.writer))
        )
        assert await ours.read_message() == {"before": 1}
        tracemalloc.start()
        try:
            with pytest.raises(MessageTooLargeError):
                await ours.read_message()
            assert await ours.read_message() == {"after": 1}
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 2 * MAX_LINE
        await flooding


async def test_a_flood_of_empty_lines_lets_others_run() -> None:
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    assert await read_all([b"\n" * 1_000_000 + b"{}\n"]) == [{}]
    counting.cancel()
    assert turns >= 1_000_000 // READ_CHUNK


async def test_a_flood_of_empty_lines_is_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strangers may send as many as they like: one step for a chunk, not for a line."""
    steps = 0
    read_line = JsonLinesStream._read_line

    async def counted(stream: JsonLinesStream) -> bytes:
        nonlocal steps
        steps += 1
        return await read_line(stream)

    monkeypatch.setattr(JsonLinesStream, "_read_line", counted)
    assert await read_all([b"\n \r\n" * 250_000 + b'{"a":1}\n\n{}\n']) == [{"a": 1}, {}]
    assert steps < 2 * 1_000_000 // READ_CHUNK


def test_the_stream_is_of_objects() -> None:
    encode = functools.partial(JsonLinesStream.encode_message, {"a": [1, None, "ü"]})
    assert encode() == '{"a":[1,null,"ü"]}\n'.encode()
