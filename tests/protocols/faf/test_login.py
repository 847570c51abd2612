"""The messages that log in."""

import hashlib

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.faf.errors import ProofFailedError
from custom_components.rumpus.protocols.faf.login import (
    PasswordLogin,
    TokenLogin,
    hash_password,
)
from custom_components.rumpus.protocols.faf.proof import MIN_PROOF, AnyProof

HASH = hash_password("correct horse")


class Proofs:
    """A proof that tells what it was asked for."""

    def __init__(self) -> None:
        self.sessions: list[int] = []

    async def prove(self, session: int) -> str:
        self.sessions.append(session)
        return f"proof-{session}"


class NoProof:
    async def prove(self, session: int) -> str:
        raise ProofFailedError("The helper cannot be started")


async def test_token() -> None:
    proofs = Proofs()

    async def token() -> str:
        # It may expire while the proof is made.
        assert proofs.sessions == [4294967294]
        return "a.b.c"

    assert await TokenLogin(token, proofs).request(4294967294) == {
        "command": "auth",
        "token": "a.b.c",
        "unique_id": "proof-4294967294",
        "session": 4294967294,
    }


async def test_password() -> None:
    assert await PasswordLogin("ha_user", HASH, Proofs()).request(7) == {
        "command": "hello",
        "login": "ha_user",
        "password": HASH,
        "unique_id": "proof-7",
        "session": 7,
    }


async def test_no_proof() -> None:
    async def token() -> str:
        raise AssertionError("no token is needed")

    with pytest.raises(ProofFailedError):
        await TokenLogin(token, NoProof()).request(1)
    with pytest.raises(ProofFailedError):
        await PasswordLogin("ha_user", HASH, NoProof()).request(1)


async def test_any_proof() -> None:
    proof = await AnyProof().prove(1)
    assert len(proof) >= MIN_PROOF
    assert proof.isascii()
    assert not any(character.isspace() for character in proof)


def test_secrets_are_in_no_repr() -> None:
    async def token() -> str:
        return "a.b.c"

    assert HASH not in repr(PasswordLogin("ha_user", HASH, AnyProof()))
    assert "a.b.c" not in repr(TokenLogin(token, AnyProof()))


def test_hash_of_password() -> None:
    assert hash_password("foo") == (
        "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
    )


@given(st.text())
def test_hash_of_any_password(password: str) -> None:
    assert hash_password(password) == hashlib.sha256(password.encode()).hexdigest()


def test_hash_of_half_a_character() -> None:
    assert len(hash_password("\ud800")) == 64
