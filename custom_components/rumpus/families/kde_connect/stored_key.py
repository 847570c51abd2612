"""The id, key and certificate of one end of ours, in a file that only its owner may read."""

from typing import Final, TypedDict

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from ...const import DOMAIN, LOGGER
from ...protocols.errors import ProtocolError
from ...protocols.kdeconnect.credentials import Credentials, common_name, public_key
from .const import FAMILY_KEY

STORAGE_KEY: Final = f"{DOMAIN}.{FAMILY_KEY}"
STORAGE_VERSION: Final = 1


class StoredCredentials(TypedDict):
    """What the private storage file holds."""

    device_id: str
    private_key: str
    certificate: str


def _store(hass: HomeAssistant, storage_key: str) -> Store[StoredCredentials]:
    return Store(hass, STORAGE_VERSION, storage_key, private=True, atomic_writes=True)


async def async_load_credentials(
    hass: HomeAssistant, storage_key: str = STORAGE_KEY
) -> Credentials:
    """Return an id with its key and certificate, made once and kept in a file."""
    store = _store(hass, storage_key)
    if (stored := await store.async_load()) is not None:
        credentials = await hass.async_add_executor_job(_read_credentials, stored)
        if credentials is not None:
            return credentials
        LOGGER.error(
            "The stored key of KDE Connect is damaged and is made anew: "
            "every device has to be paired again"
        )
    credentials = await hass.async_add_executor_job(Credentials.generate)
    await store.async_save(
        {
            "device_id": credentials.device_id,
            "private_key": credentials.private_key_pem,
            "certificate": credentials.certificate_pem,
        }
    )
    return credentials


async def async_remove_credentials(hass: HomeAssistant, storage_key: str) -> None:
    """Delete the file of an end that will not be any more."""
    await _store(hass, storage_key).async_remove()


def _read_credentials(stored: StoredCredentials) -> Credentials | None:
    """Return the stored credentials if their parts fit together."""
    try:
        credentials = Credentials(
            stored["device_id"], stored["private_key"], stored["certificate"]
        )
        certificate = credentials.certificate
        key = load_pem_private_key(
            credentials.private_key_pem.encode(), None
        ).public_key()
        fits = common_name(certificate) == credentials.device_id and key.public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        ) == public_key(certificate)
    except KeyError, TypeError, AttributeError, ValueError, ProtocolError:
        return None
    return credentials if fits else None
