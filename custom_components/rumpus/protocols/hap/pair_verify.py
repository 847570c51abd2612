"""Proving who we are, and that the device is ours (the Apple TV reference, part A, 2.5)."""

import hmac
from typing import Final

from . import crypto, keys
from .credentials import HapCredentials
from .errors import IdentityError
from .tlv8 import Tag, decode, encode, raise_verify_error, require, require_state

_SIGNATURE_SIZE: Final = 64


class PairVerify:
    """One verification. The methods are called in the order in which they stand here."""

    def __init__(
        self, credentials: HapCredentials, *, private_key: bytes | None = None
    ) -> None:
        """Choose a key for this connection; a given one is for the tests."""
        self._credentials = credentials
        self._exchange = keys.KeyExchange(private_key)
        self._shared = b""

    def start(self) -> bytes:
        """Return M1."""
        return encode(((Tag.STATE, b"\x01"), (Tag.PUBLIC_KEY, self._exchange.public)))

    def answer(self, m2: bytes) -> bytes:
        """Take M2, in which the device proves who it is, and return M3, where we do.

        Raises IdentityError for another device than the one we paired with,
        CredentialsRefusedError, VerificationUnavailableError, DecryptionError,
        ProtocolError.
        """
        items = decode(m2)
        raise_verify_error(items)
        require_state(items, 2)
        theirs = require(items, Tag.PUBLIC_KEY, crypto.KEY_SIZE)
        sealed = require(items, Tag.ENCRYPTED_DATA)
        self._shared = self._exchange.shared(theirs)
        key = crypto.hkdf(
            self._shared, "Pair-Verify-Encrypt-Salt", "Pair-Verify-Encrypt-Info"
        )
        self._check_device(decode(crypto.unseal(key, "PV-Msg02", sealed)), theirs)
        ours, mine = self._exchange.public, self._credentials
        signature = keys.sign(mine.ltsk, ours + mine.client_id + theirs)
        inner = encode(((Tag.IDENTIFIER, mine.client_id), (Tag.SIGNATURE, signature)))
        sealed = crypto.seal(key, "PV-Msg03", inner)
        return encode(((Tag.STATE, b"\x03"), (Tag.ENCRYPTED_DATA, sealed)))

    def finish(self, m4: bytes) -> bytes:
        """Take M4 and return the secret that the keys are made from, 32 bytes.

        Raises CredentialsRefusedError, VerificationUnavailableError, ProtocolError.
        """
        items = decode(m4)
        raise_verify_error(items)
        require_state(items, 4)
        return self._shared

    def _check_device(self, inner: dict[int, bytes], theirs: bytes) -> None:
        device_id = require(inner, Tag.IDENTIFIER)
        signature = require(inner, Tag.SIGNATURE, _SIGNATURE_SIZE)
        known = self._credentials
        if not hmac.compare_digest(device_id, known.device_id):
            raise IdentityError("This is another device than the one of the pairing")
        signed = theirs + device_id + self._exchange.public
        keys.check_signature(known.ltpk, signature, signed)
