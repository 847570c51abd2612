"""Certificates, ours and theirs (the KDE Connect reference, sections 6.1 and 7.3).

Of a peer's certificate only the common name, the public key and the bytes themselves are used:
the certificates of older peers break rules that a stricter reading stumbles over.
"""

from dataclasses import dataclass, field
import datetime as dt
import hashlib
from typing import Final, Self
import uuid

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from ..errors import ProtocolError
from .identity import is_valid_device_id

MAX_CERTIFICATE: Final = 16_384
"""Bytes of a peer's certificate; those of real peers have 400 to 900."""

_KEY_DIGITS: Final = 8
_YEAR: Final = dt.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A device id with its private key (PKCS #8) and self-signed certificate, both as PEM text."""

    device_id: str
    private_key_pem: str = field(repr=False)
    certificate_pem: str

    @property
    def certificate(self) -> bytes:
        """The certificate as DER. Raises ProtocolError when the stored text is none."""
        try:
            certificate = x509.load_pem_x509_certificate(self.certificate_pem.encode())
            return certificate.public_bytes(Encoding.DER)
        except ValueError as error:
            raise ProtocolError("the stored certificate cannot be read") from error

    @classmethod
    def generate(cls, device_id: str | None = None) -> Self:
        """Make a new key and certificate, for a new device id unless one is given.

        Takes some milliseconds of computing. Raises ValueError for an invalid id.
        """
        if device_id is None:
            device_id = uuid.uuid4().hex
        if not is_valid_device_id(device_id):
            raise ValueError("invalid device id")
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, device_id),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "KDE"),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "KDE Connect"),
            ]
        )
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            # Peers check the dates, and their clocks may be far from ours.
            .not_valid_before(now - _YEAR)
            .not_valid_after(now + 10 * _YEAR)
            .sign(key, hashes.SHA512())
        )
        return cls(
            device_id,
            key.private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            ).decode(),
            certificate.public_bytes(Encoding.PEM).decode(),
        )


def common_name(certificate: bytes) -> str:
    """Return the common name of a DER certificate, which should be the peer's device id.

    Raises ProtocolError when the certificate cannot be read or has not exactly one such name.
    """
    try:
        names = _load(certificate).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError as error:
        raise ProtocolError("unreadable name in a certificate") from error
    if len(names) != 1 or not isinstance(names[0].value, str):
        raise ProtocolError("certificate without exactly one common name")
    return names[0].value


def public_key(certificate: bytes) -> bytes:
    """Return the public key of a DER certificate as DER SubjectPublicKeyInfo.

    Raises ProtocolError when the certificate or its key cannot be read.
    """
    try:
        key = _load(certificate).public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ProtocolError("unreadable key in a certificate") from error


def fingerprint(certificate: bytes) -> str:
    """Return the SHA-256 of a DER certificate as users see it elsewhere: "ab:cd:..."."""
    return hashlib.sha256(certificate).digest().hex(":")


def verification_key(certificate: bytes, other: bytes, timestamp: int | None) -> str:
    """Return the eight digits that both users compare, from both DER certificates in any order.

    `timestamp` is the requester's, in seconds since 1970, or None when the other peer speaks
    version 7. Raises ProtocolError when a certificate cannot be read.
    """
    digest = verification_digest(public_key(certificate), public_key(other), timestamp)
    return digest.hex()[:_KEY_DIGITS].upper()


def verification_digest(key: bytes, other: bytes, timestamp: int | None) -> bytes:
    """Return the SHA-256 behind the verification key, from both public keys as DER."""
    digest = hashlib.sha256(max(key, other))
    digest.update(min(key, other))
    if timestamp is not None:
        digest.update(str(timestamp).encode("ascii"))
    return digest.digest()


def _load(certificate: bytes) -> x509.Certificate:
    if len(certificate) > MAX_CERTIFICATE:
        raise ProtocolError("certificate too large")
    try:
        return x509.load_der_x509_certificate(certificate)
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise ProtocolError("unreadable certificate") from error
