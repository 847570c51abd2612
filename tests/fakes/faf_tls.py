"""What stands in front of lobbies and speaks TLS: certificates, made when they are needed."""

import datetime as dt
import ipaddress
from pathlib import Path
import ssl
import tempfile
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY: Final = dt.timedelta(days=1)
_USAGES: Final = (
    *("digital_signature", "content_commitment", "key_encipherment"),
    *("data_encipherment", "key_agreement", "key_cert_sign"),
    *("crl_sign", "encipher_only", "decipher_only"),
)


class FakeAuthority:
    """Signs certificates of servers; nobody trusts it who has not been told to."""

    def __init__(self) -> None:
        """Make a key, and a certificate for it."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Fake authority")
        self._certificate = (
            _builder(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def pem(self) -> str:
        """What is to be trusted."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def server(self, *hosts: str, is_expired: bool = False) -> ssl.SSLContext:
        """Return what a server speaks TLS with whose certificate is for some hosts."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _for_server(
            _builder(_name(hosts[0]), self._name, key.public_key(), is_expired), hosts
        ).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
            critical=False,
        )
        return _context(key, builder.sign(self._key, hashes.SHA256()))

    def client(self) -> ssl.SSLContext:
        """Return what a client speaks TLS with that trusts this authority alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.pem)
        return context


def self_signed(*hosts: str) -> ssl.SSLContext:
    """Return what a server speaks TLS with that has signed its certificate itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(hosts[0])
    builder = _for_server(_builder(name, name, key.public_key()), hosts)
    return _context(key, builder.sign(key, hashes.SHA256()))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    is_expired: bool = False,
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - 30 * _DAY,
        not_valid_after=now - _DAY if is_expired else now + 30 * _DAY,
    ).add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _for_server(
    builder: x509.CertificateBuilder, hosts: tuple[str, ...]
) -> x509.CertificateBuilder:
    return (
        builder.add_extension(
            x509.SubjectAlternativeName([_general_name(host) for host in hosts]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
    )


def _usage(*usages: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in usages for usage in _USAGES})


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _context(
    key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
) -> ssl.SSLContext:
    """Return the server's side of TLS; `ssl` reads keys from files alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.pem"
        path.touch(mode=0o600)
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context.load_cert_chain(path)
    return context
