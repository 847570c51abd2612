"""Pairing with the first Apple TVs, message by message (part A, section 5.4).

Pairing is a talk in property lists, verification one in plain bytes. What the device
signs is checked as far as its key is known: texts of credentials that other programs made
do not hold it.
"""

from hashlib import sha512
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from .. import plists
from ..errors import ProtocolError
from ..hap import keys
from ..hap.credentials import LegacyCredentials
from ..hap.errors import DecryptionError, PairingError
from ..hap.pair_setup import pin_text
from ..hap.srp import LEGACY_GROUP, SrpClient
from ..plists import PlistDict

_ID_SIZE: Final = 8
_KEY_SIZE: Final = 32
_SIGNATURE_SIZE: Final = 64
_AES_SIZE: Final = 16


def new_credentials() -> LegacyCredentials:
    """Return an identity that no device knows yet."""
    return LegacyCredentials(
        secrets.token_bytes(_ID_SIZE), secrets.token_bytes(_KEY_SIZE)
    )


class LegacySetup:
    """One pairing. The methods are called in the order in which they stand here."""

    def __init__(
        self,
        credentials: LegacyCredentials | None = None,
        *,
        srp_secret: bytes | None = None,
    ) -> None:
        """Choose an identity and a secret, unless given; that is for the tests."""
        self._ours = credentials or new_credentials()
        self._user = self._ours.client_id.hex().upper()
        self._was_proven = False
        self._srp = SrpClient(LEGACY_GROUP, self._user, secret=srp_secret)

    def start(self) -> PlistDict:
        """Return the first request, whose answer `prove` takes."""
        return {"method": "pin", "user": self._user}

    def prove(self, pin: str, answer: PlistDict) -> PlistDict:
        """Return the second request, made from the PIN that the user has read.

        Raises WrongPinError for a text that can be none, PairingError when it has been
        called before: a secret is good for one PIN; ProtocolError.
        """
        text = pin_text(pin)
        if self._was_proven:
            raise PairingError("This pairing has been tried with a PIN already")
        self._was_proven = True
        salt, public = _data(answer, "salt"), _data(answer, "pk")
        proof = self._srp.process(text, salt, public)
        return {"pk": self._srp.public, "proof": proof}

    def exchange_keys(self, answer: PlistDict) -> PlistDict:
        """Return the third request, with our public key.

        Raises IdentityError for a device that does not know the PIN, ProtocolError.
        """
        self._srp.verify(_data(answer, "proof"))
        public = keys.signing_public(self._ours.seed)
        sealed = self._cipher().encrypt(self._nonce(1), public, None)
        return {"epk": sealed[:_KEY_SIZE], "authTag": sealed[_KEY_SIZE:]}

    def finish(self, answer: PlistDict) -> LegacyCredentials:
        """Return what the pairing gave, the device's public key included.

        Raises DecryptionError, ProtocolError.
        """
        sealed = _data(answer, "epk") + _data(answer, "authTag")
        try:
            public = self._cipher().decrypt(self._nonce(2), sealed, None)
        except InvalidTag, ValueError:
            raise DecryptionError("The key of the device cannot be decrypted") from None
        if len(public) != _KEY_SIZE:
            raise ProtocolError("A public key of a wrong size")
        return LegacyCredentials(self._ours.client_id, self._ours.seed, public)

    def _cipher(self) -> AESGCM:
        return AESGCM(_derive("Pair-Setup-AES-Key", self._srp.key))

    def _nonce(self, step: int) -> bytes:
        """Return the derived nonce plus the number of the message.

        That a last byte of ff carries is the natural reading of the format; nobody has
        seen it.
        """
        first = int.from_bytes(_derive("Pair-Setup-AES-IV", self._srp.key))
        return ((first + step) % (1 << 8 * _AES_SIZE)).to_bytes(_AES_SIZE)


class LegacyVerify:
    """One verification. The methods are called in the order in which they stand here."""

    def __init__(
        self, credentials: LegacyCredentials, *, private_key: bytes | None = None
    ) -> None:
        """Choose a key for this connection; a given one is for the tests."""
        self._credentials = credentials
        self._exchange = keys.KeyExchange(private_key)

    def start(self) -> bytes:
        """Return the first request."""
        signing = keys.signing_public(self._credentials.seed)
        return b"\1\0\0\0" + self._exchange.public + signing

    def answer(self, data: bytes) -> bytes:
        """Take the first answer, in which the device signs, and return our signature.

        Raises IdentityError for another device than the one we paired with, as far as
        that is known; ProtocolError.
        """
        if len(data) != _KEY_SIZE + _SIGNATURE_SIZE:
            raise ProtocolError("An answer of a wrong size")
        theirs, sealed = data[:_KEY_SIZE], data[_KEY_SIZE:]
        ours = self._exchange.public
        # One stream of key bytes goes through both signatures.
        stream = _stream(self._exchange.shared(theirs))
        signature = stream.update(sealed)
        if self._credentials.ltpk:
            keys.check_signature(self._credentials.ltpk, signature, theirs + ours)
        signed = keys.sign(self._credentials.seed, ours + theirs)
        return bytes(4) + stream.update(signed)


def _stream(shared: bytes) -> CipherContext:
    key = _derive("Pair-Verify-AES-Key", shared)
    counter = _derive("Pair-Verify-AES-IV", shared)
    return Cipher(AES(key), CTR(counter)).encryptor()


def _derive(name: str, secret: bytes) -> bytes:
    return sha512(name.encode("ascii") + secret).digest()[:_AES_SIZE]


def _data(answer: PlistDict, key: str) -> bytes:
    if not (value := plists.get_bytes(answer, key)):
        raise ProtocolError(f"An answer without {key}")
    return value
