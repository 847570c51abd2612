"""Archives of the virtual keyboard: as recorded, any text, and within bounds."""

import plistlib
from plistlib import UID

from hypothesis import given, strategies as st
import pytest

from .vectors import ARCHIVES
from custom_components.rumpus.protocols.companion import rti
from custom_components.rumpus.protocols.companion.rti import (
    MAX_ARCHIVE,
    MAX_TEXT,
    TextSession,
    decode_session,
    encode_clear,
    encode_insert,
)
from custom_components.rumpus.protocols.errors import (
    MessageTooLargeError,
    ProtocolError,
)
from tests.fakes.apple_tv_crypto import WireError
from tests.fakes.apple_tv_text import TextField, document, read_operation

SESSION = bytes(range(16))

# The vectors of the reference, section 10.8: session 00..0f.
CLEAR = ARCHIVES["clear"]
INSERT_HI = ARCHIVES["insert"]
HELLO = ARCHIVES["document"]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)


def archive(top: object, *objects: object) -> bytes:
    return plistlib.dumps(
        {"$top": top, "$objects": ["$null", *objects]}, fmt=plistlib.FMT_BINARY
    )


def test_clear_is_as_recorded() -> None:
    assert plistlib.loads(encode_clear(SESSION)) == plistlib.loads(CLEAR)


def test_insert_is_as_recorded() -> None:
    assert plistlib.loads(encode_insert(SESSION, "Hi")) == plistlib.loads(INSERT_HI)


def test_a_recorded_text_field() -> None:
    assert decode_session(HELLO) == TextSession(SESSION, "Hello")


@given(texts)
def test_any_text_is_typed(text: str) -> None:
    operation = read_operation(encode_insert(SESSION, text))
    assert (operation.session, operation.clears) == (SESSION, False)
    assert operation.inserted == text


def test_the_fake_is_told_to_clear() -> None:
    operation = read_operation(encode_clear(SESSION))
    assert (operation.session, operation.clears, operation.inserted) == (
        SESSION,
        True,
        "",
    )


@given(texts, st.binary(min_size=16, max_size=16))
def test_any_text_is_read(text: str, session: bytes) -> None:
    if text == "$null":
        text = ""
    assert decode_session(document(session, TextField(text))) == TextSession(
        session, text
    )


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"documentState": 5},
        {"documentState": {}},
        {"documentState": {"docSt": {}}},
        {"documentState": {"docSt": {"contextBeforeInput": 5}}},
        {"documentState": {"docSt": {"contextBeforeInput": UID(0)}}},
        {"documentState": UID(0)},
    ],
)
def test_a_text_that_is_not_there_is_empty(state: dict[str, object]) -> None:
    top = {"sessionUUID": SESSION, **state}
    assert decode_session(archive(top)) == TextSession(SESSION, "")


def test_an_identifier_in_its_class() -> None:
    top = {"sessionUUID": UID(1)}
    data = archive(top, {"NS.uuidbytes": SESSION, "$class": UID(2)})
    assert decode_session(data).session_id == SESSION


@pytest.mark.parametrize(
    "top",
    [
        {},
        5,
        {"sessionUUID": UID(9)},
        {"sessionUUID": b"short"},
        {"sessionUUID": "text"},
        {"sessionUUID": {"NS.uuidbytes": 5}},
        {"sessionUUID": SESSION, "documentState": UID(9)},
    ],
)
def test_archives_of_no_use(top: object) -> None:
    with pytest.raises(ProtocolError):
        decode_session(archive(top))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"bplist00",
        plistlib.dumps([1], fmt=plistlib.FMT_BINARY),
        plistlib.dumps(
            {"$top": {"sessionUUID": UID(1)}, "$objects": 5}, fmt=plistlib.FMT_BINARY
        ),
        HELLO[:-1],
    ],
)
def test_what_is_no_archive(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_session(data)


def test_max_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_ARCHIVE == 256 * 1024
    monkeypatch.setattr(rti, "MAX_ARCHIVE", len(HELLO))
    assert decode_session(HELLO).text == "Hello"
    monkeypatch.setattr(rti, "MAX_ARCHIVE", len(HELLO) - 1)
    with pytest.raises(MessageTooLargeError):
        decode_session(HELLO)


def test_max_text() -> None:
    text = "ä" * MAX_TEXT
    data = encode_insert(SESSION, text)
    assert len(data) < MAX_ARCHIVE
    assert read_operation(data).inserted == text
    with pytest.raises(MessageTooLargeError):
        encode_insert(SESSION, text + "ä")


def test_half_a_character_is_not_typed_and_not_told() -> None:
    with pytest.raises(ProtocolError) as caught:
        encode_insert(SESSION, "secret \ud83d")
    assert "secret" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_text_is_not_shown() -> None:
    assert "Hello" not in repr(decode_session(HELLO))


@given(st.binary(max_size=100))
def test_any_bytes_are_an_archive_or_an_error(data: bytes) -> None:
    for body in (data, b"bplist00" + data, HELLO[:60] + data + HELLO[-32:]):
        try:
            session = decode_session(body)
        except ProtocolError:
            continue
        assert len(session.session_id) == 16


@given(st.integers(0, len(HELLO) - 1), st.integers(0, 255))
def test_any_damage_is_an_archive_or_an_error(place: int, byte: int) -> None:
    data = bytearray(HELLO)
    data[place] = byte
    try:
        session = decode_session(bytes(data))
    except ProtocolError:
        return
    assert len(session.session_id) == 16


def test_the_fake_refuses_what_is_no_operation() -> None:
    with pytest.raises(WireError):
        read_operation(HELLO)
