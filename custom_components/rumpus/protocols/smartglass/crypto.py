"""The keys of a session, and what they encrypt and authenticate (the SmartGlass reference).

Section 5. Nothing is decrypted, let alone looked at, before its MAC has been checked.
"""

from functools import lru_cache
from hashlib import sha256, sha512
from hmac import compare_digest
import os
import struct
from typing import Final, Self
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ..errors import MessageTooLargeError, ProtocolError
from .const import MAX_DATAGRAM
from .enums import MessageType, PacketType, PublicKeyType
from .packets import (
    IV_SIZE,
    MAC_SIZE,
    ConnectHello,
    ConnectRequest,
    ConnectResponse,
    MessageHeader,
    decode_hello,
    encode_hello,
    encode_protected_head,
    padded,
    split_protected,
)

CURVES: Final[dict[PublicKeyType, ec.EllipticCurve]] = {
    PublicKeyType.EC_DH_P256: ec.SECP256R1(),
    PublicKeyType.EC_DH_P384: ec.SECP384R1(),
    PublicKeyType.EC_DH_P521: ec.SECP521R1(),
}

_SALT_BEFORE: Final = bytes.fromhex("D637F1AAE2F0418C")
_SALT_AFTER: Final = bytes.fromhex("A8F81A574E228AB7")
_SECRET_SIZE: Final = 64
_POINT: Final = b"\x04"

_HEADER: Final = struct.Struct(">HHIIIHQ")
_HEADER_SIZE: Final = _HEADER.size
_MESSAGE: Final = PacketType.MESSAGE.value
MAX_MESSAGE: Final = (MAX_DATAGRAM - _HEADER_SIZE - MAC_SIZE) & ~15
"""Bytes of a payload; we send no datagram that we would not look at."""

_NEED_ACK: Final = 0x2000
_IS_FRAGMENT: Final = 0x1000
_TYPE: Final = 0x0FFF
_VERSION_SHIFT: Final = 14
_MAX_VERSION: Final = 3
_MAX_FLAGS: Final = 256
"""Combinations of flags and types that are kept; both sides use some sixty."""
_MESSAGE_TYPES: Final = {member.value: member for member in MessageType}
_PADDING: Final = tuple(bytes([count]) * count for count in range(16))
_HMAC_BLOCK: Final = 64

# What is looked up for each datagram, without a way through modules and classes.
_from_bytes: Final = int.from_bytes
_make_header: Final = tuple.__new__


