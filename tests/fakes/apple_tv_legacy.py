"""The accessory's side of the pairing of AirPlay 1, for the fake Apple TV.

The Apple TV reference, part A, section 5.4. Bodies are dictionaries here; the server
reads and writes their property lists. A Refusal becomes an HTTP status.
"""

import hashlib
import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR, GCM

from tests.fakes.apple_tv_crypto import ErrorCode, WireError
from tests.fakes.apple_tv_hap import (
    Controller,
    Holder,
    PairingDesk,
    Refusal,
    check_signature,
)
from tests.fakes.apple_tv_srp import LEGACY, SrpServer

if TYPE_CHECKING:
    from collections.abc import Mapping


class LegacyAccessory(Holder):
    """Pairing and verification on one connection."""

    def __init__(self, desk: PairingDesk) -> None:
        """Begin with nothing."""
        super().__init__(desk, "airplay")
        self.is_verified = False
        self._legacy: SrpServer | None = None
        self._user = ""
        self._stream: CipherContext | None = None
        self._client_key = b""
        self._message = b""

    def setup(self, body: Mapping[str, object]) -> dict[str, bytes]:
        """Take one of the three bodies of `/pair-setup-pin`, return the answer's.

        Raises Refusal, of code 2 for a wrong PIN and for whatever makes no sense.
        """
        try:
            if "user" in body:
                return self._begin(body)
            if "proof" in body:
                return self._prove(body)
            return self._exchange(body)
        except (WireError, Refusal) as error:
            self._legacy = None
            self.desk.emit("setup_refused", protocol="airplay", why=str(error))
            self.desk.release(self)
            if isinstance(error, Refusal):
                raise
            raise Refusal(ErrorCode.AUTHENTICATION) from error

    def _begin(self, body: Mapping[str, object]) -> dict[str, bytes]:
        self._user = str(body["user"])
        if body.get("method") != "pin" or len(self._user) != 16:
            raise WireError("not a pairing by PIN")
        self._maybe_fail(2)
        self.desk.admit(self)
        self._legacy = SrpServer(LEGACY, self._user, self.desk.show_pin(self))
        return {"pk": self._legacy.public, "salt": self._legacy.salt}

    def _prove(self, body: Mapping[str, object]) -> dict[str, bytes]:
        self._maybe_fail(4)
        if self._legacy is None:
            raise WireError("nobody began to pair")
        try:
            proof = self._legacy.check(_bytes(body, "pk"), _bytes(body, "proof"))
        except WireError:
            self.desk.failed()
            raise
        if self.desk.wrong_proof:
            proof = bytes((proof[0] ^ 1,)) + proof[1:]
        return {"proof": proof}

    def _exchange(self, body: Mapping[str, object]) -> dict[str, bytes]:
        self._maybe_fail(6)
        if self._legacy is None or self._legacy.key is None:
            raise WireError("nobody proved the PIN")
        secret = self._legacy.key
        key = _derive("Pair-Setup-AES-Key", secret)
        start = int.from_bytes(_derive("Pair-Setup-AES-IV", secret))
        mask = (1 << 128) - 1
        first, second = ((start + n & mask).to_bytes(16) for n in (1, 2))
        opened = Cipher(AES(key), GCM(first, _bytes(body, "authTag"))).decryptor()
        try:
            public = opened.update(_bytes(body, "epk")) + opened.finalize()
        except InvalidTag as error:
            raise WireError("the client's key does not decrypt") from error
        controller = Controller(bytes.fromhex(self._user), public)
        self.controller = controller
        self.desk.paired("airplay", controller)
        self.desk.emit("paired", protocol="airplay", identifier=self._user, name=None)
        self._legacy = None
        self.desk.release(self)
        sealed = Cipher(AES(key), GCM(second)).encryptor()
        ours = self.desk.public_key
        if ("setup", 6) in self.desk.undecryptable:
            ours = secrets.token_bytes(32)
        return {
            "epk": sealed.update(ours) + sealed.finalize(),
            "authTag": sealed.tag,
        }

    def verify(self, body: bytes) -> bytes | None:
        """Take one of the two bodies of `/pair-verify`, return the answer's.

        None for no answer. Raises Refusal, for status 470.
        """
        try:
            if len(body) == 68 and body[:4] == b"\x01\0\0\0":
                return self._identify(body[4:36], body[36:])
            if len(body) == 68 and body[:4] == bytes(4) and self._stream is not None:
                return self._check(body[4:], self._stream)
        except (WireError, ValueError) as error:
            raise Refusal(ErrorCode.AUTHENTICATION) from error
        raise Refusal(ErrorCode.UNKNOWN)

    def _identify(self, theirs: bytes, client_key: bytes) -> bytes | None:
        self._maybe_fail(2, "verify")
        private = X25519PrivateKey.generate()
        ours = private.public_key().public_bytes_raw()
        shared = private.exchange(X25519PublicKey.from_public_bytes(theirs))
        key = _derive("Pair-Verify-AES-Key", shared)
        start = _derive("Pair-Verify-AES-IV", shared)
        self._client_key, self._message = client_key, theirs + ours
        self._stream = Cipher(AES(key), CTR(start)).encryptor()
        signature = self.desk.signing_key("verify").sign(ours + theirs)
        answer = ours + self._stream.update(signature)
        return None if ("verify", 2) in self.desk.silent else answer

    def _check(self, sealed: bytes, stream: CipherContext) -> bytes | None:
        self._maybe_fail(4, "verify")
        signature = stream.update(sealed)
        self._stream = None
        check_signature(self._client_key, signature, self._message)
        for controller in self.desk.pairings["airplay"].values():
            if controller.public_key == self._client_key:
                self.controller = controller
                self.is_verified = True
                self.desk.emit(
                    "verified", protocol="airplay", identifier=self._client_key.hex()
                )
                return None if ("verify", 4) in self.desk.silent else b""
        raise Refusal(ErrorCode.AUTHENTICATION)

    def _maybe_fail(self, number: int, procedure: str = "setup") -> None:
        for (name, step), code in self.desk.errors.items():
            if name == procedure and step == number:
                raise Refusal(code)


def _derive(salt: str, secret: bytes) -> bytes:
    return hashlib.sha512(salt.encode() + secret).digest()[:16]


def _bytes(body: Mapping[str, object], key: str) -> bytes:
    value = body.get(key)
    if not isinstance(value, bytes):
        raise WireError(f"{key} is missing")
    return value
