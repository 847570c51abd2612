"""Tests of ciphers, nonces and keys."""

from typing import Literal

from hypothesis import given, strategies as st
import pytest

from . import vectors
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.hap import crypto, keys
from custom_components.rumpus.protocols.hap.crypto import ChannelCipher, Nonces
from custom_components.rumpus.protocols.hap.errors import DecryptionError, IdentityError

KEY, OTHER = bytes(range(32)), bytes(32)


@pytest.mark.parametrize("vector", vectors.KEYS)
def test_golden_keys(vector: dict[str, str]) -> None:
    secret = vectors.SECRETS[vector["secret"]]
    assert crypto.hkdf(secret, vector["salt"], vector["info"]).hex() == vector["key"]


def test_golden_sealing() -> None:
    sealed = bytes.fromhex(vectors.SESSION["sealed_hello"])
    assert crypto.seal(vectors.SESSION_KEY, "PS-Msg05", b"hello") == sealed
    assert crypto.unseal(vectors.SESSION_KEY, "PS-Msg05", sealed) == b"hello"


@pytest.mark.parametrize("data", [b"", b"short", bytes(40)])
def test_unsealing_what_was_not_sealed(data: bytes) -> None:
    with pytest.raises(DecryptionError):
        crypto.unseal(KEY, "PS-Msg06", data)


@pytest.mark.parametrize("size", [8, 12])
def test_golden_nonces(size: Literal[8, 12]) -> None:
    nonces = Nonces(size)
    taken = [nonces.next().hex() for _ in range(257)]
    assert [taken[0], taken[1], taken[256]] == vectors.SESSION[f"nonces_{size}"]
    assert nonces.count == 257


@given(
    st.lists(st.tuples(st.binary(max_size=50), st.none() | st.binary(max_size=8))),
    st.sampled_from([8, 12]),
)
def test_both_ends_agree(
    messages: list[tuple[bytes, bytes | None]], size: Literal[8, 12]
) -> None:
    ours, theirs = ChannelCipher(KEY, OTHER, size), ChannelCipher(OTHER, KEY, size)
    for data, aad in messages:
        sealed = ours.encrypt(data, aad)
        assert len(sealed) == len(data) + crypto.TAG_SIZE
        assert theirs.decrypt(sealed, aad) == data
        assert ours.decrypt(theirs.encrypt(data, aad), aad) == data


def test_the_layouts_of_nonces_differ() -> None:
    ours, theirs = ChannelCipher(KEY, OTHER, 8), ChannelCipher(OTHER, KEY, 12)
    assert theirs.decrypt(ours.encrypt(b"the first nonce is all zeros"))
    with pytest.raises(DecryptionError):
        theirs.decrypt(ours.encrypt(b"the second one is not"))


def test_nothing_decrypts_after_a_failure() -> None:
    ours, theirs = ChannelCipher(KEY, OTHER), ChannelCipher(OTHER, KEY)
    first, second = ours.encrypt(b"first"), ours.encrypt(b"second")
    with pytest.raises(DecryptionError):
        theirs.decrypt(first, b"other data beside it")
    for message in (first, second):
        with pytest.raises(DecryptionError):
            theirs.decrypt(message)


def test_a_message_twice() -> None:
    ours, theirs = ChannelCipher(KEY, OTHER), ChannelCipher(OTHER, KEY)
    message = ours.encrypt(b"once")
    assert theirs.decrypt(message) == b"once"
    with pytest.raises(DecryptionError):
        theirs.decrypt(message)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_impossible_public_keys(size: int) -> None:
    with pytest.raises(IdentityError):
        keys.check_signature(bytes(size), bytes(64), b"")
    with pytest.raises(ProtocolError):
        keys.KeyExchange().shared(bytes(size))


def test_a_public_key_that_everybody_can_use() -> None:
    with pytest.raises(ProtocolError):
        keys.KeyExchange().shared(bytes(32))
