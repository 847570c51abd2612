"""What is needed of a vCard: names, numbers, addresses (RFC 6350, 2426 and version 2.1).

Cards come from every kind of program, so nothing in one is an error: what cannot be read is
passed over. `contacts` brings the cards.
"""

import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
import re
from typing import Final

from ...json_fields import MAX_TEXT

MAX_CARD: Final = 512 * 1024
"""Characters of a card; a longer one is not read."""
MAX_LINES: Final = 8192
"""Lines read of a card, folded ones counted as often as they are folded."""
MAX_PROPERTIES: Final = 1024
"""Properties read of a card."""
MAX_VALUE: Final = 4096
"""Characters read of a property's name with its parameters, and of its value."""
MAX_NUMBERS: Final = 50
"""Phone numbers kept of a card."""
MAX_EMAILS: Final = 50
"""Mail addresses kept of a card."""
MAX_ADDRESS: Final = 256
"""Characters of a number or mail address; a longer one is left out."""
MIN_MATCH: Final = 7
"""Digits that two spellings of a number have to share at least, unless they are the same."""

_QUOTED_PRINTABLE: Final = "QUOTED-PRINTABLE"
_BASE64: Final = frozenset({"B", "BASE64"})
# Others are not looked up: Python knows "character sets" that are none.
_CHARSETS: Final = {
    "US-ASCII": "utf-8",
    "ISO-8859-1": "iso-8859-1",
    "ISO-8859-15": "iso-8859-15",
    "WINDOWS-1252": "cp1252",
}
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
# A quoted parameter may hold the signs that separate.
_PROPERTY: Final = re.compile(r'(?P<head>[^";:](?:"[^"]*"|[^":])*):')
_HEAD_PART: Final = re.compile(r'(?:"[^"]*"|[^";])+')
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_COMPONENT: Final = re.compile(r"((?:\\.|[^\\;])*)(?:;|\\?\Z)", re.DOTALL)
# Family, given, additional names, prefixes and suffixes, in the order in which they are said.
_SPOKEN: Final = (3, 1, 2, 0, 4)

_NUMBER: Final = re.compile(r"\+?[0-9]+", re.ASCII)
_DECORATION: Final = str.maketrans("", "", " \t\xa0-.()/\u2010\u2011\u2013")
_TRUNK: Final = "(0)"


@dataclass(frozen=True, slots=True)
class Contact:
    """A person or company: name (None when there is none), phone numbers, mail addresses."""

    name: str | None = field(default=None, repr=False)
    numbers: tuple[str, ...] = field(default=(), repr=False)
    emails: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class _Property:
    name: str
    parameters: tuple[str, ...]
    value: str = field(repr=False)


def parse_vcard(card: str) -> Contact:
    """Return what the first card of a text tells; an empty contact when that is nothing."""
    names: dict[str, str] = {}
    numbers: list[str] = []
    emails: list[str] = []
    for prop in islice(_properties(card), MAX_PROPERTIES):
        match prop.name:
            case "END":
                break
            case "TEL":
                numbers.append(_number(_text(prop)))
            case "EMAIL":
                emails.append(_unescaped(_text(prop)).strip().removeprefix("mailto:"))
            case name if name in names:
                pass  # the first one counts
            case "FN" | "NICKNAME":
                names[prop.name] = _unescaped(_text(prop))
            case "N":
                names[prop.name] = _spoken_name(_text(prop))
            case "ORG":
                names[prop.name] = _joined(_components(_text(prop)))
    return Contact(
        _best_name(names, emails),
        _distinct(numbers, MAX_NUMBERS),
        _distinct(emails, MAX_EMAILS),
    )


def same_number(first: str, second: str) -> bool:
    """Tell whether two spellings are likely the same phone number.

    Signs between the digits mean nothing. A number with a country code is the same as one
    without if it ends with it; the leading zeros of that one do not count. At least MIN_MATCH
    digits have to be the same. What is no number (names of senders, codes with * or #) is only
    the same as itself.
    """
    one, two = _digits(first), _digits(second)
    if one is None or two is None:
        return first.strip().casefold() == second.strip().casefold() != ""
    if one == two:
        return True
    if one.startswith("+") and two.startswith("+"):
        return False
    shorter, longer = sorted((_national(one), _national(two)), key=len)
    return len(shorter) >= MIN_MATCH and longer.endswith(shorter)


