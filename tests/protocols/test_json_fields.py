"""Readers of JSON objects: the types that peers really write, and all the others."""

from collections.abc import Callable

from hypothesis import given, settings, strategies as st
import pytest

from .kdeconnect.strategies import json_values
from custom_components.rumpus.protocols import json_fields as fields
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue

READERS: list[Callable[[JsonObject, str], object]] = [
    fields.get_bool,
    fields.get_int,
    fields.get_number,
    fields.get_object,
    fields.get_objects,
    fields.get_str,
    fields.get_strings,
]


@pytest.mark.parametrize("reader", READERS)
def test_absent_and_null_are_none(reader: Callable[[JsonObject, str], object]) -> None:
    assert reader({}, "x") is None
    assert reader({"x": None}, "x") is None


@settings(deadline=None)
@given(json_values)
def test_every_value_is_read_or_none(value: JsonValue) -> None:
    body: JsonObject = {"x": value}

    assert fields.get_bool(body, "x") in (True, False, None)
    assert isinstance(fields.get_int(body, "x"), int | None)
    assert isinstance(fields.get_number(body, "x"), float | None)
    assert isinstance(fields.get_object(body, "x"), dict | None)
    assert isinstance(fields.get_objects(body, "x"), tuple | None)
    assert isinstance(fields.get_str(body, "x"), str | None)
    assert isinstance(fields.get_strings(body, "x"), tuple | None)


@settings(deadline=None)
@given(st.integers(-fields.MAX_INTEGER, fields.MAX_INTEGER))
def test_integers_and_their_texts(number: int) -> None:
    assert fields.get_int({"x": number}, "x") == number
    assert fields.get_int({"x": str(number)}, "x") == number


@settings(deadline=None)
@given(st.integers(-(2**53), 2**53))
def test_integers_as_floats(number: int) -> None:
    assert fields.get_int({"x": float(number)}, "x") == number
    assert fields.get_int({"x": f"{number}.0"}, "x") == number


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (False, False),
        ("true", True),
        ("True ", True),
        ("false", False),
        ("1", True),
        ("0", False),
        (1, True),
        (0, False),
        (1.0, True),
        (2, None),
        (0.5, None),
        ("yes", None),
        ("", None),
        ([], None),
        ({}, None),
    ],
)
def test_bool(value: JsonValue, expected: bool | None) -> None:
    assert fields.get_bool({"x": value}, "x") is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (8, 8),
        ("8", 8),
        (" 8 ", 8),
        ("+8", 8),
        ("8.0", 8),
        (8.9, 8),
        (-8.9, -8),
        ("8.9", None),
        ("8e3", None),
        ("1_000", None),
        ("\u0668", None),
        ("", None),
        (True, None),
        (float("inf"), None),
        (float("nan"), None),
        ([8], None),
    ],
)
def test_int(value: JsonValue, expected: int | None) -> None:
    assert fields.get_int({"x": value}, "x") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (8, 8.0),
        (8.5, 8.5),
        ("8.5", 8.5),
        ("-8", -8.0),
        ("8.", None),
        ("nan", None),
        ("1e999", None),
        (False, None),
        (float("-inf"), None),
        ({}, None),
    ],
)
def test_number(value: JsonValue, expected: float | None) -> None:
    assert fields.get_number({"x": value}, "x") == expected


def test_limit_of_magnitude() -> None:
    largest = fields.MAX_INTEGER

    assert fields.get_int({"x": largest}, "x") == largest
    for value in (largest + 1, -largest - 1, 1e300, str(largest + 1)):
        assert fields.get_int({"x": value}, "x") is None
    for number in (largest + 1, 1e300, "9999999999999999999"):
        assert fields.get_number({"x": number}, "x") is None


def test_limit_of_text_with_a_number() -> None:
    padding = " " * fields.MAX_ID

    for reader in (fields.get_int, fields.get_number, fields.get_bool):
        assert reader({"x": padding[1:] + "1"}, "x") == 1
        assert reader({"x": padding + "1"}, "x") is None


def test_limit_of_text() -> None:
    text = "é" * (fields.MAX_TEXT + 1)

    assert fields.get_str({"x": text}, "x") == text[:-1]
    assert fields.get_str({"x": text}, "x", limit=3) == "ééé"
    assert fields.get_str({"x": ""}, "x") == ""
    assert fields.get_str({"x": 3}, "x") is None


def test_strings_keep_their_order_and_come_once() -> None:
    assert fields.get_strings({"x": ["b", "a", "b", 1, None, "", ["c"]]}, "x") == (
        "b",
        "a",
    )
    assert fields.get_strings({"x": []}, "x") == ()
    assert fields.get_strings({"x": "ab"}, "x") is None


def test_limit_of_strings() -> None:
    many: list[JsonValue] = [str(number) for number in range(fields.MAX_ITEMS + 1)]

    assert fields.get_strings({"x": many}, "x") == tuple(many[:-1])
    assert fields.get_strings({"x": many}, "x", max_items=2) == ("0", "1")
    assert fields.get_strings({"x": ["a" * (fields.MAX_ID + 1), "b"]}, "x") == ("b",)


def test_object() -> None:
    assert fields.get_object({"x": {"y": 1}}, "x") == {"y": 1}
    assert fields.get_object({"x": [1]}, "x") is None


def test_limit_of_objects() -> None:
    many: list[JsonValue] = [{"n": number} for number in range(fields.MAX_ITEMS + 1)]

    assert fields.get_objects({"x": many}, "x") == tuple(many[:-1])
    assert fields.get_objects(
        {"x": [1, {"n": 0}, "a", {"n": 1}]}, "x", max_items=1
    ) == ({"n": 0},)
    assert fields.get_objects({"x": {}}, "x") is None
