"""JSON as the lobby writes and reads it, which is not quite JSON.

The FAF reference, section 3: ASCII only, integers of any size, the words NaN and Infinity.
orjson does the work wherever its result cannot differ; cheap looks at the text tell. The
standard library, three times slower, does the rest.
"""

import json
import re
from typing import Final

import orjson

from ..errors import ProtocolError
from ..json_lines import JsonValue

#: Lists and objects inside each other; 1 is a list of plain values. orjson has the same
#: bound of its own.
MAX_DEPTH: Final = 1024
#: Commas and opening brackets in one text, those in strings included: each may begin a
#: value, which takes time and memory.
MAX_VALUES: Final = 262_144
#: Bytes of a text with that many; a longer one has no more than MAX_SPARSE of them.
MAX_DENSE: Final = 4 * 1024 * 1024
MAX_SPARSE: Final = 16_384
#: Colons in one text, those in strings included: each may be behind a name of its own, which
#: takes the most time.
MAX_MEMBERS: Final = 131_072
#: Digits of one number in a row.
MAX_DIGITS: Final = 128
#: Bytes of a text as UTF-8: what lobbies take themselves, and ten times what they send.
MAX_TEXT: Final = 10 * 1024 * 1024
#: Characters of a text that is not in ASCII, as those of lobbies are, and not in UTF-8.
MAX_FOREIGN: Final = 2 * 1024 * 1024
#: Bytes of one in which strings with as many digits are told from long numbers.
MAX_SORTED: Final = 3 * 1024 * 1024
#: Quotation marks in such a one: no more than its values and their names can have.
MAX_QUOTES: Final = 2 * (MAX_VALUES + MAX_MEMBERS + 1)
#: Bytes of a text that the standard library has to decode.
MAX_UNUSUAL: Final = 1024 * 1024

# All digits look alike after this, and so do signs. orjson makes a float of an integer that
# 64 bits do not hold; such a one has 20 of them or more.
_ALIKE: Final = bytes.maketrans(b"123456789-", b"0000000000")
_LONG: Final = b"0" * 20
# Every second byte of it, and every eighth.
_MAYBE_LONG: Final = b"0" * 10
_HARDLY_LONG: Final = b"0" * 2
_TOO_LONG: Final = b"0" * (MAX_DIGITS + 1)
# orjson writes small numbers in a way of its own; these are in all of them, and seldom in
# anything else. Some of its releases do so with large ones, too.
_NEGATIVE_EXPONENT: Final = b"e-"
_SMALL: Final = b"0.0000"
_WRITES_LARGE: Final = orjson.dumps(1e16) == b"1e+16"
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
    return encode_ascii(value).decode("ascii")


def encode_ascii(value: JsonValue) -> bytes:
    """Return the same as bytes, which is faster. Raises ProtocolError like encode_text."""
    try:
        data = orjson.dumps(value, option=_OPTIONS)
    except TypeError:
        # Also integers of more than 64 bits, lone surrogates and keys that are no text.
        data = None
    if data is None:
        return _encode_slowly(value)
    nulls = data.count(b"null")
    if nulls and _may_be_nan(value, nulls):
        return _encode_slowly(value)
    # One after another: a look for any of them would take longer.
    if (
        data.find(_NEGATIVE_EXPONENT) >= 0
        or data.find(_SMALL) >= 0
        or not _WRITES_LARGE
    ) and _has_odd_number(data):
        return _encode_slowly(value)
    if data.isascii() and data.find(b"\x7f") < 0:
        return data
    return _FOREIGN.sub(_escape, data.decode()).encode("ascii")


def decode_text(data: str | bytes) -> JsonValue:
    """Return the value of a JSON text; bytes are UTF-8, with or without a BOM.

    NaN and infinities are taken, integers of any size are exact, the last of several members
    of one name counts. Raises MalformedMessageError for what is no such text, or goes past
    one of the bounds above.
    """
    # A look at bytes takes less than one at text.
    raw = data if isinstance(data, bytes) else _to_bytes(data)
    # Two numbers in a row look like a long one to the quick look: of many players, some do.
    if len(raw) > MAX_MEMBERS:
        _check_values(raw)
        is_usual = not _has_long_number(raw)
    else:
        is_usual = raw[::2].translate(_ALIKE).find(_MAYBE_LONG) < 0
        is_usual = is_usual or not _has_long_number(raw)
    if is_usual:
        try:
            value: JsonValue = orjson.loads(raw)
        except orjson.JSONDecodeError:
            pass  # its error carries the text, which may be secret
        else:
            return value
    return _decode_slowly(data, raw)