def number_key(number: str) -> str:
    """Return what all spellings that are the same number have in common, for look-ups.

    Others may have it in common, too: `same_number` decides.
    """
    digits = _digits(number)
    if digits is None:
        return number.strip().casefold()
    return _national(digits)[-MIN_MATCH:]


def _properties(card: str) -> Iterator[_Property]:
    if len(card) > MAX_CARD:
        return
    lines = _LINE_END.split(card, MAX_LINES)[:MAX_LINES]
    index = 0
    while index < len(lines):
        parts = [lines[index]]
        index += 1
        while index < len(lines) and lines[index][:1] in (" ", "\t"):
            parts.append(lines[index][1:])
            index += 1
        if _is_quoted_printable(parts[0]):
            # Version 2.1 continues such a value after a line that ends with "=".
            while parts[-1].endswith("=") and index < len(lines):
                parts[-1] = parts[-1][:-1]
                parts.append(lines[index])
                index += 1
        prop = _property("".join(parts))
        if prop is not None:
            yield prop


def _is_quoted_printable(line: str) -> bool:
    return _QUOTED_PRINTABLE in line.partition(":")[0].upper()


def _property(line: str) -> _Property | None:
    match = _PROPERTY.match(line, 0, MAX_VALUE)
    if match is None:
        return None
    name, *parameters = _HEAD_PART.findall(match["head"].upper())
    return _Property(
        name.rpartition(".")[2].strip(),
        tuple(parameters),
        line[match.end() :][:MAX_VALUE],
    )


def _parameter(prop: _Property, name: str) -> str | None:
    """Return a parameter's value in upper case."""
    for parameter in prop.parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == name:
            return value.strip().strip('"')
    return None


def _text(prop: _Property) -> str:
    """Return the value with its encoding undone, but not its escapes; "" for binary ones."""
    # Version 2.1 names an encoding also without saying that it is one.
    encoding = _parameter(prop, "ENCODING")
    if encoding == _QUOTED_PRINTABLE or _QUOTED_PRINTABLE in prop.parameters:
        data = binascii.a2b_qp(prop.value.encode("utf-8", "replace"))
        charset = _CHARSETS.get(_parameter(prop, "CHARSET") or "", "utf-8")
        return data.decode(charset, "replace")
    if encoding in _BASE64 or not _BASE64.isdisjoint(prop.parameters):
        return ""
    return prop.value


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], text)


def _components(text: str) -> list[str]:
    """Return the parts of a structured value."""
    return [_unescaped(part).strip() for part in _COMPONENT.findall(text)]


def _spoken_name(text: str) -> str:
    components = _components(text)
    return _joined(components[index] for index in _SPOKEN if index < len(components))


def _joined(parts: Iterable[str]) -> str:
    return " ".join(filter(None, parts))


def _best_name(names: dict[str, str], emails: list[str]) -> str | None:
    candidates = [names.get(key, "") for key in ("FN", "N", "NICKNAME", "ORG")]
    for name in (*candidates, *emails):
        # One line: it is shown.
        if shown := " ".join(name.split())[:MAX_TEXT]:
            return shown
    return None


def _number(text: str) -> str:
    number = _unescaped(text).strip()
    if number[:4].lower() == "tel:":
        # An address of RFC 3966, whose parameters are no part of the number.
        number = number[4:].partition(";")[0]
    return number


def _distinct(texts: Iterable[str], most: int) -> tuple[str, ...]:
    kept = dict.fromkeys(text for text in texts if 0 < len(text) <= MAX_ADDRESS)
    return tuple(kept)[:most]


def _digits(number: str) -> str | None:
    """Return the digits, after a "+" if there is a country code; None for what is no number."""
    # Behind these a phone dials after a pause.
    dialled = re.split("[,;]", number[:MAX_ADDRESS], maxsplit=1)[0]
    digits = dialled.replace(_TRUNK, "").translate(_DECORATION)
    if _NUMBER.fullmatch(digits) is None:
        return None
    return f"+{digits[2:]}" if digits.startswith("00") and digits[2:] else digits


def _national(digits: str) -> str:
    return digits.removeprefix("+").lstrip("0")
