"""Proving to know a PIN without telling it (the Apple TV reference, part A, section 2.3).

This is the client of SRP-6a as Apple writes it: k and u are hashes of padded numbers, all
else is hashed, and sent, in the shortest form.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1, sha512
import hmac
import secrets
from typing import Final

from ..errors import ProtocolError
from .errors import IdentityError

SECRET_SIZE: Final = 32
"""Bytes of our secret number."""
MAX_SALT: Final = 64
"""Bytes of a device's salt; real ones have 16."""

_PRIME_3072: Final = int(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a"
    "08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9"
    "a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163"
    "bf0598da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d"
    "670c354e4abc9804f1746c08ca18217c32905e462e36ce3be39e772c180e86039b2783a2ec07a28fb5c5"
    "5df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa051015728e5a8aaac42dad33170d"
    "04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7abf5ae8cdb09"
    "33d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200c"
    "bbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a93ad2caffff"
    "ffffffffffff",
    16,
)
_PRIME_2048: Final = int(
    "ac6bdb41324a9a9bf166de5e1389582faf72b6651987ee07fc3192943db56050a37329cbb4a099ed8193"
    "e0757767a13dd52312ab4b03310dcd7f48a9da04fd50e8083969edb767b0cf6095179a163ab3661a05fb"
    "d5faaae82918a9962f0b93b855f97993ec975eeaa80d740adbf4ff747359d041d5c33ea71d281e446b14"
    "773bca97b43a23fb801676bd207a436c6481f1d2b9078717461a5b9d32e688f87748544523b524b0d57d"
    "5ea77a2775d2ecfa032cfbdbf52fb3786160279004e57ae6af874e7303ce53299ccc041c7bc308d82a56"
    "98f3a8d0c38271ae35f8e9dbfbb694b5c803d89f7ae435de236d525f54759b65e372fcd68ef20fa7111f"
    "9e4aff73",
    16,
)


def _sha512(data: bytes) -> bytes:
    return sha512(data).digest()


def _sha1(data: bytes) -> bytes:
    # The old devices know no other one.
    return sha1(data, usedforsecurity=False).digest()


def _legacy_key(shared: bytes) -> bytes:
    return _sha1(shared + bytes(4)) + _sha1(shared + b"\0\0\0\1")


@dataclass(frozen=True, slots=True)
class SrpGroup:
    """What both ends agree on beforehand."""

    prime: int
    generator: int
    hash: Callable[[bytes], bytes]
    session_key: Callable[[bytes], bytes]
    """From the shared number, in its shortest form."""

    @property
    def size(self) -> int:
        """Bytes of a number."""
        return (self.prime.bit_length() + 7) // 8


HAP_GROUP: Final = SrpGroup(_PRIME_3072, 5, _sha512, _sha512)
"""The group of 3072 bit of RFC 5054, with SHA-512."""
LEGACY_GROUP: Final = SrpGroup(_PRIME_2048, 2, _sha1, _legacy_key)
"""The group of 2048 bit with SHA-1, and a session key of 40 bytes (section 5.4)."""


class SrpClient:
    """One attempt to prove a PIN. Every object has a secret of its own."""

    def __init__(
        self, group: SrpGroup, username: str, *, secret: bytes | None = None
    ) -> None:
        """Choose a secret; a given one is for the tests.

        A public number with zeros in front, which some devices may hash otherwise, is
        avoided unless the secret is given.
        """
        self._group = group
        self._username = username.encode()
        if secret is None:
            self._secret, self._public = _fresh(group)
        else:
            self._secret = int.from_bytes(secret)
            self._public = pow(group.generator, self._secret, group.prime)
        self._key = b""
        self._expected = b""

    @property
    def public(self) -> bytes:
        """Our public number (A)."""
        return _shortest(self._public)

    @property
    def key(self) -> bytes:
        """The session key (K), once the device's number was processed."""
        if not self._key:
            raise RuntimeError("There is no session key yet")
        return self._key

    def process(self, password: str, salt: bytes, server_public: bytes) -> bytes:
        """Return our proof (M1) from the device's salt and public number (B).

        Raises ProtocolError for numbers that would give the secret away.
        """
        group = self._group
        if not 0 < len(salt) <= MAX_SALT:
            raise ProtocolError("A salt of an impossible size")
        if len(server_public) > group.size:
            raise ProtocolError("A public number that is too large")
        number = int.from_bytes(server_public)
        if not 0 < number < group.prime:
            raise ProtocolError("A public number outside of its group")
        scramble = self._number(self._padded(self._public) + self._padded(number))
        if scramble == 0:
            raise ProtocolError("A public number that scrambles nothing")
        shared = self._shared(self._password_number(password, salt), number, scramble)
        self._key = group.session_key(_shortest(shared))
        public = self.public
        proof = group.hash(
            self._group_hash()
            + group.hash(self._username)
            + salt
            + public
            + _shortest(number)
            + self._key
        )
        self._expected = group.hash(public + proof + self._key)
        return proof

    def verify(self, server_proof: bytes) -> None:
        """Raise IdentityError unless the device's proof (M2) shows that it knew the PIN."""
        if not self._expected:
            raise RuntimeError("There is nothing to compare a proof with yet")
        if not hmac.compare_digest(self._expected, server_proof):
            raise IdentityError("The device did not prove that it knows the PIN")

    def _shared(self, password: int, server: int, scramble: int) -> int:
        prime, generator = self._group.prime, self._group.generator
        multiplier = self._number(self._padded(prime) + self._padded(generator))
        base = (server - multiplier * pow(generator, password, prime)) % prime
        return pow(base, self._secret + scramble * password, prime)

    def _password_number(self, password: str, salt: bytes) -> int:
        hashed = self._group.hash(self._username + b":" + password.encode())
        return self._number(salt + hashed)

    def _group_hash(self) -> bytes:
        prime = self._group.hash(_shortest(self._group.prime))
        generator = self._group.hash(_shortest(self._group.generator))
        return bytes(one ^ other for one, other in zip(prime, generator, strict=True))

    def _number(self, data: bytes) -> int:
        return int.from_bytes(self._group.hash(data))

    def _padded(self, number: int) -> bytes:
        return number.to_bytes(self._group.size)


def _fresh(group: SrpGroup) -> tuple[int, int]:
    """Return a secret and the public number of it, which fills all of its bytes."""
    while True:
        secret = secrets.randbits(8 * SECRET_SIZE)
        public = pow(group.generator, secret, group.prime)
        if len(_shortest(public)) == group.size:
            return secret, public


def _shortest(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)
