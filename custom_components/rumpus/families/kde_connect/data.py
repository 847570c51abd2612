"""A paired device as the data of a config entry, and back."""

from collections.abc import Mapping
import ssl
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PORT

from ...const import CONF_FAMILY
from ...protocols.kdeconnect.const import TCP_PORTS, DeviceType
from ...protocols.kdeconnect.paired import PairedDevice
from .const import (
    CONF_CERTIFICATE,
    CONF_DEVICE_ID,
    CONF_DEVICE_TYPE,
    CONF_INCOMING,
    CONF_OUTGOING,
    CONF_PROTOCOL_VERSION,
    FAMILY_KEY,
)


class NotPairedError(Exception):
    """The entry has no certificate that the device could be known by."""


def entry_data(paired: PairedDevice) -> dict[str, Any]:
    """Return what an entry keeps of a paired device."""
    return {
        CONF_FAMILY: FAMILY_KEY,
        CONF_DEVICE_ID: paired.device_id,
        CONF_CERTIFICATE: ssl.DER_cert_to_PEM_cert(paired.certificate),
        CONF_NAME: paired.name,
        CONF_DEVICE_TYPE: paired.device_type.value,
        CONF_PROTOCOL_VERSION: paired.protocol_version,
        CONF_HOST: paired.address,
        CONF_PORT: paired.port,
        CONF_INCOMING: sorted(paired.incoming),
        CONF_OUTGOING: sorted(paired.outgoing),
    }


def paired_device(data: Mapping[str, Any]) -> PairedDevice:
    """Return the paired device that an entry keeps.

    Raises NotPairedError when the device has ended the pairing or the certificate is damaged.
    """
    try:
        certificate = x509.load_pem_x509_certificate(data[CONF_CERTIFICATE].encode())
    except ValueError as err:
        raise NotPairedError("no usable certificate") from err
    return PairedDevice(
        device_id=data[CONF_DEVICE_ID],
        certificate=certificate.public_bytes(Encoding.DER),
        name=data[CONF_NAME],
        device_type=DeviceType(data[CONF_DEVICE_TYPE]),
        protocol_version=data[CONF_PROTOCOL_VERSION],
        address=data[CONF_HOST],
        port=data.get(CONF_PORT, TCP_PORTS.start),
        incoming=frozenset(data[CONF_INCOMING]),
        outgoing=frozenset(data[CONF_OUTGOING]),
    )
