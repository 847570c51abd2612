"""Pairing, message by message (the Apple TV reference, part A, sections 2.4 and 2.6).

Whatever carries the messages hands over what came in, and sends what is returned. After
any error a new object on a new connection begins from the start.
"""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .. import opack
from . import crypto, keys
from .credentials import HapCredentials, new_client_id
from .errors import IdentityError, PairingError, WrongPinError
from .srp import HAP_GROUP, SrpClient
from .tlv8 import (
    Tag,
    decode,
    encode,
    raise_error,
    raise_verify_error,
    require,
    require_state,
)

MAX_PIN: Final = 8
"""Digits of a PIN. Screens show four."""
MAX_DEVICE_ID: Final = 256
"""Bytes of a device's identifier; real ones are UUIDs of 36."""

_USERNAME: Final = "Pair-Setup"
_TRANSIENT_PIN: Final = "3939"
_TRANSIENT_FLAG: Final = b"\x10"
_PROOF_SIZE: Final = 64
_SIGNATURE_SIZE: Final = 64


def pin_text(pin: str) -> str:
    """Return a PIN as both ends hash it: decimal digits, four at least.

    Raises WrongPinError for what can be none.
    """
    pin = pin.strip()
    if not (pin.isascii() and pin.isdecimal() and len(pin) <= MAX_PIN):
        raise WrongPinError("A PIN has digits only")
    return pin.zfill(4)


class _Prover:
    """The part that pairings with and without a PIN share: M2 to M4."""

    def __init__(self, secret: bytes | None) -> None:
        self._srp = SrpClient(HAP_GROUP, _USERNAME, secret=secret)

    def prove(self, pin: str, salt: bytes, server_public: bytes) -> bytes:
        """Return M3."""
        proof = self._srp.process(pin, salt, server_public)
        return encode(
            (
                (Tag.STATE, b"\x03"),
                (Tag.PUBLIC_KEY, self._srp.public),
                (Tag.PROOF, proof),
            )
        )

    def check(self, items: dict[int, bytes]) -> bytes:
        """Return the session key when M4 proves that the device has it, too."""
        require_state(items, 4)
        self._srp.verify(require(items, Tag.PROOF, _PROOF_SIZE))
        return self._srp.key


