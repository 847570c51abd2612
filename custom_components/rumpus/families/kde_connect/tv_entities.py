"""The entities of a TV of this home."""

from typing import TYPE_CHECKING, Final, override

from homeassistant.components.event import EventEntity
from homeassistant.components.sensor import SensorEntity, SensorStateClass
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import Context, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...const import DOMAIN
from ...entity import RumpusEntity
from ...protocols.kdeconnect.plugins.mousepad import TvKey
from .tv_keys import Press

if TYPE_CHECKING:
    from .tv import TvCoordinator

TEXT: Final = "text"
"""Type of the event for what is typed or dictated; the text itself is private."""


@callback
def async_setup(
    coordinator: TvCoordinator,
    platform: Platform,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the entities of one platform."""
    match platform:
        case Platform.EVENT:
            async_add_entities([TvKeyEvent(coordinator)])
        case Platform.SENSOR:
            async_add_entities([TvPhonesSensor(coordinator)])


class TvEntity(RumpusEntity["TvCoordinator"]):
    """An entity of a TV; it is there whether or not a phone is connected."""

    def __init__(self, coordinator: TvCoordinator, key: str) -> None:
        """Belong to the TV."""
        super().__init__(coordinator, coordinator.tv_id, key)
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, coordinator.tv_id)})


class TvKeyEvent(TvEntity, EventEntity):
    """What somebody presses on a phone."""

    def __init__(self, coordinator: TvCoordinator) -> None:
        """Wait for keys."""
        super().__init__(coordinator, "tv_key")
        self._attr_translation_key = "tv_key"
        self._attr_event_types = [*TvKey, TEXT]

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.subscribe_keys(self._pressed))

    @callback
    def _pressed(self, press: Press, context: Context) -> None:
        self.async_set_context(context)
        self._trigger_event(press.key or TEXT, {"phone": press.phone})
        self.async_write_ha_state()


class TvPhonesSensor(TvEntity, SensorEntity):
    """How many phones are connected."""

    def __init__(self, coordinator: TvCoordinator) -> None:
        """Count the phones."""
        super().__init__(coordinator, "tv_phones")
        self._attr_translation_key = "tv_phones"
        self._attr_entity_category = EntityCategory.DIAGNOSTIC
        self._attr_state_class = SensorStateClass.MEASUREMENT

    @property
    @override
    def native_value(self) -> int:
        return self.coordinator.data.phones
