"""Our blocks and Qt's, without a connection."""

import json
import random
from typing import Final

from .world import World, require
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.faf import QDataStreamProtocol
from custom_components.rumpus.protocols.faf.text import decode_text, encode_text
from tests.e2e.shapes import JsonValue, as_list
from tests.interop.report import CheckError

_TIMES: Final = 40
_ALPHABET: Final = 'ab"\\\n\r\t\x00\x7f\x80äß€\u2028\uffff\U0001f600\U0010ffff{}[]:, '


def _texts(chance: random.Random) -> list[str]:
    return [
        "".join(chance.choices(_ALPHABET, k=chance.randint(1, 30)))
        for _ in range(chance.randint(1, 40))
    ]


async def ours_read_by_qt(world: World) -> str:
    """Our blocks are Qt's strings."""
    chance = random.Random(1)
    count = 0
    for _ in range(_TIMES):
        texts = [*_texts(chance), ""]
        data = QDataStreamProtocol.pack_message(*texts)
        read = as_list((await world.qt.do("unpack", data=data.hex()))["texts"])
        require(read == texts, f"{texts!r} read as {read!r}")
        count += len(texts)
    return f"{count} strings"


async def qt_read_by_ours(world: World) -> str:
    """Qt's strings are in blocks as we read them, and byte for byte ours."""
    chance = random.Random(2)
    count = 0
    for _ in range(_TIMES):
        texts = _texts(chance)
        wish: list[JsonValue] = [*texts]
        data = bytes.fromhex(str((await world.qt.do("pack", texts=wish))["data"]))
        read = list(QDataStreamProtocol.read_block(data[4:]))
        require(read == texts, f"{texts!r} read as {read!r}")
        require(data == QDataStreamProtocol.pack_message(*texts), "other bytes")
        count += len(texts)
    return f"{count} strings"


async def null_string(world: World) -> str:
    """Qt's null string is none that a lobby knows."""
    data = bytes.fromhex(str((await world.qt.do("pack", texts=[None]))["data"]))
    require(data[4:] == b"\xff" * 4, "another null string")
    try:
        QDataStreamProtocol.decode_message(data[4:])
    except ProtocolError as err:
        return type(err).__name__
    raise CheckError("a null string was read")


async def json_both_ways(world: World) -> str:
    """What we write is JSON to Qt, and Qt's is to us."""
    chance = random.Random(3)
    for _ in range(_TIMES):
        value: JsonValue = {
            text: [chance.random(), chance.randint(-(2**53), 2**53), None, True, {}]
            for text in _texts(chance)
            if "\uffff" not in text
        }
        told = await world.qt.do("json", text=encode_text(value))
        require(decode_text(str(told["text"])) == value, "read as something else")
        require(json.loads(str(told["text"])) == value, "Qt writes something else")
    return f"{_TIMES} objects"