class Crypto:
    """The keys that both sides share, and what each needs to send and to receive.

    It belongs to one event loop: the ciphers go on where the last packet ended.
    """

    __slots__ = (
        "_cipher_key",
        "_decrypt",
        "_derive_iv",
        "_encrypt",
        "_encrypted",
        "_mac_inner",
        "_mac_outer",
        "public_key",
        "public_key_type",
    )

    def __init__(
        self, secret: bytes, public_key_type: PublicKeyType, public_key: bytes
    ) -> None:
        """Split the expanded secret of 64 bytes; use one of the other ways to make one."""
        self.public_key_type: Final = public_key_type
        self.public_key: Final = public_key
        self._cipher_key: Final = secret[:16]
        iv_key, mac_key = secret[16:32], secret[32:]
        # One block in CBC with an IV of zeros is a block in ECB.
        self._derive_iv: Final = _cipher(iv_key, modes.ECB()).encryptor().update  # noqa: S305
        zeros = bytes(IV_SIZE)
        session = _cipher(self._cipher_key, modes.CBC(zeros))
        self._encrypt: Final = session.encryptor().update
        self._decrypt: Final = session.decryptor().update
        # The last block of ciphertext, as a number.
        self._encrypted = 0
        # The two hashes of HMAC, ready with the key: copies of them save half of its time.
        block = mac_key.ljust(_HMAC_BLOCK, b"\0")
        self._mac_inner: Final = sha256(bytes(byte ^ 0x36 for byte in block))
        self._mac_outer: Final = sha256(bytes(byte ^ 0x5C for byte in block))

    @classmethod
    def from_certificate_key(cls, peer: ec.EllipticCurvePublicKey) -> Self:
        """Make a new key pair on the curve of a console's key, and agree with it.

        Raises ProtocolError for a curve that SmartGlass does not know.
        """
        curve = CURVES[_key_type(peer)]
        return cls.from_keys(ec.generate_private_key(curve), peer)

    @classmethod
    def from_keys(
        cls, private_key: ec.EllipticCurvePrivateKey, peer: ec.EllipticCurvePublicKey
    ) -> Self:
        """Agree with a peer on the keys of a session (section 5.1).

        Raises ProtocolError when the keys are on different curves, or unknown ones.
        """
        own = private_key.public_key()
        key_type = _key_type(own)
        if _key_type(peer) is not key_type:
            raise ProtocolError("Keys on different curves")
        # The secret comes with its leading zero bytes, which count.
        secret = private_key.exchange(ec.ECDH(), peer)
        expanded = sha512(_SALT_BEFORE + secret + _SALT_AFTER).digest()
        return cls(expanded, key_type, encode_public_key(own))

    @classmethod
    def from_expanded_secret(
        cls,
        secret: bytes,
        public_key_type: PublicKeyType = PublicKeyType.EC_DH_P256,
        public_key: bytes = b"",
    ) -> Self:
        """Take keys that were agreed on elsewhere. Raises ProtocolError for a wrong size."""
        if len(secret) != _SECRET_SIZE:
            raise ProtocolError(f"Secret of another size than {_SECRET_SIZE} bytes")
        return cls(secret, public_key_type, public_key)

    def seal_connect_request(
        self, client_uuid: UUID, request: ConnectRequest, *, iv: bytes | None = None
    ) -> bytes:
        """Return a ConnectRequest as a datagram (section 4.3), with a new IV by default.

        Raises ProtocolError for what does not fit.
        """
        iv = os.urandom(IV_SIZE) if iv is None else iv
        hello = ConnectHello(client_uuid, self.public_key_type, self.public_key, iv)
        return self._seal(
            PacketType.CONNECT_REQUEST, encode_hello(hello), iv, request.encode()
        )

    def open_connect_request(self, datagram: bytes) -> ConnectRequest:
        """Return what a ConnectRequest protects; for the keys see read_connect_request."""
        clear, size = split_protected(datagram, PacketType.CONNECT_REQUEST)
        iv = decode_hello(clear).iv
        return ConnectRequest.decode(self._open(datagram, iv, size))

    def seal_connect_response(
        self, response: ConnectResponse, *, iv: bytes | None = None
    ) -> bytes:
        """Return a ConnectResponse as a datagram (section 4.4), with a new IV by default."""
        iv = os.urandom(IV_SIZE) if iv is None else iv
        return self._seal(PacketType.CONNECT_RESPONSE, iv, iv, response.encode())

    def open_connect_response(self, datagram: bytes) -> ConnectResponse:
        """Return what a ConnectResponse protects.

        Raises ProtocolError for what is none, or was not made with these keys.
        """
        iv, size = split_protected(datagram, PacketType.CONNECT_RESPONSE)
        if len(iv) != IV_SIZE:
            raise ProtocolError("Connect response without an IV")
        return ConnectResponse.decode(self._open(datagram, iv, size))

    def seal_message(self, header: MessageHeader, plaintext: bytes) -> bytes:
        """Return a message as a datagram (section 6.1).

        Raises ProtocolError for numbers that do not fit the header and an empty payload,
        which nothing would authenticate; MessageTooLargeError beyond MAX_MESSAGE.
        """
        size = len(plaintext)
        if not 0 < size <= MAX_MESSAGE:
            if size:
                raise MessageTooLargeError(f"Payload of more than {MAX_MESSAGE} bytes")
            raise ProtocolError("Message without a payload")
        head = _encode_header(header, size)
        text = plaintext + _PADDING[-size % 16]
        # The cipher still has the last block of what it encrypted before in the place of
        # the IV. To make a new one takes ten times as long as to take that back.
        start = (
            _from_bytes(text[:16])
            ^ _from_bytes(self._derive_iv(head[:16]))
            ^ self._encrypted
        )
        body = self._encrypt(start.to_bytes(16) + text[16:])
        self._encrypted = _from_bytes(body[-16:])
        signed = head + body
        return signed + self._mac(signed)

    def open_message(self, datagram: bytes) -> tuple[MessageHeader, bytes]:
        """Return the header and the payload of a message.

        Raises ProtocolError for what is no message, or was not made with these keys.
        """
        length = len(datagram)
        if not _HEADER_SIZE + MAC_SIZE <= length <= MAX_DATAGRAM:
            raise ProtocolError("Datagram of a length that no message has")
        fields = _HEADER.unpack_from(datagram)
        kind, size, sequence, target, source, flags, channel = fields
        if kind != _MESSAGE or _HEADER_SIZE + padded(size) + MAC_SIZE != length:
            raise ProtocolError("Datagram that is no message of its length")
        signed = datagram[:-MAC_SIZE]
        if not compare_digest(self._mac(signed), datagram[-MAC_SIZE:]):
            raise ProtocolError("Message with a wrong MAC")
        # In CBC a block of ciphertext is the IV of the next: decrypted as one more block in
        # front, the IV turns into nothing of interest, and the cipher can be used on and on.
        iv = self._derive_iv(datagram[:IV_SIZE])
        text = self._decrypt(iv + signed[_HEADER_SIZE:])
        message_type, need_ack, is_fragment, version = _split_flags(flags)
        header = _make_header(
            MessageHeader,
            (
                sequence,
                target,
                source,
                message_type,
                channel,
                need_ack,
                is_fragment,
                version,
            ),
        )
        return header, text[IV_SIZE : IV_SIZE + size]

    def _seal(
        self, kind: PacketType, clear: bytes, iv: bytes, plaintext: bytes
    ) -> bytes:
        if len(iv) != IV_SIZE:
            raise ProtocolError("IV of a wrong size")
        size = len(plaintext)
        encryptor = _cipher(self._cipher_key, modes.CBC(iv)).encryptor()
        signed = encode_protected_head(kind, clear, size) + encryptor.update(
            plaintext + _PADDING[-size % 16]
        )
        return signed + self._mac(signed)

    def _open(self, datagram: bytes, iv: bytes, size: int) -> bytes:
        signed = datagram[:-MAC_SIZE]
        if not compare_digest(self._mac(signed), datagram[-MAC_SIZE:]):
            raise ProtocolError("Datagram with a wrong MAC")
        decryptor = _cipher(self._cipher_key, modes.CBC(iv)).decryptor()
        return decryptor.update(signed[len(signed) - padded(size) :])[:size]

    def _mac(self, signed: bytes) -> bytes:
        inner = self._mac_inner.copy()
        inner.update(signed)
        outer = self._mac_outer.copy()
        outer.update(inner.digest())
        return outer.digest()


