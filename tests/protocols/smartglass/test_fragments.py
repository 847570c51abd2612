"""Long messages and objects, in pieces."""

import base64
from typing import cast

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import (
    JsonObject,
    decode_json,
    encode_json,
)
from custom_components.rumpus.protocols.smartglass import fragments
from custom_components.rumpus.protocols.smartglass.errors import FragmentError
from custom_components.rumpus.protocols.smartglass.fragments import (
    FRAGMENT_SIZE,
    JSON_PIECE,
    MAX_AGE,
    MAX_BYTES,
    MAX_FRAGMENTS,
    MAX_GROUPS,
    MAX_JSON_BYTES,
    MAX_JSON_PIECES,
    MAX_SHORT_JSON,
    FragmentManager,
    is_json_fragment,
    split_json,
    split_message,
)
from custom_components.rumpus.protocols.smartglass.messages import MessageFragment

# The SmartGlass reference, section 17.6.
CONFIGURATION = (
    '{"response":"GetConfiguration","msgid":"0000beef.1","params":[{"device_id":"0",'
    '"device_type":"tv","buttons":{"btn.power":"Power"}}]}'
)
PIECES = (
    "eyJyZXNwb25zZSI6IkdldENvbmZpZ3VyYXRpb24iLCJtc2dpZCI6IjAwMDBiZWVmLjEiLCJwYXJhbXMi",
    "Olt7ImRldmljZV9pZCI6IjAiLCJkZXZpY2VfdHlwZSI6InR2IiwiYnV0dG9ucyI6eyJidG4ucG93ZXIi",
    "OiJQb3dlciJ9fV19",
)


@pytest.fixture
def manager() -> FragmentManager:
    return FragmentManager()


def piece(number: int, **changes: object) -> JsonObject:
    """Return a piece of the vector."""
    found: dict[str, object] = {
        "datagram_size": "176",
        "datagram_id": "7",
        "fragment_offset": str(80 * number),
        "fragment_length": str(len(PIECES[number])),
        "fragment_data": PIECES[number],
    } | changes
    return cast(JsonObject, found)


# Messages.


def add(
    manager: FragmentManager,
    number: int,
    begin: int,
    end: int,
    data: bytes = b"x",
    now: float = 0.0,
    kind: int = 1,
) -> bytes | None:
    fragment = MessageFragment(begin, end, data)
    return manager.reassemble_message(fragment, number, kind, now)


