"""The envelope of messages, typed readers, and what a device says about itself."""

import math
from typing import Any

from hypothesis import given, strategies as st
import pytest

from .vectors import MESSAGES
from custom_components.rumpus.protocols.apple.enums import PowerState
from custom_components.rumpus.protocols.apple.identity import ClientIdentity
from custom_components.rumpus.protocols.companion.enums import (
    AttentionState,
    MediaFlags,
    MessageType,
    attention_state,
    power_state,
)
from custom_components.rumpus.protocols.companion.errors import CommandFailedError
from custom_components.rumpus.protocols.companion.messages import (
    MAX_ID,
    MAX_INTEGER,
    MAX_ITEMS,
    MAX_NAME,
    MAX_TEXT,
    Message,
    decode_message,
    encode_message,
    encode_refusal,
    get_data,
    get_dict,
    get_float,
    get_id,
    get_int,
    get_named,
    get_text,
)
from custom_components.rumpus.protocols.companion.system_info import (
    SystemInfo,
    own_info,
)
from custom_components.rumpus.protocols.companion.timing import Timing
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.opack import (
    OpackDict,
    OpackValue,
    decode,
    encode,
)


@pytest.mark.parametrize(("data", "value"), MESSAGES)
def test_the_vectors(data: bytes, value: OpackValue) -> None:
    assert isinstance(value, dict)
    assert decode(data) == value
    assert decode(encode(value)) == value
    message = decode_message(data)
    assert message.kind == value["_t"]
    assert message.name == value.get("_i", "")
    assert message.transfer_id == value["_x"]
    assert message.content == value.get("_c", {})
    assert message.is_error is ("_em" in value)


RESPONSE = bytes.fromhex(
    "e3425f63e1445f73696432ee3b0e56425f740b425f7831ea03"
)  # of _sessionStart
EVENT = bytes.fromhex("e4425f69445f694d43425f7831d204425f7409425f63e1445f6d6346310001")
REFUSAL = bytes.fromhex(
    "e6425f6943466f6f425f7831ef03425f740b435f656331c6e5435f65644d52504572726f72446f6d"
    "61696e435f656d524e6f20726571756573742068616e646c6572"
)


def test_a_recorded_response() -> None:
    assert decode_message(RESPONSE) == Message(
        kind=MessageType.RESPONSE,
        name="",
        transfer_id=1002,
        content={"_sid": 1443773422},
    )


def test_a_recorded_event() -> None:
    assert decode_message(EVENT) == Message(
        kind=MessageType.EVENT, name="_iMC", transfer_id=1234, content={"_mcF": 256}
    )


def test_a_recorded_refusal() -> None:
    message = decode_message(REFUSAL)
    assert message.is_error
    error = message.error("Foo")
    assert isinstance(error, CommandFailedError)
    assert (error.code, error.domain) == (58822, "RPErrorDomain")
    assert str(error) == "The device refused Foo (error 58822)"


def test_a_refusal_without_a_code() -> None:
    message = decode_message(encode({"_t": 3, "_em": "secret words", "_ec": "x"}))
    error = message.error("Foo")
    assert (error.code, error.domain) == (None, None)
    assert str(error) == "The device refused Foo"
    assert "secret" not in repr(message)


def test_what_is_written() -> None:
    data = encode_message(MessageType.REQUEST, "_hidC", {"_hBtS": 1, "_hidC": 6}, 1234)
    assert decode(data) == {
        "_i": "_hidC",
        "_t": 2,
        "_c": {"_hBtS": 1, "_hidC": 6},
        "_x": 1234,
    }


def test_what_refuses() -> None:
    request = decode_message(encode({"_i": "Foo", "_t": 2, "_x": 1007}))
    assert decode(encode_refusal(request)) == decode(REFUSAL)


@pytest.mark.parametrize("body", [{}, {"_t": "2"}, {"_t": True}, {"_t": None}])
def test_what_is_no_message(body: OpackDict) -> None:
    with pytest.raises(ProtocolError, match="what it is"):
        decode_message(encode(body))


def test_tolerated_oddities() -> None:
    data = encode({"_t": 9, "_i": 7, "_x": "one", "_c": [], "_ed": b""})
    assert decode_message(data) == Message(kind=9)


def test_max_name() -> None:
    name = "x" * MAX_NAME
    assert decode_message(encode({"_t": 1, "_i": name})).name == name
    assert decode_message(encode({"_t": 1, "_i": name + "x"})).name == ""


def test_content_is_not_shown() -> None:
    message = Message(kind=1, content={"_tiD": "secret"})
    assert "secret" not in repr(message)


