"""Certificates of consoles: who it is and its key, even where the strict parser gives up."""

from datetime import UTC, datetime
import random

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID
import pytest

from .vectors import CERTIFICATE, KEYS, LIVE_ID, KeyVector
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.smartglass.certificate import read_certificate
from custom_components.rumpus.protocols.smartglass.const import MAX_LIVE_ID
from custom_components.rumpus.protocols.smartglass.crypto import encode_public_key
from custom_components.rumpus.protocols.smartglass.packets import MAX_CERTIFICATE

ISSUER_KEY = KEYS[0].client_key
type Key = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


def made(common_name: str | None, key: Key) -> bytes:
    """Return a certificate, long expired."""
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Somebody")]
    if common_name is not None:
        names.append(
            x509.NameAttribute(
                NameOID.COMMON_NAME,
                common_name,
                _validate=len(common_name) <= 64,
            )
        )
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Issuer")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(7)
        .not_valid_before(datetime(2001, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2001, 2, 1, tzinfo=UTC))
        .sign(ISSUER_KEY, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.DER)


def broken(der: bytes) -> bytes:
    """Return a certificate that no strict parser takes."""
    return b"\x31" + der[1:]


@pytest.mark.parametrize("vector", KEYS[1:], ids=["P-256", "P-384", "P-521"])
def test_every_curve(vector: KeyVector) -> None:
    key = vector.console_key.public_key()
    certificate = read_certificate(made("X1", key))
    assert certificate.live_id == "X1"
    assert certificate.public_key == key


@pytest.mark.parametrize("name", ["FD00112233445566", "A", "F" * 40])
def test_live_id_of_any_length(name: str) -> None:
    key = KEYS[0].console_key.public_key()
    for der in (made(name, key), broken(made(name, key))):
        certificate = read_certificate(der)
        assert certificate.live_id == name
        assert certificate.public_key == key


def test_certificate_without_a_name() -> None:
    key = KEYS[0].console_key.public_key()
    assert read_certificate(made(None, key)).live_id is None


def test_search_finds_what_the_parser_does() -> None:
    found = read_certificate(broken(CERTIFICATE))
    assert found == read_certificate(CERTIFICATE)
    assert found.live_id == LIVE_ID
    assert encode_public_key(found.public_key) == KEYS[0].console_public


@pytest.mark.parametrize(
    "name", [b"", b"\x0c", b"\x13\x02\xff\xfe", b"\x16\x01A", b"\x0c\x00"]
)
def test_search_with_an_unusable_name(name: bytes) -> None:
    key = CERTIFICATE.index(bytes.fromhex("3059301306072a8648ce3d0201"))
    der = bytes.fromhex("0603550403") + name + CERTIFICATE[key:]
    assert read_certificate(der).live_id is None


def test_search_without_any_name() -> None:
    key = CERTIFICATE.index(bytes.fromhex("3059301306072a8648ce3d0201"))
    assert read_certificate(CERTIFICATE[key:]).live_id is None


@pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")
def test_largest_live_id() -> None:
    key = KEYS[0].console_key.public_key()
    largest = "F" * MAX_LIVE_ID
    assert read_certificate(made(largest, key)).live_id == largest
    assert read_certificate(made(largest + "F", key)).live_id is None


def test_largest_certificate() -> None:
    padded = broken(CERTIFICATE).ljust(MAX_CERTIFICATE)
    assert read_certificate(padded).live_id == LIVE_ID
    with pytest.raises(ProtocolError, match="too large"):
        read_certificate(padded + b"\0")


def test_key_that_is_on_no_curve() -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    with pytest.raises(ProtocolError, match="without a key"):
        read_certificate(made("X1", key))


def test_point_off_the_curve() -> None:
    at = CERTIFICATE.index(KEYS[0].console_public)
    der = CERTIFICATE[:at] + b"\xff" * 64 + CERTIFICATE[at + 64 :]
    with pytest.raises(ProtocolError, match="cannot be read"):
        read_certificate(der)


def test_version_that_does_not_exist() -> None:
    der = made("X1", KEYS[0].console_key.public_key())
    version = der.index(bytes.fromhex("a003020102"))
    changed = der[: version + 4] + b"\x0f" + der[version + 5 :]
    assert read_certificate(changed).live_id == "X1"


@pytest.mark.parametrize("der", [b"", b"0", CERTIFICATE[:200], b"\x30\x82\x01\x2c"])
def test_no_certificate(der: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_certificate(der)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_changed_certificates_are_read_or_refused() -> None:
    chance = random.Random(1)
    for _ in range(500):
        der = bytearray(CERTIFICATE)
        for _ in range(chance.randint(1, 4)):
            der[chance.randrange(len(der))] = chance.randrange(256)
        try:
            live_id = read_certificate(bytes(der)).live_id
        except ProtocolError:
            continue
        assert live_id is None or len(live_id.encode()) <= MAX_LIVE_ID


def test_key_is_not_shown() -> None:
    assert "EllipticCurve" not in repr(read_certificate(CERTIFICATE))
