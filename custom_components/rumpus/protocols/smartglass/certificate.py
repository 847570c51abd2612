"""What a console's certificate tells: who it is and its key (the SmartGlass reference).

Section 4.2. Neither the chain nor the dates are looked at: no client does.
"""

from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ..errors import ProtocolError
from .const import MAX_LIVE_ID
from .packets import MAX_CERTIFICATE

_P256_KEY: Final = bytes.fromhex(
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
)
"""What stands in front of X and Y of a key on P-256, in every certificate."""
_COMMON_NAME: Final = bytes.fromhex("0603550403")
_STRINGS: Final = (0x0C, 0x13)
"""DER's tags of UTF8String and PrintableString."""


@dataclass(frozen=True, slots=True)
class ConsoleCertificate:
    """The Live ID, None when the certificate names nobody, and the key of a console."""

    live_id: str | None
    public_key: ec.EllipticCurvePublicKey = field(repr=False)


def read_certificate(der: bytes) -> ConsoleCertificate:
    """Return what a certificate tells.

    What the strict parser refuses is searched for a key on P-256, as all consoles have it.
    Raises ProtocolError when there is no key on a curve, valid or of a curve that we know.
    """
    if len(der) > MAX_CERTIFICATE:
        raise ProtocolError("Certificate that is too large")
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError, UnsupportedAlgorithm, x509.InvalidVersion:
        return _search(der)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ProtocolError("Certificate without a key on a curve")
    name = names[0].value if names else None
    return ConsoleCertificate(_usable(name), key)


def _search(der: bytes) -> ConsoleCertificate:
    found = der.find(_P256_KEY)
    # The prefix ends with the 04 that belongs to the point.
    start = found + len(_P256_KEY) - 1
    if found >= 0:
        try:
            point = der[start : start + 65]
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        except ValueError:
            pass
        else:
            return ConsoleCertificate(_search_name(der[:found]), key)
    raise ProtocolError("Certificate that cannot be read")


def _search_name(der: bytes) -> str | None:
    """Return the last common name before the key: the subject's."""
    _, found, rest = der.rpartition(_COMMON_NAME)
    if not found or len(rest) < 2 or rest[0] not in _STRINGS:
        return None
    try:
        return _usable(rest[2 : 2 + rest[1]].decode())
    except UnicodeDecodeError:
        return None


def _usable(name: str | bytes | None) -> str | None:
    """Return a Live ID that can be sent in a power-on request."""
    if not isinstance(name, str) or not name or len(name.encode()) > MAX_LIVE_ID:
        return None
    return name