NOTHING: OpackDict = {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (MAX_INTEGER, MAX_INTEGER),
        (MAX_INTEGER + 1, None),
        (-1, None),
        (True, None),
        (1.0, None),
        ("1", None),
        (None, None),
    ],
)
def test_max_integer_and_other_integers(value: Any, expected: int | None) -> None:
    assert get_int({"a": value}, "a") == expected
    assert get_int(NOTHING, "a") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, 0.5),
        (-2.0, -2.0),
        (1, 1.0),
        (True, None),
        (math.inf, None),
        (math.nan, None),
        (1 << 100, None),
        ("1", None),
    ],
)
def test_floats(value: Any, expected: float | None) -> None:
    assert get_float({"a": value}, "a") == expected
    assert get_float(NOTHING, "a") is None


def test_max_text() -> None:
    assert get_text({"a": "x" * (MAX_TEXT + 1)}, "a") == "x" * MAX_TEXT
    assert get_text({"a": b"x"}, "a") is None


def test_max_id() -> None:
    assert get_id({"a": "x" * MAX_ID}, "a") == "x" * MAX_ID
    assert get_id({"a": "x" * (MAX_ID + 1)}, "a") is None
    assert get_id({"a": ""}, "a") is None
    assert get_id({"a": 1}, "a") is None


def test_data_and_dictionaries() -> None:
    assert get_data({"a": b"x"}, "a") == b"x"
    assert get_data({"a": "x"}, "a") is None
    assert get_dict({"a": {"b": 1}}, "a") == {"b": 1}
    assert get_dict({"a": []}, "a") is None


def test_named_things() -> None:
    body: OpackDict = {
        "one": "1",
        2: "2",
        "three": 3,
        "": "4",
        "x" * (MAX_ID + 1): "5",
        "six": "6" * (MAX_TEXT + 1),
        "seven": "7",
    }
    long = ("six", "6" * MAX_TEXT)
    assert get_named(body, limit=9) == [("one", "1"), long, ("seven", "7")]
    assert get_named(body, limit=2) == [("one", "1"), long]
    assert get_named(body, limit=0) == []


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    try:
        message = decode_message(data)
    except ProtocolError:
        return
    assert isinstance(message.kind, int)


@given(st.dictionaries(st.sampled_from(["_t", "_i", "_x", "_c", "_ec"]), st.integers()))
def test_any_integers(body: dict[str, int]) -> None:
    content: OpackDict = {key: abs(value) % 2**64 for key, value in body.items()}
    try:
        message = decode_message(encode(content))
    except ProtocolError:
        assert "_t" not in content
        return
    assert message.kind == content["_t"]


def test_what_we_say_about_ourselves() -> None:
    identity = ClientIdentity.create("Rumpus")
    info = own_info(identity, b"4D797FD3")
    assert info == {
        "_bf": 0,
        "_cf": 512,
        "_clFl": 128,
        "_i": identity.rp_id,
        "_idsID": b"4D797FD3",
        "_pubID": identity.mac,
        "_sf": 256,
        "_sv": "170.18",
        "model": identity.model,
        "name": "Rumpus",
    }


def test_what_a_device_says_about_itself() -> None:
    assert SystemInfo.decode({}) == SystemInfo()
    info = SystemInfo.decode({"name": "Den", "_mrID": "ABC", "_i": 5, "_sv": "1.2"})
    assert info.name == "Den"
    assert info.media_remote_id == "ABC"
    assert info.identifier is None
    assert "ABC" not in repr(info)


def test_states_that_nobody_knows() -> None:
    assert attention_state(1) is AttentionState.ASLEEP
    assert attention_state(77) == 77
    assert power_state(77) is PowerState.UNKNOWN
    assert power_state(None) is PowerState.UNKNOWN
    assert power_state(AttentionState.IDLE) is PowerState.ON
    assert MediaFlags(0x4000_0001) & MediaFlags.PLAY
    assert int(MediaFlags(0x4000_0001)) == 0x4000_0001


def test_times_are_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        Timing(probe=0)


def test_most_items_of_a_message() -> None:
    """MAX_ITEMS: a list of apps has room, one that would hold up everybody is refused."""
    content: OpackDict = {str(number): number for number in range(MAX_ITEMS)}
    fits: OpackDict = dict(list(content.items())[: MAX_ITEMS // 2 - 10])

    message = decode_message(encode_message(MessageType.EVENT, "Apps", fits, 1))
    assert message.content == fits
    with pytest.raises(ProtocolError):
        decode_message(encode_message(MessageType.EVENT, "Apps", content, 1))
