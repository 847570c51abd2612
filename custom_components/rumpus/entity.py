"""What the entities of all families have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import RumpusCoordinator
from .protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    RumpusError,
    UnsupportedError,
)


class RumpusEntity[CoordinatorT: RumpusCoordinator[Any]](
    CoordinatorEntity[CoordinatorT]
):
    """An entity of a device; `key` tells it from the device's others on its platform."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: CoordinatorT, device_id: str, key: str) -> None:
        """Belong to the device with this identifier."""
        super().__init__(coordinator)
        self._attr_unique_id = f"{device_id}_{key}"


@contextmanager
def translated_errors(name: str) -> Iterator[None]:
    """Turn the protocols' errors into ones that tell the user what to do about this device.

    Raises ServiceValidationError for what the device cannot do, HomeAssistantError for
    everything else.
    """
    placeholders = {"name": name}
    try:
        yield
    except UnsupportedError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="not_supported",
            translation_placeholders=placeholders,
        ) from err
    except DisconnectedError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="not_connected",
            translation_placeholders=placeholders,
        ) from err
    except PeerTimeoutError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="timed_out",
            translation_placeholders=placeholders,
        ) from err
    except AuthenticationError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="not_trusted",
            translation_placeholders=placeholders,
        ) from err
    except RumpusError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="failed",
            translation_placeholders=placeholders,
        ) from err