def encode_public_key(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return X and Y of a key, each as long as its curve's field (section 5.1)."""
    size = (key.curve.key_size + 7) // 8
    numbers = key.public_numbers()
    return numbers.x.to_bytes(size) + numbers.y.to_bytes(size)


def decode_public_key(
    key_type: PublicKeyType, encoded: bytes
) -> ec.EllipticCurvePublicKey:
    """Return the key that X and Y stand for.

    Raises ProtocolError for an unknown curve, a wrong size or a point off the curve.
    """
    curve = CURVES.get(key_type)
    if curve is not None:
        try:
            return ec.EllipticCurvePublicKey.from_encoded_point(curve, _POINT + encoded)
        except ValueError:
            pass
    raise ProtocolError("Public key that is none")


def read_connect_request(datagram: bytes) -> tuple[UUID, ec.EllipticCurvePublicKey]:
    """Return who wants to connect and the key to agree with, at the console's side.

    Raises ProtocolError for what is no ConnectRequest with a valid key.
    """
    hello = decode_hello(split_protected(datagram, PacketType.CONNECT_REQUEST)[0])
    return hello.client_uuid, decode_public_key(hello.public_key_type, hello.public_key)


def _cipher[M: (modes.CBC, modes.ECB)](key: bytes, mode: M) -> Cipher[M]:
    return Cipher(algorithms.AES(key), mode)


def _key_type(key: ec.EllipticCurvePublicKey) -> PublicKeyType:
    for key_type, curve in CURVES.items():
        if curve.name == key.curve.name:
            return key_type
    raise ProtocolError("Key on a curve that SmartGlass does not know")


@lru_cache(_MAX_FLAGS)
def _split_flags(flags: int) -> tuple[MessageType | int, bool, bool, int]:
    """Return the type, need_ack, is_fragment and the version."""
    return (
        _MESSAGE_TYPES.get(flags & _TYPE, flags & _TYPE),
        flags & _NEED_ACK != 0,
        flags & _IS_FRAGMENT != 0,
        flags >> _VERSION_SHIFT,
    )


def _encode_header(header: MessageHeader, size: int) -> bytes:
    sequence, target, source, kind, channel, need_ack, is_fragment, version = header
    if not (0 <= kind <= _TYPE and 0 <= version <= _MAX_VERSION):
        raise ProtocolError("Message type or version that does not fit a header")
    flags = kind | version << _VERSION_SHIFT
    if need_ack:
        flags |= _NEED_ACK
    if is_fragment:
        flags |= _IS_FRAGMENT
    try:
        return _HEADER.pack(_MESSAGE, size, sequence, target, source, flags, channel)
    except struct.error:
        problem = "Number that does not fit a header"
    raise ProtocolError(problem)
