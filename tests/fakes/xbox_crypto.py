"""The fake console's keys, certificate and encryption (sections 4.2 and 5)."""

from dataclasses import dataclass, field
import datetime as dt
import functools
import hashlib
import hmac
import os
import struct
from typing import Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.fakes.xbox_wire import (
    CONNECT_REQUEST,
    CONNECT_RESPONSE,
    Header,
    Simple,
    WireError,
    pack_string,
)

type Curve = Literal["P-256", "P-384", "P-521"]

CURVES: dict[Curve, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
KEY_TYPES: tuple[Curve, ...] = ("P-256", "P-384", "P-521")
POINT_SIZES = (64, 96, 132)

# The console of the reference, section 17.1.
VECTOR_PRIVATE = 0x7241A85CE0170EA957C1211EDFE4EA282B710849A61FC535DF676730DFB654
VECTOR_CLIENT_PRIVATE = 0xED228618DDA2C378484EAEF8E2EC0EB765BF1DDF70BB619426336E229C63B6
VECTOR_CERTIFICATE = bytes.fromhex(
    "3082012c3081d4a00302010202051122334455300a06082a8648ce3d04030230223120301e060355"
    "04030c1753696d756c6174656420536d617274476c617373204341301e170d323530313031303030"
    "3030305a170d3435303130313030303030305a301b3119301706035504030c104644303031313232"
    "3333343435353636305930"
    "1306072a8648ce3d020106082a8648ce3d0301070342000456dfcd8e"
    "e9d7f5adb34de081414802e59b7c8d27866bff04431e5d6cd1b3f950ffa6eb6ff2d98816f0374576"
    "0f17b3c5dd58ebd4ee0dfb5d21b19b70c2203a52300a06082a8648ce3d040302034700304402200e"
    "c4e09765dc909046f166bda685f6d733c0fce2a607c33e756f9447c2bcc7d40220335bb6241abaa5"
    "401242a187277c828bf71ef8bfbe37fb46d2b8d1f4f6ef737d"
)


def _aes_cbc(key: bytes, iv: bytes, data: bytes, *, encrypt: bool) -> bytes:
    cipher = Cipher(algorithms.AES(key), modes.CBC(iv))
    context = cipher.encryptor() if encrypt else cipher.decryptor()
    return context.update(data) + context.finalize()


def pad(plaintext: bytes) -> bytes:
    """Pad to whole blocks; what is whole already stays."""
    missing = -len(plaintext) % 16
    return plaintext + bytes([missing]) * missing


def point_bytes(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return X and Y."""
    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )[1:]


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """The three keys of a session."""

    aes: bytes = field(repr=False)
    iv: bytes = field(repr=False)
    mac: bytes = field(repr=False)

    @classmethod
    def expanded(cls, secret: bytes) -> Self:
        """Take the keys from the 64 expanded bytes."""
        return cls(secret[:16], secret[16:32], secret[32:])

    @classmethod
    def agreed(cls, private: ec.EllipticCurvePrivateKey, point: bytes) -> Self:
        """Agree on keys. Raises WireError when the point is not on the curve."""
        try:
            peer = ec.EllipticCurvePublicKey.from_encoded_point(
                private.curve, b"\x04" + point
            )
            secret = private.exchange(ec.ECDH(), peer)
        except ValueError as error:
            raise WireError("no point of the curve") from error
        salted = bytes.fromhex("D637F1AAE2F0418C") + secret
        salted += bytes.fromhex("A8F81A574E228AB7")
        return cls.expanded(hashlib.sha512(salted).digest())

    def digest(self, data: bytes) -> bytes:
        """Return the MAC of some bytes."""
        return hmac.digest(self.mac, data, "sha256")

    def seal(self, header: Header, plaintext: bytes) -> bytes:
        """Return a message's datagram."""
        head = header.pack(len(plaintext))
        if not plaintext:
            return head
        iv = _aes_cbc(self.iv, bytes(16), head[:16], encrypt=True)
        body = head + _aes_cbc(self.aes, iv, pad(plaintext), encrypt=True)
        return body + self.digest(body)

    def open(self, datagram: bytes) -> tuple[Header, bytes]:
        """Return a message's header and plaintext. Raises WireError."""
        header, size = Header.unpack(datagram)
        if not size:
            raise WireError("an empty message has no MAC to check")
        if len(datagram) != 26 + ((size + 15) & ~15) + 32:
            raise WireError("the sizes do not fit")
        if not hmac.compare_digest(self.digest(datagram[:-32]), datagram[-32:]):
            raise WireError("wrong MAC")
        iv = _aes_cbc(self.iv, bytes(16), datagram[:16], encrypt=True)
        return header, _aes_cbc(self.aes, iv, datagram[26:-32], encrypt=False)[:size]

    def seal_simple(
        self, packet_type: int, body: bytes, iv: bytes, plaintext: bytes
    ) -> bytes:
        """Return a connect packet; `body` ends with the IV."""
        sizes = (packet_type, len(body), len(plaintext), 2)
        data = struct.pack(">HHHH", *sizes) + body
        data += _aes_cbc(self.aes, iv, pad(plaintext), encrypt=True)
        return data + self.digest(data)

    def open_simple(self, packet: Simple, datagram: bytes) -> bytes:
        """Return a connect packet's plaintext. Raises WireError."""
        if not hmac.compare_digest(self.digest(datagram[:-32]), packet.mac):
            raise WireError("wrong MAC")
        iv = packet.body[-16:]
        plaintext = _aes_cbc(self.aes, iv, packet.ciphertext, encrypt=False)
        return plaintext[: packet.protected_size]

    def connect_response(
        self,
        result: int,
        pairing: int = 0,
        participant: int = 0,
        iv: bytes | None = None,
    ) -> bytes:
        """Return a ConnectResponse."""
        iv = iv or os.urandom(16)
        plaintext = struct.pack(">HHI", result, pairing, participant)
        return self.seal_simple(CONNECT_RESPONSE, iv, iv, plaintext)

    def connect_request(
        self,
        client_uuid: bytes,
        point: bytes,
        userhash: str = "",
        token: str = "",
        numbers: tuple[int, int, int] = (0, 0, 1),
        iv: bytes | None = None,
    ) -> bytes:
        """Return one ConnectRequest, as a client sends it."""
        iv = iv or os.urandom(16)
        key_type = POINT_SIZES.index(len(point))
        body = client_uuid + struct.pack(">H", key_type) + point + iv
        plaintext = pack_string(userhash) + pack_string(token)
        plaintext += struct.pack(">III", *numbers)
        return self.seal_simple(CONNECT_REQUEST, body, iv, plaintext)


@dataclass(frozen=True, slots=True)
class ConsoleCredentials:
    """A console's key and certificate."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: bytes = field(repr=False)
    key_type: int


@functools.cache
def vector_credentials() -> ConsoleCredentials:
    """Return the key and certificate of the reference, section 17.1."""
    key = ec.derive_private_key(VECTOR_PRIVATE, ec.SECP256R1())
    return ConsoleCredentials(key, VECTOR_CERTIFICATE, 0)


@functools.cache
def _authority() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@functools.cache
def console_key(curve: Curve, seed: str) -> ec.EllipticCurvePrivateKey:
    """Return the key that belongs to a seed, always the same."""
    digest = hashlib.sha512(f"{curve} {seed}".encode()).digest()
    return ec.derive_private_key(int.from_bytes(digest[:30]), CURVES[curve])


@functools.cache
def console_credentials(
    live_id: str, curve: Curve = "P-256", generation: int = 0
) -> ConsoleCredentials:
    """Return the credentials of a console; each generation has others.

    The certificate has expired long ago: nobody may care.
    """
    key = console_key(curve, f"{live_id} {generation}")
    start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    issuer = x509.NameAttribute(NameOID.COMMON_NAME, "XBL Smart Glass Issuing CA")
    subject = x509.NameAttribute(NameOID.COMMON_NAME, live_id)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=True,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .issuer_name(x509.Name([issuer]))
        .subject_name(x509.Name([subject]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=30))
        .add_extension(usage, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
    )
    certificate = builder.sign(_authority(), hashes.SHA256())
    der = certificate.public_bytes(serialization.Encoding.DER)
    return ConsoleCredentials(key, der, KEY_TYPES.index(curve))


class AuxCipher:
    """One direction of an auxiliary stream: a CBC chain over all frames."""

    def __init__(self, key: bytes, iv: bytes, mac: bytes) -> None:
        self._key, self._iv, self._mac = key, iv, mac

    def seal(self, plaintext: bytes) -> bytes:
        """Return the next frame."""
        ciphertext = _aes_cbc(self._key, self._iv, pad(plaintext), encrypt=True)
        self._iv = ciphertext[-16:] or self._iv
        frame = struct.pack(">HH", 0xDEAD, len(plaintext)) + ciphertext
        return frame + hmac.digest(self._mac, frame, "sha256")

    def open(self, frame: bytes) -> bytes:
        """Return the next frame's plaintext. Raises WireError."""
        magic, size = struct.unpack_from(">HH", frame)
        if magic != 0xDEAD or len(frame) != 4 + ((size + 15) & ~15) + 32:
            raise WireError("no frame")
        mac = hmac.digest(self._mac, frame[:-32], "sha256")
        if not hmac.compare_digest(mac, frame[-32:]):
            raise WireError("wrong MAC")
        ciphertext = frame[4:-32]
        plaintext = _aes_cbc(self._key, self._iv, ciphertext, encrypt=False)[:size]
        self._iv = ciphertext[-16:] or self._iv
        return plaintext
