"""Texts in pieces and as changes."""

from random import Random

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.rumpus.protocols.errors import (
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.smartglass.const import MAX_PLAINTEXT
from custom_components.rumpus.protocols.smartglass.messages import (
    SystemTextInput,
    TextDelta,
)
from custom_components.rumpus.protocols.smartglass.services import text_edit
from custom_components.rumpus.protocols.smartglass.services.text_edit import (
    MAX_DELTAS,
    MAX_PIECES,
    MAX_TEXT,
    PIECE,
    TextPieces,
    apply_deltas,
    encode_text,
    split_text,
)

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)


@settings(max_examples=60)
@given(st.integers(4, 20), TEXTS, st.randoms(use_true_random=False))
def test_pieces_make_the_text_again(size: int, text: str, random: Random) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_edit, "PIECE", size)
        data = text.encode()
        pieces = list(split_text(data))
        assert "".join(piece for _, piece in pieces) == text
        assert all(len(piece.encode()) <= size for _, piece in pieces)
        if not text:
            assert pieces == [(0, "")]
            return
        random.shuffle(pieces)
        whole = TextPieces(9, 2, len(data))
        results = [whole.add(start, piece) for start, piece in pieces]
        assert results == [None] * (len(pieces) - 1) + [text]


def test_a_full_piece_fits_one_message() -> None:
    (_, first), (start, second) = split_text(b"x" * (PIECE + 1))
    assert (len(first), start, second) == (PIECE, PIECE, "x")
    message = SystemTextInput(9, 1, 2, PIECE + 1, -1, -1, 0, 0, first)
    assert len(message.encode()) == MAX_PLAINTEXT


def test_pieces_twice_count_once() -> None:
    pieces = TextPieces(9, 2, 4)
    assert pieces.belongs(9, 2, 4)
    assert not pieces.belongs(9, 3, 4)
    assert pieces.add(0, "ab") is None
    assert pieces.add(0, "ab") is None
    assert pieces.add(2, "cd") == "abcd"


@pytest.mark.parametrize(
    "wrong",
    [
        [(0, "ab"), (1, "cd")],
        [(1, "ab"), (3, "cd")],
        [(0, "abc"), (3, "de")],
        [(0, "")],
    ],
)
def test_pieces_that_do_not_fit(wrong: list[tuple[int, str]]) -> None:
    pieces = TextPieces(9, 2, 4)
    with pytest.raises(ProtocolError):
        for start, piece in wrong:
            pieces.add(start, piece)


def test_limit_of_text_in_pieces() -> None:
    TextPieces(9, 2, MAX_TEXT)
    with pytest.raises(MessageTooLargeError):
        TextPieces(9, 2, MAX_TEXT + 1)


def test_limit_of_pieces() -> None:
    pieces = TextPieces(9, 2, MAX_PIECES + 1)
    for start in range(MAX_PIECES):
        assert pieces.add(start, "x") is None
    with pytest.raises(MessageTooLargeError):
        pieces.add(MAX_PIECES, "x")


@given(TEXTS, st.integers(0, 60), st.integers(0, 60), TEXTS)
def test_a_change_is_a_slice(text: str, start: int, count: int, new: str) -> None:
    before, gone, after = (
        text[:start],
        text[start : start + count],
        text[start + count :],
    )
    delta = TextDelta(len(before.encode()), len(gone.encode()), new)
    assert apply_deltas(text, (delta,)) == before + new + after


def test_changes_begin_with_what_the_one_before_left() -> None:
    deltas = (TextDelta(0, 1, "Ü"), TextDelta(2, 0, "b"), TextDelta(4, 1, ""))
    assert apply_deltas("uer", deltas) == "Übe"


@pytest.mark.parametrize(
    "delta",
    [
        TextDelta(5, 0, "x"),
        TextDelta(0, 5, "x"),
        TextDelta(2, 1, "x"),
        TextDelta(0, 3, ""),
        TextDelta(0xFFFFFFFF, 0xFFFFFFFF, ""),
    ],
)
def test_changes_that_do_not_fit(delta: TextDelta) -> None:
    with pytest.raises(ProtocolError) as raised:
        apply_deltas("grü", (delta,))
    assert "gr" not in str(raised.value)
    assert raised.value.__context__ is None


def test_limit_of_changes() -> None:
    add = TextDelta(0, 0, "x")
    assert apply_deltas("", (add,) * MAX_DELTAS) == "x" * MAX_DELTAS
    with pytest.raises(MessageTooLargeError):
        apply_deltas("", (add,) * (MAX_DELTAS + 1))


def test_limit_of_text_after_changes() -> None:
    half = TextDelta(0, 0, "x" * (MAX_TEXT // 2))
    assert len(apply_deltas("", (half, half))) == MAX_TEXT
    with pytest.raises(MessageTooLargeError):
        apply_deltas("x", (half, half))


def test_limit_of_text() -> None:
    assert len(encode_text("ü" * (MAX_TEXT // 2))) == MAX_TEXT
    with pytest.raises(MessageTooLargeError):
        encode_text("x" * (MAX_TEXT + 1))


@pytest.mark.parametrize("text", ["secret\0", "secret\udc80"])
def test_text_that_cannot_be_sent(text: str) -> None:
    with pytest.raises(ProtocolError) as raised:
        encode_text(text)
    assert "secret" not in str(raised.value)
    assert raised.value.__context__ is None
