"""JSON as the lobby writes and reads it, which is not quite JSON.

The FAF reference, section 3: ASCII only, integers of any size, the words NaN and Infinity.
orjson does the work wherever its result cannot differ; cheap looks at the text tell. The
standard library, three times slower, does the rest.
"""

import json
import math
import re
from typing import Any, Final

import orjson

from ..errors import ProtocolError
from ..json_lines import JsonValue

#: Lists and objects inside each other; 1 is a list of plain values.
MAX_DEPTH: Final = 64
#: Opening brackets in one text, those in strings included: each that opens a list or an
#: object takes time and memory. 3,000 players with six leaderboards have 51,000.
MAX_BRACKETS: Final = 65_536
#: Commas in one text, those in strings included: each may part two values. 2,000 full
#: games have 140,000.
MAX_COMMAS: Final = 262_144
#: Digits in a row, those in strings included: long numbers take long.
MAX_DIGITS: Final = 128

# All digits look alike after this.
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
# One more is more than 64 bits may hold, and orjson makes a float of it.
_EXACT_DIGITS: Final = b"0" * 19
_TOO_MANY_DIGITS: Final = b"0" * (MAX_DIGITS + 1)
# Without what numbers are made of, an exponent is next to what is in front of its number.
_FRONTS: Final = bytes.maketrans(b"[,", b"::")
_NUMERALS: Final = b"0123456789.-"
_EXPONENT: Final = b":e"
# What the lobby does not write as it is, and orjson does.
_FOREIGN: Final = re.compile(r"[^\x00-\x7e]")
_BLANKS: Final = b" \t\n\r\v\f"
_OPTIONS: Final = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME

_encoder: Final = json.JSONEncoder(separators=(",", ":"))


class MalformedMessageError(ProtocolError, ValueError):
    """A message that its format forbids."""


def encode_text(value: JsonValue) -> str:
    """Return a value as JSON in ASCII, without any LF.

    Keys stay in their order; those that are no text become text. Numbers that are not
    finite become NaN, Infinity and -Infinity. Raises ProtocolError for cycles and for types
    that JSON does not know.
    """
    try:
        data = orjson.dumps(value, option=_OPTIONS)
    except TypeError:
        # Also integers of more than 64 bits, lone surrogates and keys that are no text.
        return _encode_slowly(value)
    if b"null" in data and _may_be_nan(value, data):
        return _encode_slowly(value)
    # Releases of orjson write exponents in ways of their own.
    if _EXPONENT in data.translate(_FRONTS, _NUMERALS):
        return _encode_slowly(value)
    if data.isascii() and b"\x7f" not in data:
        return data.decode("ascii")
    return _FOREIGN.sub(_escape, data.decode())


def decode_text(data: str | bytes) -> JsonValue:
    """Return the value of a JSON text; bytes are UTF-8, with or without a BOM.

    NaN and infinities are taken, integers of any size are exact, the last of several members
    of one name counts. Raises MalformedMessageError for what is no such text, or has more
    than MAX_DEPTH levels, MAX_BRACKETS, MAX_COMMAS or MAX_DIGITS.
    """
    # A look at bytes takes less than one at text.
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    brackets = raw.count(b"[") + raw.count(b"{")
    if brackets > MAX_BRACKETS:
        raise MalformedMessageError(f"More than {MAX_BRACKETS} lists and objects")
    # There cannot be more commas than bytes.
    if len(raw) > MAX_COMMAS and raw.count(b",") > MAX_COMMAS:
        raise MalformedMessageError(f"More than {MAX_COMMAS} commas")
    digits = raw.translate(_DIGITS)
    has_long_numbers = _EXACT_DIGITS in digits
    if has_long_numbers and _TOO_MANY_DIGITS in digits:
        raise MalformedMessageError(f"More than {MAX_DIGITS} digits in a row")
    value = _decode_slowly(data) if has_long_numbers else _decode(raw, data)
    if brackets > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise MalformedMessageError(f"Nested more than {MAX_DEPTH} levels deep")
    return value


def _encode_slowly(value: JsonValue) -> str:
    try:
        return _encoder.encode(value)
    except (TypeError, ValueError, RecursionError) as err:
        problem = type(err).__name__
    # Outside of the handler: the error may carry what is secret.
    raise ProtocolError(f"Cannot be sent as JSON: {problem}")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 | code >> 10:04x}\\u{0xDC00 | code & 0x3FF:04x}"


def _may_be_nan(value: JsonValue, data: bytes) -> bool:
    """Tell whether some `null` of a text may stand for a number that is not finite."""
    # Most of them are members of the message itself, which is quickly seen.
    if isinstance(value, dict):
        plain = list(value.values()).count(None)
        if plain == data.count(b"null"):
            return False
    level = [value]
    while level:
        below: list[JsonValue] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, (list, tuple)):
                below += item
            elif isinstance(item, float) and not math.isfinite(item):
                return True
        level = below
    return False


def _decode(raw: bytes, data: str | bytes) -> JsonValue:
    try:
        value: JsonValue = orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    else:
        return value
    # Outside of the handler: its error carries the text, which may be secret.
    return _decode_slowly(data)


def _decode_slowly(data: str | bytes) -> JsonValue:
    try:
        text = (
            data
            if isinstance(data, str)
            else data.strip(_BLANKS).decode("utf-8-sig", "surrogatepass")
        )
        value: Any = json.loads(text)
    except (ValueError, RecursionError) as err:
        place = getattr(err, "pos", None)
    else:
        result: JsonValue = value
        return result
    raise MalformedMessageError(
        "Invalid JSON" if place is None else f"Invalid JSON at character {place}"
    )


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
