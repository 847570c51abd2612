"""The icons of a device's notifications, kept under their hashes."""

from collections import OrderedDict
from collections.abc import Callable
import hashlib
from typing import TYPE_CHECKING, Final

from homeassistant.core import callback

from ...const import DOMAIN, LOGGER
from ...protocols.errors import RumpusError
from ...protocols.kdeconnect.packet import Payload
from ...protocols.kdeconnect.plugins.notification import Notification
from .artwork import Picture, picture_type

if TYPE_CHECKING:
    from .coordinator import KdeConnectCoordinator

MAX_ICON: Final = 1024 * 1024
"""Bytes of one icon."""
MAX_ICONS: Final = 100
"""Icons kept of a device; what was not shown for the longest time goes first."""
MAX_ICON_BYTES: Final = 8 * 1024 * 1024
"""Bytes of all icons of a device together."""
MAX_FETCHES: Final = 8
"""Icons that are fetched at once; more of them are left out."""


class NotificationIcons:
    """Fetches icons in the background.

    A device sends an icon once and names it by its hash from then on, also after it has been
    away, so they are kept until the pairing ends.
    """

    def __init__(
        self, coordinator: KdeConnectCoordinator, changed: Callable[[], None]
    ) -> None:
        """Start with none; `changed` is called when there is a new one."""
        self._coordinator = coordinator
        self._changed = changed
        self._icons: OrderedDict[str, Picture] = OrderedDict()
        self._bytes = 0
        self._fetching: set[str] = set()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._icons)

    def get(self, icon_hash: str | None) -> Picture | None:
        """Return the icon with this hash, None when there is none."""
        return None if icon_hash is None else self._icons.get(icon_hash)

    @callback
    def received(self, notification: Notification) -> None:
        """Fetch the icon that comes with a notification, unless it is known."""
        icon_hash, payload = notification.icon_hash, notification.icon
        if icon_hash is None:
            # No notification could show it.
            return
        if icon_hash in self._icons:
            self._icons.move_to_end(icon_hash)
        elif (
            payload is not None
            and icon_hash not in self._fetching
            and len(self._fetching) < MAX_FETCHES
        ):
            self._fetching.add(icon_hash)
            self._coordinator.entry.async_create_background_task(
                self._coordinator.hass,
                self._async_fetch(icon_hash, payload),
                f"{DOMAIN} notification icon",
            )

    @callback
    def clear(self) -> None:
        """Delete them all."""
        self._icons.clear()
        self._bytes = 0

    async def _async_fetch(self, icon_hash: str, payload: Payload) -> None:
        device = self._coordinator.device
        try:
            data = await device.fetch(payload, MAX_ICON)
        except RumpusError as err:
            LOGGER.debug(
                "%s: no notification icon: %s", device.device_id, type(err).__name__
            )
            return
        finally:
            self._fetching.discard(icon_hash)
        if hashlib.md5(data, usedforsecurity=False).hexdigest() != icon_hash:
            LOGGER.debug(
                "%s: a notification icon is not what it was announced to be",
                device.device_id,
            )
        elif (mime_type := picture_type(data)) is None:
            LOGGER.debug("%s: a notification icon is not a picture", device.device_id)
        elif device.is_paired:
            self._keep(icon_hash, (data, mime_type))
            self._changed()

    def _keep(self, icon_hash: str, icon: Picture) -> None:
        self._icons[icon_hash] = icon
        self._bytes += len(icon[0])
        while len(self._icons) > MAX_ICONS or self._bytes > MAX_ICON_BYTES:
            _, (oldest, _) = self._icons.popitem(last=False)
            self._bytes -= len(oldest)