@pytest.mark.parametrize("size", [0, 1, FRAGMENT_SIZE, FRAGMENT_SIZE + 1, 5000])
def test_split_message(size: int) -> None:
    plaintext = bytes(index % 251 for index in range(size))
    pieces = split_message(plaintext)
    assert b"".join(pieces) == plaintext
    assert len(pieces) == max(1, -(-size // FRAGMENT_SIZE))
    assert all(len(part) == FRAGMENT_SIZE for part in pieces[:-1])


@given(
    data=st.binary(min_size=1, max_size=3000),
    size=st.integers(100, 1000),
    order=st.randoms(),
)
@settings(max_examples=30)
def test_pieces_in_any_order_make_the_message(
    data: bytes, size: int, order: object
) -> None:
    manager = FragmentManager()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    numbered = list(enumerate(pieces, 5))
    order.shuffle(numbered)  # type: ignore[attr-defined]
    whole = None
    for number, part in numbered:
        assert whole is None
        whole = add(manager, number, 5, 5 + len(pieces), part)
    assert whole == data
    assert manager.incomplete == 0


def test_a_fragment_that_comes_twice_counts_once(manager: FragmentManager) -> None:
    assert add(manager, 1, 1, 3, b"a") is None
    assert add(manager, 1, 1, 3, b"a") is None
    assert add(manager, 2, 1, 3, b"b") == b"ab"


@pytest.mark.parametrize("number", [4, 8])
def test_a_fragment_outside_of_its_message_is_refused(
    manager: FragmentManager, number: int
) -> None:
    with pytest.raises(FragmentError):
        add(manager, number, 5, 8)


def test_fragments_of_another_kind_do_not_mix(manager: FragmentManager) -> None:
    add(manager, 1, 1, 3, b"a", kind=1)
    assert add(manager, 2, 1, 3, b"b", kind=2) is None
    assert manager.incomplete == 1


def test_the_number_of_fragments_is_bounded(manager: FragmentManager) -> None:
    with pytest.raises(FragmentError):
        add(manager, 1, 1, MAX_FRAGMENTS + 2)
    assert add(manager, 1, 1, MAX_FRAGMENTS + 1) is None


def test_the_bytes_of_a_message_are_bounded(manager: FragmentManager) -> None:
    part = bytes(4096)
    for number in range(MAX_BYTES // 4096):
        add(manager, number, 0, MAX_FRAGMENTS, part)
    with pytest.raises(FragmentError):
        add(manager, MAX_FRAGMENTS - 1, 0, MAX_FRAGMENTS, b"x")
    assert manager.incomplete == 0


def test_the_number_of_incomplete_messages_is_bounded(
    manager: FragmentManager,
) -> None:
    for index in range(MAX_GROUPS + 1):
        add(manager, 10 * index, 10 * index, 10 * index + 2)
    assert manager.incomplete == MAX_GROUPS
    # The oldest has been given up.
    assert add(manager, 1, 0, 2) is None


def test_the_age_of_incomplete_messages_is_bounded(manager: FragmentManager) -> None:
    add(manager, 1, 1, 3, b"a", now=0.0)
    assert add(manager, 2, 1, 3, b"b", now=MAX_AGE + 0.1) is None
    assert add(manager, 1, 1, 3, b"a", now=2 * MAX_AGE) == b"ab"


def test_reset_forgets_all_pieces(manager: FragmentManager) -> None:
    add(manager, 1, 1, 3)
    manager.reassemble_json(piece(0), 9, 0.0)
    assert manager.incomplete == 2
    manager.reset()
    assert manager.incomplete == 0


# Objects.


def test_short_objects_stay_whole() -> None:
    obj: JsonObject = {"a": "x" * (MAX_SHORT_JSON - len('{"a":""}'))}
    (text,) = split_json(obj, 1)
    assert len(text) == MAX_SHORT_JSON
    assert decode_json(text) == obj


def test_split_json_as_the_reference_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "MAX_SHORT_JSON", 100)
    monkeypatch.setattr(fragments, "JSON_PIECE", 80)
    obj = decode_json(CONFIGURATION)
    assert isinstance(obj, dict)
    assert [decode_json(text) for text in split_json(obj, 7)] == [
        piece(0),
        piece(1),
        piece(2),
    ]


@given(
    st.dictionaries(st.text(max_size=20), st.text(max_size=2000), max_size=6),
    st.integers(1, 2**31),
)
@settings(max_examples=40)
def test_objects_survive_the_pieces(obj: dict[str, str], datagram_id: int) -> None:
    manager = FragmentManager()
    whole = None
    for text in reversed(split_json(dict(obj), datagram_id)):
        assert len(text) <= fragments.FRAGMENT_SIZE
        decoded = decode_json(text)
        assert isinstance(decoded, dict)
        if not is_json_fragment(decoded):
            whole = decoded
            break
        assert whole is None
        whole = manager.reassemble_json(decoded, 9, 0.0)
    assert whole == obj


def test_numbers_may_be_numbers_and_pieces_may_repeat(
    manager: FragmentManager,
) -> None:
    numbers = {"datagram_size": 176, "datagram_id": 7}
    assert manager.reassemble_json(piece(2, **numbers), 9, 0.0) is None
    assert manager.reassemble_json(piece(2), 9, 0.0) is None
    assert manager.reassemble_json(piece(0, fragment_offset=0), 9, 0.0) is None
    whole = manager.reassemble_json(piece(1), 9, 0.0)
    assert whole == decode_json(CONFIGURATION)


def test_channels_do_not_mix(manager: FragmentManager) -> None:
    manager.reassemble_json(piece(0), 1, 0.0)
    manager.reassemble_json(piece(1), 1, 0.0)
    assert manager.reassemble_json(piece(2), 2, 0.0) is None


def test_one_piece_is_enough(manager: FragmentManager) -> None:
    data = base64.b64encode(b'{"a":1}').decode()
    whole = manager.reassemble_json(
        {
            "datagram_size": len(data),
            "datagram_id": 1,
            "fragment_offset": 0,
            "fragment_length": len(data),
            "fragment_data": data,
        },
        9,
        0.0,
    )
    assert whole == {"a": 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"fragment_data": 5},
        {"fragment_data": "é" * 80},
        {"fragment_data": "", "fragment_length": 0},
        {"fragment_length": "79"},
        {"fragment_length": True},
        {"fragment_offset": "-1"},
        {"fragment_offset": -1},
        {"fragment_offset": "100"},
        {"fragment_offset": None},
        {"datagram_id": "1" * 11},
        {"datagram_id": 2**32},
        {"datagram_size": 1.5},
        {"datagram_size": str(MAX_JSON_BYTES + 1)},
    ],
)
def test_pieces_that_cannot_be_are_refused(
    manager: FragmentManager, changes: dict[str, object]
) -> None:
    with pytest.raises(FragmentError):
        manager.reassemble_json(piece(0, **changes), 9, 0.0)
    assert manager.incomplete == 0


