"""The two ways to log in to a lobby (the FAF reference, section 6.1)."""

from collections.abc import Awaitable, Callable
import hashlib
from typing import Protocol

from ..json_lines import JsonObject
from .proof import Proof

type TokenSource = Callable[[], Awaitable[str]]


class Login(Protocol):
    """Who logs in, and how."""

    async def request(self, session: int) -> JsonObject:
        """Return the message that logs in to the session of that number.

        Raises ProofFailedError, and what the source of a token does. It is asked for
        once per connection.
        """
        ...


class TokenLogin:
    """Logs in with an OAuth access token, as official lobbies want it."""

    def __init__(self, token: TokenSource, proof: Proof) -> None:
        """Take what gives a valid access token, and what proves the machine."""
        self._token = token
        self._proof = proof

    async def request(self, session: int) -> JsonObject:
        """Return the message `auth`."""
        proof = await self._proof.prove(session)
        # The token comes last: it may expire while the proof is made.
        return {
            "command": "auth",
            "token": await self._token(),
            "unique_id": proof,
            "session": session,
        }


class PasswordLogin:
    """Logs in with a name and a password, as self-run lobbies allow."""

    def __init__(self, login: str, password_hash: str, proof: Proof) -> None:
        """Take the hash of the password as `hash_password` makes it."""
        self._login = login
        self._password_hash = password_hash
        self._proof = proof

    async def request(self, session: int) -> JsonObject:
        """Return the message `hello`."""
        return {
            "command": "hello",
            "login": self._login,
            "password": self._password_hash,
            "unique_id": await self._proof.prove(session),
            "session": session,
        }


def hash_password(password: str) -> str:
    """Return the hash that stands for a password, which is as secret as that."""
    return hashlib.sha256(password.encode("utf-8", "surrogatepass")).hexdigest()
