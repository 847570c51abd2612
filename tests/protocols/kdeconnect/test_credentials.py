"""Certificates: what ours holds, what others' may lack, and the key that users compare."""

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import TypedDict, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    CertificatePublicKeyTypes,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
import pytest

from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.kdeconnect import credentials
from custom_components.rumpus.protocols.kdeconnect.credentials import (
    MAX_CERTIFICATE,
    Credentials,
    common_name,
    fingerprint,
    public_key,
    verification_digest,
    verification_key,
)
from custom_components.rumpus.protocols.kdeconnect.identity import is_valid_device_id

DEVICE_ID = "0123456789abcdef0123456789abcdef"
SHA256_WITH_RSA = bytes.fromhex("2a864886f70d01010b")
SHA1_WITH_RSA = bytes.fromhex("2a864886f70d010105")


class Pair(TypedDict):
    """Two of the named keys, the larger one, and what is shown for each timestamp."""

    keys: tuple[str, str]
    larger: str
    displayed: list[tuple[int | None, str]]


class Daemon(TypedDict):
    """What a running daemon showed."""

    peer: str
    timestamp: int | None
    ours: str
    theirs: str
    displayed: str


class Vectors(TypedDict):
    """The whole file of vectors."""

    keys: dict[str, str]
    pairs: list[Pair]
    digests_of_a_and_b: list[tuple[int | None, str]]
    daemons: list[Daemon]


VECTORS = cast(
    Vectors,
    json.loads(
        (Path(__file__).parent / "vectors" / "verification_keys.json").read_text()
    ),
)
KEYS = {name: bytes.fromhex(text) for name, text in VECTORS["keys"].items()}
SIGNER = ec.derive_private_key(1, ec.SECP256R1())


def certificate_of(
    key: CertificatePublicKeyTypes,
    *names: str,
    signer: CertificateIssuerPrivateKeyTypes = SIGNER,
    extension: x509.ExtensionType | None = None,
) -> bytes:
    """Return a certificate of a public key, with these common names."""
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key)
        .serial_number(10)
        .not_valid_before(dt.datetime(2020, 1, 1))
        .not_valid_after(dt.datetime(2030, 1, 1))
    )
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    algorithm = (
        None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    )
    return builder.sign(signer, algorithm).public_bytes(Encoding.DER)


def certificate_of_spki(spki: bytes) -> bytes:
    """Return a certificate of a public key given as DER."""
    return certificate_of(
        cast(CertificatePublicKeyTypes, load_der_public_key(spki)), DEVICE_ID
    )


@pytest.fixture(scope="module")
def own() -> Credentials:
    """Return newly made credentials."""
    return Credentials.generate()


def test_generated_certificate(own: Credentials) -> None:
    certificate = x509.load_der_x509_certificate(own.certificate)

    assert is_valid_device_id(own.device_id)
    assert own.device_id.isalnum()
    assert certificate.version is x509.Version.v3
    assert certificate.subject == certificate.issuer
    assert [(part.oid, part.value) for part in certificate.subject] == [
        (NameOID.COMMON_NAME, own.device_id),
        (NameOID.ORGANIZATION_NAME, "KDE"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "KDE Connect"),
    ]
    assert certificate.serial_number > 0
    assert isinstance(certificate.signature_hash_algorithm, hashes.SHA512)
    assert len(certificate.extensions) == 0
    certificate.verify_directly_issued_by(certificate)


def test_generated_certificate_bears_clock_differences(own: Credentials) -> None:
    certificate = x509.load_der_x509_certificate(own.certificate)
    now = dt.datetime.now(dt.UTC)
    minute = dt.timedelta(minutes=1)

    assert abs(now - certificate.not_valid_before_utc - dt.timedelta(days=365)) < minute
    assert abs(certificate.not_valid_after_utc - now - dt.timedelta(days=3650)) < minute


def test_generated_key_belongs_to_the_certificate(own: Credentials) -> None:
    key = load_pem_private_key(own.private_key_pem.encode(), None)

    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert own.private_key_pem.startswith("-----BEGIN PRIVATE KEY-----")
    assert public_key(own.certificate) == key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


def test_generated_identities_differ(own: Credentials) -> None:
    other = Credentials.generate()

    assert other.device_id != own.device_id
    assert other.certificate != own.certificate


def test_generate_for_a_given_id() -> None:
    own = Credentials.generate(DEVICE_ID)

    assert own.device_id == common_name(own.certificate) == DEVICE_ID


@pytest.mark.parametrize("device_id", ["", "short", "a" * 39])
def test_generate_refuses_invalid_ids(device_id: str) -> None:
    with pytest.raises(ValueError, match="device id"):
        Credentials.generate(device_id)


def test_private_key_is_not_shown(own: Credentials) -> None:
    assert "PRIVATE" not in repr(own)
    assert own.private_key_pem.splitlines()[1] not in repr(own)


