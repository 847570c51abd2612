"""JSON as the lobby speaks it, and reading of fields (the FAF reference, section 3)."""

import json

type JsonValue = (
    int | float | bool | str | list[JsonValue] | dict[str, JsonValue] | None
)
type JsonObject = dict[str, JsonValue]


def dumps(message: JsonValue) -> str:
    """Return a message as text: ASCII only, without blanks."""
    return json.dumps(message, separators=(",", ":"))


def loads(text: str | bytes) -> JsonValue:
    """Return what a text says. Raises ValueError."""
    try:
        value: JsonValue = json.loads(text)
    except RecursionError as error:
        raise ValueError("too deep") from error
    return value


def text_of(message: JsonObject, name: str, default: str | None = None) -> str:
    """Return a field that is a text. Raises LookupError or TypeError."""
    value = message[name] if default is None else message.get(name, default)
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def number_of(message: JsonObject, name: str) -> int:
    """Return a whole number, also out of a text. Raises LookupError, ValueError."""
    return whole(message[name])


def whole(value: JsonValue) -> int:
    """Return a whole number, also out of a text. Raises TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError("no number")
    return int(value)


def items_of(message: JsonObject, name: str) -> list[JsonValue]:
    """Return a field that is a list. Raises LookupError or TypeError."""
    value = message[name]
    if not isinstance(value, list):
        raise TypeError(f"{name} is no list")
    return value