def test_pieces_that_overlap_are_refused(manager: FragmentManager) -> None:
    manager.reassemble_json(piece(0), 9, 0.0)
    manager.reassemble_json(piece(1, fragment_offset="40"), 9, 0.0)
    with pytest.raises(FragmentError):
        manager.reassemble_json(piece(2), 9, 0.0)
    assert manager.incomplete == 0


@pytest.mark.parametrize(
    "text", ["====", base64.b64encode(b"[1]").decode(), base64.b64encode(b"{").decode()]
)
def test_a_whole_that_is_no_object_is_refused(
    manager: FragmentManager, text: str
) -> None:
    with pytest.raises(ProtocolError):
        manager.reassemble_json(
            {
                "datagram_size": len(text),
                "datagram_id": 1,
                "fragment_offset": 0,
                "fragment_length": len(text),
                "fragment_data": text,
            },
            9,
            0.0,
        )
    assert manager.incomplete == 0


def test_a_datagram_of_another_size_begins_anew(manager: FragmentManager) -> None:
    manager.reassemble_json(piece(0), 9, 0.0)
    manager.reassemble_json(piece(1, datagram_size="177"), 9, 0.0)
    assert manager.incomplete == 1
    assert manager.reassemble_json(piece(0), 9, 0.0) is None


def test_the_number_of_incomplete_objects_is_bounded(manager: FragmentManager) -> None:
    for datagram_id in range(MAX_GROUPS + 5):
        manager.reassemble_json(piece(0, datagram_id=datagram_id), 9, 0.0)
    assert manager.incomplete == MAX_GROUPS


def test_the_number_of_pieces_of_an_object_is_bounded(
    manager: FragmentManager,
) -> None:
    changes = {"datagram_size": 1000, "fragment_length": 1, "fragment_data": "e"}
    for offset in range(MAX_JSON_PIECES):
        manager.reassemble_json(piece(0, fragment_offset=offset, **changes), 9, 0.0)
    with pytest.raises(FragmentError):
        manager.reassemble_json(
            piece(0, fragment_offset=MAX_JSON_PIECES, **changes), 9, 0.0
        )


def test_a_long_list_of_channels_comes_through(manager: FragmentManager) -> None:
    """As long as those of cable networks are, and longer than what we would send."""
    lineup: JsonObject = {"a": ["x" * 150] * 2500}
    data = base64.b64encode(encode_json(lineup)).decode()
    assert MAX_BYTES < len(data) <= MAX_JSON_BYTES
    wholes = [
        manager.reassemble_json(
            {
                "datagram_size": len(data),
                "datagram_id": 1,
                "fragment_offset": at,
                "fragment_length": len(data[at : at + JSON_PIECE]),
                "fragment_data": data[at : at + JSON_PIECE],
            },
            9,
            0.0,
        )
        for at in range(0, len(data), JSON_PIECE)
    ]
    assert wholes[-1] == lineup


def test_objects_beyond_the_bound_are_not_sent() -> None:
    with pytest.raises(FragmentError):
        split_json({"a": "x" * MAX_BYTES}, 1)
    longest: JsonObject = {"a": "x" * (MAX_BYTES * 3 // 4 - 20)}
    assert len(split_json(longest, 1)) <= -(-MAX_BYTES // JSON_PIECE)
    assert encode_json(longest)