def _to_bytes(text: str) -> bytes:
    if len(text) > MAX_FOREIGN and not text.isascii():
        raise MalformedMessageError(f"More than {MAX_FOREIGN} characters, some foreign")
    return text.encode("utf-8", "surrogatepass")


def _check_values(raw: bytes) -> None:
    if len(raw) > MAX_TEXT:
        raise MalformedMessageError(f"Text of more than {MAX_TEXT} bytes")
    if raw.count(b":") > MAX_MEMBERS:
        raise MalformedMessageError(f"More than {MAX_MEMBERS} colons")
    most = MAX_VALUES if len(raw) <= MAX_DENSE else MAX_SPARSE
    if len(raw) > most and _count_values(raw) > most:
        raise MalformedMessageError(f"More than {most} commas and brackets")


def _count_values(raw: bytes) -> int:
    return raw.count(b",") + raw.count(b"[") + raw.count(b"{")


def _has_long_number(raw: bytes) -> bool:
    """Tell whether there is a number of which orjson would make another."""
    if len(raw) > MAX_DENSE and raw[::8].translate(_ALIKE).find(_HARDLY_LONG) < 0:
        return False
    if raw.translate(_ALIKE).find(_LONG) < 0:
        return False
    if len(raw) > MAX_SORTED:
        raise MalformedMessageError(f"Long number in more than {MAX_SORTED} bytes")
    # A player may have called a game that way.
    if b"\\" in raw:
        raw = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    if raw.count(b'"') > MAX_QUOTES:
        raise MalformedMessageError(f"More than {MAX_QUOTES} quotation marks")
    digits = b'"'.join(raw.split(b'"')[::2]).translate(_ALIKE)
    if digits.find(_TOO_LONG) >= 0:
        raise MalformedMessageError(
            f"Number with more than {MAX_DIGITS} digits in a row"
        )
    return digits.find(_LONG) >= 0


def _encode_slowly(value: JsonValue) -> bytes:
    try:
        return _encoder.encode(value).encode("ascii")
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


def _has_odd_number(data: bytes) -> bool:
    """Tell whether orjson may have written a number unlike the lobby."""
    fronts = data.translate(_FRONTS, _NUMERALS)
    return _EXPONENT in fronts or fronts[:1] == b"e" or _SMALL in data


def _may_be_nan(value: JsonValue, nulls: int) -> bool:
    """Tell whether one of so many `null` may stand for a number that is not finite."""
    level: list[list[JsonValue]] = [
        list(value.values()) if type(value) is dict else [value]
    ]
    while level:
        # Most of them are members of what is far outside, which is quickly seen.
        nulls -= sum([values.count(None) for values in level])
        if nulls == 0:
            return False
        level = [
            list(child.values() if isinstance(child, dict) else child)
            for values in level
            for child in values
            if isinstance(child, (dict, list, tuple))
        ]
    return True


def _decode_slowly(data: str | bytes, raw: bytes) -> JsonValue:
    if len(raw) > MAX_UNUSUAL:
        raise MalformedMessageError("Invalid JSON, or too long for the unusual")
    try:
        if isinstance(data, bytes):
            data = data.strip(_BLANKS).decode("utf-8-sig", "surrogatepass")
        value: JsonValue = json.loads(data)
    except (ValueError, RecursionError) as err:
        problem = type(err).__name__
    else:
        if _is_deeper(value, MAX_DEPTH):
            raise MalformedMessageError(f"Nested more than {MAX_DEPTH} levels deep")
        return value
    # Outside of the handler: the error carries the text, which may be secret.
    raise MalformedMessageError(f"Invalid JSON: {problem}")


def _is_deeper(value: JsonValue, depth: int) -> bool:
    """Tell whether lists and objects go deeper, one level at a time."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(depth):
        if not level:
            return False
        # Half the time of isinstance(), with hundreds of thousands of values to look at.
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
    return bool(level)
