"""Tests of credentials as text."""

from hypothesis import given, strategies as st
import pytest

from . import vectors
from custom_components.rumpus.protocols.hap.credentials import (
    MAX_TEXT,
    Credentials,
    HapCredentials,
    LegacyCredentials,
    TransientCredentials,
    new_client_id,
    parse_credentials,
)
from custom_components.rumpus.protocols.hap.errors import InvalidCredentialsError

KEY = "ab" * 32
ID = "75fbeec773cfc563"


def test_golden() -> None:
    credentials = parse_credentials(vectors.CREDENTIALS)
    assert credentials == HapCredentials(
        vectors.SETUP["accessory_public"],
        vectors.SETUP["controller_seed"],
        vectors.SETUP["accessory_id"],
        vectors.SETUP["controller_id"],
    )
    assert str(credentials) == vectors.CREDENTIALS
    assert parse_credentials(vectors.CREDENTIALS.upper()) == credentials


def test_legacy() -> None:
    expected = LegacyCredentials(bytes.fromhex(ID), bytes.fromhex(KEY))
    assert parse_credentials(f"{ID}:{KEY}") == expected
    assert parse_credentials(f":{KEY}::{ID}") == expected
    assert str(expected) == f":{KEY}::{ID}"


def test_transient() -> None:
    text = "7472616e7369656e74:::"
    assert parse_credentials(text) == TransientCredentials()
    assert str(TransientCredentials()) == text


_KEYS = st.binary(min_size=32, max_size=32)
_IDS = st.binary(min_size=1, max_size=40)


@given(
    st.builds(HapCredentials, _KEYS, _KEYS, _IDS, _IDS)
    | st.builds(
        LegacyCredentials,
        st.binary(min_size=8, max_size=8),
        _KEYS,
        st.just(b"") | _KEYS,
    )
)
def test_round_trip(credentials: Credentials) -> None:
    assert parse_credentials(str(credentials)) == credentials


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        ":::",
        "::::",
        "zz:zz",
        f"{ID}",
        f"{ID}:{KEY}:",
        f"{ID}:{KEY[2:]}",
        f"{ID[2:]}:{KEY}",
        f"{KEY}:{KEY}:{ID}:",
        f"{KEY}::{ID}:{ID}",
        f"{KEY[2:]}:{KEY}:{ID}:{ID}",
        f"{KEY[2:]}:{KEY}::{ID}",
        f":{KEY}:{ID}:{ID}",
        f"7472616e7369656e74:{KEY}::",
        f"{KEY}:secret{KEY}:{ID}:{ID}",
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(InvalidCredentialsError) as caught:
        parse_credentials(text)
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_max_text() -> None:
    fixed = f"{KEY}:{KEY}:{ID}:"
    longest = fixed + "ab" * ((MAX_TEXT - len(fixed)) // 2)
    assert isinstance(parse_credentials(longest), HapCredentials)
    with pytest.raises(InvalidCredentialsError):
        parse_credentials(longest + "abab")


def test_secrets_are_not_shown() -> None:
    for text in (f"{KEY[:2] * 31}cd:{KEY}:{ID}:{ID}", f"{ID}:{KEY}"):
        shown = repr(parse_credentials(text))
        assert repr(bytes.fromhex(KEY)) not in shown
        assert "ltsk" not in shown
        assert "seed" not in shown


def test_client_ids_differ() -> None:
    one, other = new_client_id(), new_client_id()
    assert one != other
    assert len(one) == 36
    assert one == one.lower()
