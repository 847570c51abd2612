"""JSON as devices speak it: one object per line, from peers that may be hostile."""

import asyncio
from typing import Final, override

import orjson

from .errors import ProtocolError
from .stream import MAX_WRITE_BUFFER, MessageStream

type JsonValue = (
    bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None
)
type JsonObject = dict[str, JsonValue]

#: Bytes of one line, without its LF.
MAX_LINE: Final = 1024 * 1024
#: Lists and objects inside each other; 1 is a list of plain values.
MAX_DEPTH: Final = 64
#: Opening brackets in one text, those in strings included. Each that opens a list or an
#: object takes time and memory, so that a line full of them would hold everything up.
MAX_BRACKETS: Final = 16_384
#: Commas in one text, those in strings included. Each may part two values, and a line full
#: of short values takes many times longer than one with a few long texts.
MAX_COMMAS: Final = 131_072


def encode_json(value: JsonValue) -> bytes:
    """Return a value as compact JSON in UTF-8, without any LF.

    Numbers that are not finite become null. Raises ProtocolError for what JSON cannot
    carry: lone surrogates, integers of more than 64 bits, cycles and other types.
    """
    try:
        return orjson.dumps(value)
    except TypeError as err:
        problem = f"Cannot be sent as JSON: {err}"
    raise ProtocolError(problem)


def decode_json(data: bytes | str, *, max_depth: int = MAX_DEPTH) -> JsonValue:
    """Return the value of a JSON text.

    Integers of more than 64 bits become floats. Raises ProtocolError for anything that
    is no JSON in UTF-8, numbers beyond a float, lone surrogates, more than max_depth
    levels of nesting, more than MAX_BRACKETS opening brackets or MAX_COMMAS commas.
    """
    brackets = _count_brackets(data)
    if brackets > MAX_BRACKETS:
        raise ProtocolError(f"JSON with more than {MAX_BRACKETS} lists and objects")
    if _count_commas(data) > MAX_COMMAS:
        raise ProtocolError(f"JSON with more than {MAX_COMMAS} commas")
    try:
        value: JsonValue = orjson.loads(data)
    except orjson.JSONDecodeError as err:
        problem = f"Invalid JSON at character {err.pos}"
    else:
        if brackets > max_depth and _is_deeper(value, max_depth):
            raise ProtocolError(f"JSON nested more than {max_depth} levels deep")
        return value
    # Outside of the handler: orjson's error carries the text, which may be secret.
    raise ProtocolError(problem)


def _count_brackets(data: bytes | str) -> int:
    if isinstance(data, str):
        return data.count("[") + data.count("{")
    return data.count(b"[") + data.count(b"{")


def _count_commas(data: bytes | str) -> int:
    return data.count(",") if isinstance(data, str) else data.count(b",")


def _is_deeper(value: JsonValue, depth: int) -> bool:
    """Tell whether lists and objects go deeper, one level at a time."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(depth):
        # Half the time of isinstance(), with hundreds of thousands of values to look at.
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
    return bool(level)


class JsonLinesStream(MessageStream[JsonObject]):
    """JSON objects, one per line that ends with LF.

    The KDE Connect reference, section 2. After a line that is too long or holds no JSON
    object the stream goes on with the next line.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        max_line: int = MAX_LINE,
        max_write_buffer: int = MAX_WRITE_BUFFER,
    ) -> None:
        """Take over a connection; both limits are in bytes."""
        super().__init__(
            reader, writer, max_message=max_line, max_write_buffer=max_write_buffer
        )

    @staticmethod
    @override
    def encode_message(message: JsonObject) -> bytes:
        """Return an object as one line. Raises ProtocolError like encode_json."""
        return encode_json(message) + b"\n"

    @staticmethod
    @override
    def decode_message(data: bytes) -> JsonObject:
        """Return the object of a line, with or without its LF.

        Raises ProtocolError when it holds something else.
        """
        value = decode_json(data)
        if not isinstance(value, dict):
            raise ProtocolError("JSON, but no object")
        return value

    @override
    async def read_message(self) -> JsonObject:
        """Wait for the next object; empty lines are skipped.

        Raises ProtocolError for a line that is no JSON object and MessageTooLargeError
        for one that is too long: the stream can be read on after both. Raises
        DisconnectedError at the end.
        """
        while not (line := (await self._read_line()).strip()):
            # Empty lines count as nothing, so a flood of them must not cost a step each.
            blank = len(self._buffer) - len(self._buffer.lstrip())
            del self._buffer[:blank]
        return self.decode_message(line)