@pytest.mark.parametrize(
    "pem",
    ["", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
)
def test_unreadable_stored_certificate(pem: str) -> None:
    with pytest.raises(ProtocolError):
        _ = Credentials(DEVICE_ID, "", pem).certificate


def test_certificate_of_kde_22() -> None:
    """It has a SHA-1 signature, and an extension that cannot be read."""
    key = rsa.generate_private_key(65537, 2048)
    path_length_without_authority = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("2.5.29.19"), bytes.fromhex("3003020100")
    )
    der = certificate_of(
        key.public_key(), DEVICE_ID, signer=key, extension=path_length_without_authority
    ).replace(SHA256_WITH_RSA, SHA1_WITH_RSA)

    with pytest.raises(ValueError, match="path_length"):
        _ = x509.load_der_x509_certificate(der).extensions
    assert common_name(der) == DEVICE_ID
    assert public_key(der) == key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


@pytest.mark.parametrize(
    "key",
    [ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())],
)
def test_other_keys(
    key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey,
) -> None:
    der = certificate_of(key.public_key(), DEVICE_ID, signer=key)

    assert common_name(der) == DEVICE_ID
    assert len(public_key(der)) > 40


@pytest.mark.parametrize("names", [(), (DEVICE_ID, "f" * 32)])
def test_exactly_one_common_name_is_required(names: tuple[str, ...]) -> None:
    der = certificate_of(SIGNER.public_key(), *names)

    with pytest.raises(ProtocolError):
        common_name(der)


def test_common_name_that_cannot_be_read() -> None:
    der = certificate_of(SIGNER.public_key(), "\u00e9" * 20)
    broken = der.replace("\u00e9".encode(), b"\xff\xff")

    with pytest.raises(ProtocolError):
        common_name(broken)


def test_public_key_of_an_unknown_kind() -> None:
    der = certificate_of(SIGNER.public_key(), DEVICE_ID)
    prime256v1, unheard_of = (
        bytes.fromhex("2a8648ce3d030107"),
        bytes.fromhex("2a8648ce3d03017f"),
    )

    with pytest.raises(ProtocolError):
        public_key(der.replace(prime256v1, unheard_of))


@pytest.mark.parametrize("der", [b"", b"garbage", b"\x30\x82", b"\x00" * 400])
def test_garbage_is_no_certificate(der: bytes) -> None:
    for reader in (common_name, public_key):
        with pytest.raises(ProtocolError):
            reader(der)


def test_limit_of_certificate(
    own: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(own.certificate) < MAX_CERTIFICATE
    monkeypatch.setattr(credentials, "MAX_CERTIFICATE", len(own.certificate))
    assert common_name(own.certificate) == own.device_id
    monkeypatch.setattr(credentials, "MAX_CERTIFICATE", len(own.certificate) - 1)
    with pytest.raises(ProtocolError, match="large"):
        common_name(own.certificate)


def test_fingerprint(own: Credentials) -> None:
    text = fingerprint(own.certificate)

    assert (
        bytes.fromhex(text.replace(":", "")) == hashlib.sha256(own.certificate).digest()
    )
    assert len(text.split(":")) == 32


@pytest.mark.parametrize(
    "pair", VECTORS["pairs"], ids=lambda pair: "".join(pair["keys"])
)
def test_verification_key(pair: Pair) -> None:
    first, second = (KEYS[name] for name in pair["keys"])
    certificates = certificate_of_spki(first), certificate_of_spki(second)

    assert max(first, second) == KEYS[pair["larger"]]
    for timestamp, displayed in pair["displayed"]:
        assert verification_key(*certificates, timestamp) == displayed
        assert verification_key(*certificates[::-1], timestamp) == displayed


@pytest.mark.parametrize(("timestamp", "digest"), VECTORS["digests_of_a_and_b"])
def test_verification_digest(timestamp: int | None, digest: str) -> None:
    assert verification_digest(KEYS["A"], KEYS["B"], timestamp).hex() == digest
    assert verification_digest(KEYS["B"], KEYS["A"], timestamp).hex() == digest


@pytest.mark.parametrize(
    "daemon", VECTORS["daemons"], ids=lambda daemon: daemon["peer"]
)
def test_verification_key_that_a_daemon_showed(daemon: Daemon) -> None:
    ours = certificate_of_spki(bytes.fromhex(daemon["ours"]))
    theirs = certificate_of_spki(bytes.fromhex(daemon["theirs"]))

    # The oldest daemon shows lower-case digits.
    assert (
        verification_key(ours, theirs, daemon["timestamp"])
        == daemon["displayed"].upper()
    )


def test_verification_key_needs_certificates(own: Credentials) -> None:
    with pytest.raises(ProtocolError):
        verification_key(own.certificate, b"", None)


def test_certificate_of_an_unknown_version_is_no_certificate() -> None:
    """OpenSSL lets it pass, and the library has an error of its own kind for it."""
    der = bytearray(Credentials.generate().certificate)
    version = der.find(bytes.fromhex("a003020102")) + 4
    der[version] = 1
    with pytest.raises(ProtocolError, match="unreadable"):
        common_name(bytes(der))
