"""Tolerant, typed readers of the members of a JSON object.

Every peer writes some fields in a type of its own: booleans as text or numbers, integers as
text or floats. The readers return `None` for a field that is absent, null or of
no usable type, so whoever reads decides whether it can do without.
"""

import math
import re
from typing import Final

from .json_lines import JsonObject

MAX_TEXT: Final = 1024
"""Characters kept of a text that is shown."""
MAX_ID: Final = 256
"""Characters of an identifier; a longer one is dropped, since half an identifier names nothing."""
MAX_ITEMS: Final = 1000
"""Entries kept of a list unless the caller names a smaller number."""
MAX_INTEGER: Final = 2**63 - 1
"""Largest magnitude of a number taken as an integer."""

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}(?:\.0{1,9})?", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,19}(?:\.[0-9]{1,19})?", re.ASCII)
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


def get_str(body: JsonObject, key: str, *, limit: int = MAX_TEXT) -> str | None:
    """Return text for display, cut to `limit` characters."""
    value = body.get(key)
    return value[:limit] if isinstance(value, str) else None


def get_bool(body: JsonObject, key: str) -> bool | None:
    """Return a truth value, sent as such, as the text "true" or "false", or as 1 or 0."""
    value = body.get(key)
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _BOOLEANS.get(value.strip().lower()) if len(value) <= MAX_ID else None
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    return None


def get_int(body: JsonObject, key: str) -> int | None:
    """Return a whole number, sent as a number or as decimal text; a float loses its fraction."""
    value = body.get(key)
    if type(value) is int:  # nearly all: long packets have many thousands
        return value if -MAX_INTEGER <= value <= MAX_INTEGER else None
    if isinstance(value, str):
        value = value.strip() if len(value) <= MAX_ID else ""
        if _INTEGER.fullmatch(value) is None:
            return None
        value = int(value.partition(".")[0])
    number = _finite(value)
    if number is None or abs(number) > MAX_INTEGER:
        return None
    return int(number)


def get_number(body: JsonObject, key: str) -> float | None:
    """Return a finite number, sent as a number or as decimal text."""
    value = body.get(key)
    if isinstance(value, str):
        value = value.strip() if len(value) <= MAX_ID else ""
        if _DECIMAL.fullmatch(value) is None:
            return None
        value = float(value)
    number = _finite(value)
    if number is None or abs(number) > MAX_INTEGER:
        return None
    return float(number)


def get_strings(
    body: JsonObject, key: str, *, max_items: int = MAX_ITEMS, limit: int = MAX_ID
) -> tuple[str, ...] | None:
    """Return the different non-empty texts of an array in their order.

    Texts longer than `limit` and entries of other types are left out, and so is everything
    after `max_items` texts.
    """
    value = body.get(key)
    if not isinstance(value, list):
        return None
    texts: dict[str, None] = {}
    for item in value:
        if len(texts) == max_items:
            break
        if isinstance(item, str) and 0 < len(item) <= limit:
            texts[item] = None
    return tuple(texts)


def get_object(body: JsonObject, key: str) -> JsonObject | None:
    """Return an object inside the body."""
    value = body.get(key)
    return value if isinstance(value, dict) else None


def get_objects(
    body: JsonObject, key: str, *, max_items: int = MAX_ITEMS
) -> tuple[JsonObject, ...] | None:
    """Return the objects among the entries of an array, at most `max_items` of them."""
    value = body.get(key)
    if not isinstance(value, list):
        return None
    # A list takes half the time of a generator, which tells in packets with many lists.
    objects = [item for item in value if isinstance(item, dict)]
    return tuple(objects[:max_items])


def _finite(value: object) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None
