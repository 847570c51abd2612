"""The accessory's side of SRP-6a, in both variants that Apple uses.

The Apple TV reference, part A, sections 2.3 and 5.4.
"""

from collections.abc import Callable
from dataclasses import dataclass
import hashlib
import hmac
import secrets

from tests.fakes.apple_tv_crypto import WireError

_N_3072 = int(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea6"
    "3b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245"
    "e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f2411"
    "7c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f"
    "83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08"
    "ca18217c32905e462e36ce3be39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9"
    "de2bcbf6955817183995497cea956ae515d2261898fa051015728e5a8aaac42dad33170d"
    "04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7"
    "abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d8760273"
    "3ec86a64521f2b18177b200cbbe117577a615d6c770988c0bad946e208e24fa074e5ab31"
    "43db5bfce0fd108e4b82d120a93ad2caffffffffffffffff",
    16,
)
_N_2048 = int(
    "ac6bdb41324a9a9bf166de5e1389582faf72b6651987ee07fc3192943db56050a37329cb"
    "b4a099ed8193e0757767a13dd52312ab4b03310dcd7f48a9da04fd50e8083969edb767b0"
    "cf6095179a163ab3661a05fbd5faaae82918a9962f0b93b855f97993ec975eeaa80d740a"
    "dbf4ff747359d041d5c33ea71d281e446b14773bca97b43a23fb801676bd207a436c6481"
    "f1d2b9078717461a5b9d32e688f87748544523b524b0d57d5ea77a2775d2ecfa032cfbdb"
    "f52fb3786160279004e57ae6af874e7303ce53299ccc041c7bc308d82a5698f3a8d0c382"
    "71ae35f8e9dbfbb694b5c803d89f7ae435de236d525f54759b65e372fcd68ef20fa7111f"
    "9e4aff73",
    16,
)


@dataclass(frozen=True, slots=True)
class Group:
    """One variant: its group, its hash, and how the session key is made of S."""

    prime: int
    generator: int
    digest: Callable[[bytes], bytes]
    key: Callable[[bytes], bytes]

    @property
    def size(self) -> int:
        """Bytes of a padded number."""
        return (self.prime.bit_length() + 7) // 8


def _sha512(data: bytes) -> bytes:
    return hashlib.sha512(data).digest()


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def _interleaved(shared: bytes) -> bytes:
    return _sha1(shared + bytes(4)) + _sha1(shared + bytes((0, 0, 0, 1)))


HAP = Group(_N_3072, 5, _sha512, _sha512)
LEGACY = Group(_N_2048, 2, _sha1, _interleaved)


def _shortest(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)


class SrpServer:
    """One exchange; `key` is there once the client's proof was right."""

    def __init__(
        self,
        group: Group,
        user: str,
        password: str,
        salt: bytes | None = None,
        secret: int | None = None,
    ) -> None:
        """Draw salt and secret, so that the public key has no leading zeros."""
        self._group = group
        self._user = user.encode()
        self.salt = secrets.token_bytes(16) if salt is None else salt
        inner = group.digest(self._user + b":" + password.encode())
        x = int.from_bytes(group.digest(self.salt + inner))
        self._verifier = pow(group.generator, x, group.prime)
        self._secret = secret or secrets.randbits(256)
        while secret is None and len(self.public) < group.size:
            self._secret = secrets.randbits(256)
        self.key: bytes | None = None

    @property
    def public(self) -> bytes:
        """B, as it is sent."""
        return _shortest(self._public)

    @property
    def _public(self) -> int:
        group = self._group
        padded = group.prime.to_bytes(group.size) + group.generator.to_bytes(group.size)
        k = int.from_bytes(group.digest(padded))
        return (
            k * self._verifier + pow(group.generator, self._secret, group.prime)
        ) % group.prime

    def check(self, client_public: bytes, proof: bytes) -> bytes:
        """Return our proof. Raises WireError when the client's is wrong."""
        group = self._group
        a, b = int.from_bytes(client_public), self._public
        if a % group.prime == 0 or len(client_public) > group.size:
            raise WireError("the client's public key is no good")
        u = int.from_bytes(
            group.digest(a.to_bytes(group.size) + b.to_bytes(group.size))
        )
        base = a * pow(self._verifier, u, group.prime)
        key = group.key(_shortest(pow(base, self._secret, group.prime)))
        digests = (
            group.digest(_shortest(group.prime)),
            group.digest(_shortest(group.generator)),
        )
        mixed = bytes(one ^ two for one, two in zip(*digests, strict=True))
        expected = group.digest(
            mixed
            + group.digest(self._user)
            + self.salt
            + _shortest(a)
            + _shortest(b)
            + key
        )
        if not hmac.compare_digest(expected, proof):
            raise WireError("the client's proof is wrong")
        self.key = key
        return group.digest(_shortest(a) + expected + key)
