"""The fake's own wire formats, by the vectors of the FAF reference, section 14."""

import math

import pytest

from tests.fakes.faf_framing import (
    MalformedError,
    decode_block,
    decode_line,
    encode_block,
    encode_line,
    pack_block,
)
from tests.fakes.faf_json import JsonValue, dumps, number_of, text_of, whole

A1 = "0000000e007b002200610022003a0031007d"
HELLO = "00000026007b00220063006f006d006d0061006e00640022003a002200680065006c006c006f0022007d"


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        ({"command": "ping"}, "0000000c0000000800500049004e0047"),
        ({"command": "pong"}, "0000000c000000080050004f004e0047"),
        ({"command": "ping", "x": 1}, "0000000c0000000800500049004e0047"),
        (
            {"command": "PING"},
            (
                "0000002800000024007b00220063006f006d006d0061006e00640022003a0022"
                "00500049004e00470022007d"
            ),
        ),
        ({}, "0000000800000004007b007d"),
        (
            {"a": [1, 2.5, None, True, {}]},
            (
                "0000003800000034007b002200610022003a005b0031002c0032002e0035002c006e00750"
                "06c006c002c0074007200750065002c007b007d005d007d"
            ),
        ),
        (
            {"command": "HostGame", "args": ["scmp_009"], "target": "game"},
            (
                "0000007800000074007b00220063006f006d006d0061006e00640022003a0022"
                "0048006f0073007400470061006d00650022002c0022006100720067007300220"
                "03a005b002200730063006d0070005f0030003000390022005d002c00220074006"
                "100720067006500740022003a002200670061006d00650022007d"
            ),
        ),
    ],
)
def test_blocks(message: JsonValue, frame: str) -> None:
    assert encode_block(message).hex() == frame


def test_lines() -> None:
    notice: JsonValue = {
        "command": "notice",
        "style": "info",
        "text": 'é€\U0001f600\n"q"',
    }
    assert encode_line(notice) == (
        rb'{"command":"notice","style":"info","text":"\u00e9\u20ac\ud83d\ude00\n\"q\""}'
        b"\n"
    )
    assert dumps([1e16, 1.0, 0.1 + 0.2, 2**70, math.nan, math.inf]) == (
        "[1e+16,1.0,0.30000000000000004,1180591620717411303424,NaN,Infinity]"
    )


def test_strings() -> None:
    assert pack_block("a", "b").hex() == "0000000c000000020061000000020062"
    assert pack_block().hex() == "00000000"
    assert pack_block("\U0001f600").hex() == "0000000800000004d83dde00"


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("0000000800500049004e0047", {"command": "ping"}),
        (
            HELLO + "0000000a004c006f00670069006e000000080031003200330078",
            {"command": "hello", "legacy": ["Login", "123x"]},
        ),
        (HELLO + "00000006003100320033", {"command": "hello", "legacy": ["123"]}),
        (
            (
                "0000002a007b00220063006f006d006d0061006e00640022003a002200610022002c0022"
                "00780022003a0031007d0000001a007b002200780022003a0032002c002200790022003a"
                "0033007d"
            ),
            {"command": "a", "x": 2, "y": 3},
        ),
        (A1 + "0000000a005b002200620022005d", {"a": 1, "legacy": ['["b"]']}),
        (A1 + "00000012005b005b002200620022002c0032005d005d", {"a": 1, "b": 2}),
        (A1 + "00000008006e0075006c006c", {"a": 1, "legacy": ["null"]}),
        (A1 + A1, {"a": 1}),
        (A1 + "000000", {"a": 1}),
        (A1 + "00000000", {"a": 1}),
        (A1 + "000000090061", {"a": 1}),
        (A1 + "ff" * 8, {"a": 1}),
        (A1 + "0000000000000002007a", {"a": 1, "legacy": ["", "z"]}),
        ("00000006005b0031005d", [1]),
    ],
)
def test_decoded_blocks(block: str, message: JsonValue) -> None:
    assert decode_block(bytes.fromhex(block)) == message


@pytest.mark.parametrize(
    "block",
    [
        *("", "00000000", "00000003006100", "00000002d800"),
        *("0000000800700069006e0067", "00000006005b0031005d00000006005b0032005d"),
    ],
)
def test_blocks_that_are_none(block: str) -> None:
    with pytest.raises(MalformedError):
        decode_block(bytes.fromhex(block))


def test_decoded_lines() -> None:
    assert decode_line(b' {"a":1} \r') == {"a": 1}
    assert decode_line(b"\xef\xbb\xbf{}") == {}
    assert decode_line(b'{"a":1,"a":2}') == {"a": 2}
    assert decode_line(b"[1]") == [1]
    for line in (b"", b'{"a"', b"\xff", b"[" * 1_000_000):
        with pytest.raises(MalformedError):
            decode_line(line)


def test_fields() -> None:
    assert number_of({"uid": "12"}, "uid") == whole(12.0) == 12
    assert text_of({}, "x", "y") == "y"
    values: tuple[JsonValue, ...] = (True, None, [])
    for value in values:
        with pytest.raises(TypeError):
            whole(value)
    with pytest.raises(TypeError):
        text_of({"x": 5}, "x")
