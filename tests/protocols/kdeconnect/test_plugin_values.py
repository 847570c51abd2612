"""Readers that several plugins share."""

import base64

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import json_values
from custom_components.rumpus.protocols.json_fields import MAX_ID
from custom_components.rumpus.protocols.json_lines import JsonValue
from custom_components.rumpus.protocols.kdeconnect.plugins.values import (
    decode_base64,
    get_base64,
    get_id,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0|app|1", "0|app|1"),
        (17, "17"),
        (-1, "-1"),
        ("", None),
        (None, None),
        (True, None),
        (1.5, None),
        (["a"], None),
    ],
)
def test_ids_are_text_or_numbers(value: JsonValue, expected: str | None) -> None:
    assert get_id({"id": value}, "id") == expected


def test_limit_of_an_id() -> None:
    fitting = "i" * MAX_ID

    assert get_id({"id": fitting}, "id") == fitting
    assert get_id({"id": fitting + "i"}, "id") is None
    assert get_id({"id": "123"}, "id", limit=2) is None


@settings(deadline=None)
@given(json_values)
def test_any_value_is_an_id_or_none(value: JsonValue) -> None:
    found = get_id({"id": value}, "id")

    assert found is None or 0 < len(found) <= MAX_ID


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=200), st.booleans(), st.booleans())
def test_base64_in_every_dress(data: bytes, broken: bool, padded: bool) -> None:
    text = (base64.encodebytes if broken else base64.b64encode)(data).decode()
    sent = text if padded else text.replace("=", "")

    assert get_base64({"p": sent}, "p", limit=len(data)) == sent
    assert decode_base64(sent, limit=len(data)) == data


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_decoded_or_not(text: str) -> None:
    data = decode_base64(text, limit=100)

    assert data is None or len(data) > 0


@pytest.mark.parametrize("text", ["", "=", " \n", "A", "AAAAA", "AA*A", "ÄÖÜß"])
def test_what_is_no_base64(text: str) -> None:
    assert decode_base64(text, limit=100) is None


def test_limit_of_base64() -> None:
    text = base64.b64encode(b"12345").decode()

    assert decode_base64(text, limit=5) == b"12345"
    # The first has the length of text that fits.
    assert decode_base64(text, limit=4) is None
    assert decode_base64(text, limit=3) is None


def test_limit_of_base64_text() -> None:
    fitting = "A" * 16

    assert get_base64({"p": fitting}, "p", limit=6) == fitting
    assert get_base64({"p": fitting + "A"}, "p", limit=6) is None


@pytest.mark.parametrize("value", [None, "", 7, True, ["AAAA"]])
def test_base64_of_other_types(value: JsonValue) -> None:
    assert get_base64({"p": value}, "p", limit=100) is None