class PairSetup:
    """One pairing with the PIN that the device shows.

    The methods are called in the order in which they stand here.
    """

    def __init__(
        self,
        *,
        name: str | None,
        client_id: bytes | None = None,
        seed: bytes | None = None,
        srp_secret: bytes | None = None,
    ) -> None:
        """Choose an identity and a secret, unless given.

        The name is what the device may show for us in its list. The seed is that of our
        Ed25519 key, 32 bytes; srp_secret is for the tests.
        """
        self._name = name
        self._client_id = client_id or new_client_id().encode("ascii")
        self._seed = seed or Ed25519PrivateKey.generate().private_bytes_raw()
        self._prover = _Prover(srp_secret)
        self._was_proven = False
        self._salt = b""
        self._server_public = b""
        self._key = b""

    def start(self) -> bytes:
        """Return M1, which makes the device show its PIN."""
        return encode(((Tag.METHOD, b"\0"), (Tag.STATE, b"\x01")))

    def answer_salt(self, m2: bytes) -> None:
        """Take M2; from here on the PIN is on the screen.

        Raises PairingError, ProtocolError.
        """
        items = decode(m2)
        raise_error(items)
        require_state(items, 2)
        self._salt = require(items, Tag.SALT)
        self._server_public = require(items, Tag.PUBLIC_KEY)

    def prove(self, pin: str) -> bytes:
        """Return M3, made from the PIN that the user has read.

        Raises WrongPinError for a text that can be none, upon which another one may be
        tried, ProtocolError for numbers in M2 that are of no use, and PairingError when
        it has been called before: a secret is good for one PIN. This takes some 30 ms of
        computing.
        """
        text = pin_text(pin)
        if self._was_proven:
            raise PairingError("This pairing has been tried with a PIN already")
        self._was_proven = True
        return self._prover.prove(text, self._salt, self._server_public)

    def verify_proof(self, m4: bytes) -> bytes:
        """Take M4 and return M5, our identity.

        Raises WrongPinError, PairingError, IdentityError for a device that does not know
        the PIN itself, ProtocolError.
        """
        items = decode(m4)
        raise_error(items)
        self._key = self._prover.check(items)
        prefix = crypto.hkdf(
            self._key,
            "Pair-Setup-Controller-Sign-Salt",
            "Pair-Setup-Controller-Sign-Info",
        )
        public = keys.signing_public(self._seed)
        inner = [
            (Tag.IDENTIFIER, self._client_id),
            (Tag.PUBLIC_KEY, public),
            (Tag.SIGNATURE, keys.sign(self._seed, prefix + self._client_id + public)),
        ]
        if self._name is not None:
            inner.append((Tag.NAME, opack.encode({"name": self._name})))
        sealed = crypto.seal(self._message_key(), "PS-Msg05", encode(inner))
        return encode(((Tag.STATE, b"\x05"), (Tag.ENCRYPTED_DATA, sealed)))

    def finish(self, m6: bytes) -> HapCredentials:
        """Take M6, the device's identity, and return what the pairing gave.

        Raises PairingError, DecryptionError, IdentityError for a wrong signature,
        ProtocolError.
        """
        items = decode(m6)
        raise_error(items)
        require_state(items, 6)
        sealed = require(items, Tag.ENCRYPTED_DATA)
        inner = decode(crypto.unseal(self._message_key(), "PS-Msg06", sealed))
        device_id = require(inner, Tag.IDENTIFIER)
        public = require(inner, Tag.PUBLIC_KEY, crypto.KEY_SIZE)
        signature = require(inner, Tag.SIGNATURE, _SIGNATURE_SIZE)
        if len(device_id) > MAX_DEVICE_ID:
            raise IdentityError("The identifier of the device is too long")
        prefix = crypto.hkdf(
            self._key,
            "Pair-Setup-Accessory-Sign-Salt",
            "Pair-Setup-Accessory-Sign-Info",
        )
        keys.check_signature(public, signature, prefix + device_id + public)
        return HapCredentials(public, self._seed, device_id, self._client_id)

    def _message_key(self) -> bytes:
        return crypto.hkdf(
            self._key, "Pair-Setup-Encrypt-Salt", "Pair-Setup-Encrypt-Info"
        )


class TransientPairing:
    """One pairing that nobody remembers, for devices that let everybody in.

    The methods are called in the order in which they stand here. Errors are those of
    checking credentials, since the user has no part in it: CredentialsRefusedError,
    VerificationUnavailableError, IdentityError, ProtocolError.
    """

    def __init__(self, *, srp_secret: bytes | None = None) -> None:
        """Choose a secret; a given one is for the tests."""
        self._prover = _Prover(srp_secret)

    def start(self) -> bytes:
        """Return M1."""
        return encode(
            (
                (Tag.METHOD, b"\0"),
                (Tag.STATE, b"\x01"),
                (Tag.FLAGS, _TRANSIENT_FLAG),
            )
        )

    def prove(self, m2: bytes) -> bytes:
        """Take M2 and return M3; see `PairSetup.prove`."""
        items = decode(m2)
        raise_verify_error(items)
        require_state(items, 2)
        salt, public = require(items, Tag.SALT), require(items, Tag.PUBLIC_KEY)
        return self._prover.prove(_TRANSIENT_PIN, salt, public)

    def finish(self, m4: bytes) -> bytes:
        """Take M4 and return the secret that the keys are made from, 64 bytes."""
        items = decode(m4)
        raise_verify_error(items)
        return self._prover.check(items)
