"""The golden vectors of the FAF reference, section 14, that are bytes on a wire."""

import ast
import asyncio
import json
import math
from pathlib import Path
from typing import Any, Final

import pytest

from ..connections import in_memory
from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.faf import (
    Protocol,
    QDataStreamProtocol,
    SimpleJsonProtocol,
)
from custom_components.rumpus.protocols.faf.gpgnet import GpgNetMessage, unwrap, wrap
from custom_components.rumpus.protocols.faf.gpgnet_binary import decode, encode
from custom_components.rumpus.protocols.faf.protocol import IncompleteMessageError
from custom_components.rumpus.protocols.faf.text import (
    MalformedMessageError,
    decode_text,
    encode_text,
)

VECTORS: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "vectors.json").read_text("utf-8")
)
NUMBERS: Final[dict[str, Any]] = {
    "1e16": 1e16,
    "1.0": 1.0,
    "0.1+0.2": 0.1 + 0.2,
    "2^70": 2**70,
    "NaN": math.nan,
    "inf": math.inf,
}


def message_of(text: str) -> Any:
    """Return the message of a vector; the keys of one are numbers, which JSON has not."""
    return ast.literal_eval(text) if "{2:" in text else json.loads(text)


@pytest.mark.parametrize("vector", VECTORS["encoded"], ids=lambda v: v["message"][:40])
def test_messages(vector: dict[str, str]) -> None:
    message = message_of(vector["message"])
    block = bytes.fromhex(vector["qds"])
    line = vector["line"].encode() + b"\n"
    assert QDataStreamProtocol.encode_message(message) == block
    assert SimpleJsonProtocol.encode_message(message) == line
    assert SimpleJsonProtocol.decode_message(line) == json.loads(line)
    # Of a ping, nothing but that it is one is sent.
    is_short = message.get("command") in {"ping", "pong"}
    sent = {"command": message["command"]} if is_short else json.loads(line)
    assert QDataStreamProtocol.decode_message(block[4:]) == sent


@pytest.mark.parametrize(("name", "text"), VECTORS["numbers"])
def test_numbers(name: str, text: str) -> None:
    assert encode_text(NUMBERS[name]) == text
    assert repr(decode_text(text)) == repr(NUMBERS[name])


@pytest.mark.parametrize(("text", "data"), VECTORS["qstrings"])
def test_strings(text: str, data: str) -> None:
    packed = bytes.fromhex(data)
    assert QDataStreamProtocol.pack_qstring(text) == packed
    assert QDataStreamProtocol.read_qstring(packed) == (len(packed), text)


@pytest.mark.parametrize(("texts", "data"), VECTORS["blocks"])
def test_blocks(texts: list[str], data: str) -> None:
    packed = bytes.fromhex(data)
    assert QDataStreamProtocol.pack_message(*texts) == packed
    assert list(QDataStreamProtocol.read_block(packed[4:])) == texts
    assert QDataStreamProtocol.pack_block(packed[4:]) == packed


@pytest.mark.parametrize(("data", "result"), VECTORS["decoded"])
def test_decoded_blocks(data: str, result: Any) -> None:
    assert QDataStreamProtocol.decode_message(bytes.fromhex(data)) == result


@pytest.mark.parametrize("data", VECTORS["malformed"])
def test_malformed_blocks(data: str) -> None:
    with pytest.raises(MalformedMessageError):
        QDataStreamProtocol.decode_message(bytes.fromhex(data))


@pytest.mark.parametrize(("data", "result"), VECTORS["lines"])
def test_lines(data: str, result: Any) -> None:
    assert SimpleJsonProtocol.decode_message(bytes.fromhex(data)) == result


@pytest.mark.parametrize(
    ("framing", "data", "result", "received", "expected"), VECTORS["ends"]
)
async def test_end_of_stream(
    framing: str, data: str, result: str, received: int | None, expected: int | None
) -> None:
    reader, writer, _ = in_memory()
    protocol: Protocol = (
        SimpleJsonProtocol(reader, writer)
        if framing == "json"
        else QDataStreamProtocol(reader, writer)
    )
    reader.feed_data(bytes.fromhex(data))
    reader.feed_eof()
    async with asyncio.timeout(5):
        if result == "message":
            assert await protocol.read_message() == {"a": 1}
        elif result == "malformed":
            with pytest.raises(MalformedMessageError):
                await protocol.read_message()
        elif result == "incomplete":
            with pytest.raises(IncompleteMessageError) as raised:
                await protocol.read_message()
            assert len(raised.value.partial) == received
            assert raised.value.expected == expected
            return
        with pytest.raises(DisconnectedError) as ended:
            await protocol.read_message()
        assert not isinstance(ended.value, IncompleteMessageError)


@pytest.mark.parametrize("vector", VECTORS["gpgnet"], ids=lambda v: v["line"][:30])
def test_messages_of_a_game(vector: dict[str, str | None]) -> None:
    line = vector["line"]
    assert line is not None
    message = json.loads(line)
    wrapped = wrap(message["command"], message["args"])
    assert encode_text(wrapped) == line
    if vector["qds"] is not None:
        block = bytes.fromhex(vector["qds"])
        assert QDataStreamProtocol.encode_message(wrapped) == block
    assert unwrap(message) == GpgNetMessage(message["command"], tuple(message["args"]))


@pytest.mark.parametrize(
    "vector", VECTORS["gpgnet_binary"], ids=lambda v: str(v["command"])
)
def test_binary_messages_of_a_game(vector: dict[str, Any]) -> None:
    message = GpgNetMessage(vector["command"], tuple(vector["args"]))
    data = bytes.fromhex(vector["hex"])
    assert encode(message) == data
    assert decode(data) == message


@pytest.mark.parametrize("line", VECTORS["captured"], ids=lambda line: line[12:30])
def test_captured_lines(line: str) -> None:
    message = decode_text(line)
    assert message == json.loads(line)
    assert encode_text(message) == line
    block = QDataStreamProtocol.encode_message(message)
    assert QDataStreamProtocol.decode_message(block[4:]) == message
