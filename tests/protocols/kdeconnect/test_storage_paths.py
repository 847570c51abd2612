"""Paths in a phone's storage."""

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.kdeconnect.storage_paths import (
    MAX_DEPTH,
    MAX_NAME,
    MAX_PATH,
    decode_item,
    display_name,
    encode_item,
    is_usable_name,
    is_within,
    join,
    normalise,
)


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        (b"/", b"/"),
        (b"//", b"/"),
        (b"/a//b/./c/", b"/a/b/c"),
        (b"/a/..b/...", b"/a/..b/..."),
        (b"/\xff", b"/\xff"),
        (b"", None),
        (b"a", None),
        (b"/a/../b", None),
        (b"/..", None),
        (b"/a\0", None),
    ],
)
def test_normalise(path: bytes, normal: bytes | None) -> None:
    assert normalise(path) == normal


def test_long_paths() -> None:
    """MAX_PATH bounds a path."""
    assert normalise(b"/" + b"a" * (MAX_PATH - 1)) is not None
    assert normalise(b"/" + b"a" * MAX_PATH) is None
    assert decode_item("a" * 10_000) is None


def test_deep_paths() -> None:
    """MAX_DEPTH bounds how deep a path is."""
    assert normalise(b"/a" * MAX_DEPTH) is not None
    assert normalise(b"/a" * (MAX_DEPTH + 1)) is None


def test_long_names() -> None:
    """MAX_NAME bounds a name."""
    assert is_usable_name(b"a" * MAX_NAME)
    assert not is_usable_name(b"a" * (MAX_NAME + 1))


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"/", b"a\0"])
def test_names_that_are_none(name: bytes) -> None:
    assert not is_usable_name(name)


def test_within() -> None:
    assert is_within(b"/a", [b"/a"])
    assert is_within(b"/a/b", [b"/x", b"/a"])
    assert is_within(b"/a", [b"/"])
    assert is_within(b"/", [b"/"])
    assert not is_within(b"/ab", [b"/a"])
    assert not is_within(b"/", [b"/a"])
    assert not is_within(b"/a", [])


def test_join() -> None:
    assert join(b"/", b"a") == b"/a"
    assert join(b"/a", b"b") == b"/a/b"
    assert join(b"/" + b"a" * 4000, b"b" * 200) is None


def test_display_name() -> None:
    assert display_name(b"/a/\xffb") == "\ufffdb"
    assert display_name(b"/") == ""


@pytest.mark.parametrize("item", ["", "é", "Lw==", "Lw=", "Lx", "L w", "!", "YQ"])
def test_items_that_are_none(item: str) -> None:
    """One path has one name, and only absolute paths have one."""
    assert decode_item(item) is None


parts = st.lists(st.binary(min_size=1, max_size=20), max_size=10)


@given(parts)
def test_items_come_back(names: list[bytes]) -> None:
    path = normalise(b"/" + b"/".join(names))
    if path is not None:
        assert decode_item(encode_item(path)) == path
        assert normalise(path) == path
        assert is_within(path, [b"/"])


@given(st.text(max_size=50))
def test_any_item_is_a_path_or_nothing(item: str) -> None:
    path = decode_item(item)
    assert path is None or (normalise(path) == path and encode_item(path) == item)
