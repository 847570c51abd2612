"""The clipboard, which the device and Home Assistant have in common."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final, override

from homeassistant.core import HomeAssistant, ServiceResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util.hass_dict import HassKey

from ....const import DOMAIN
from ....entity import translated_errors
from ....protocols.errors import DisconnectedError
from ....protocols.kdeconnect.plugins import Message, clipboard
from ..feature import ActionHandler, Feature
from ..options import Option

if TYPE_CHECKING:
    from ..coordinator import KdeConnectCoordinator

_CLIPBOARDS: Final[HassKey[dict[str, clipboard.ClipboardSync]]] = HassKey(
    f"{DOMAIN}_clipboards"
)


@callback
def async_forget_clipboard(hass: HomeAssistant, entry_id: str) -> None:
    """Forget what the device of an entry has copied."""
    hass.data.get(_CLIPBOARDS, {}).pop(entry_id, None)


class ClipboardFeature(Feature):
    """Knows the device's clipboard, and sets it.

    What was copied last counts when the device comes back. Nothing of it is stored: it is
    known until Home Assistant ends, or the user takes the permission back.
    """

    option: ClassVar[Option | None] = Option.CLIPBOARD

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Start with what is known from before the entry was set up anew."""
        super().__init__(coordinator)
        self._sync = self.hass.data.setdefault(_CLIPBOARDS, {}).setdefault(
            coordinator.entry.entry_id, clipboard.ClipboardSync()
        )

    @callback
    @override
    def connected(self) -> None:
        packet = self._sync.at_connect()
        if packet is not None and self.device.supports(packet.type):
            self.coordinator.ask(packet)
        self._publish()

    @callback
    @override
    def unpaired(self) -> None:
        async_forget_clipboard(self.hass, self.coordinator.entry.entry_id)
        self._sync = clipboard.ClipboardSync()

    @callback
    @override
    def received(self, message: Message) -> None:
        if isinstance(
            message, clipboard.ClipboardChanged | clipboard.ClipboardAtConnect
        ):
            self._sync.received(message, _now_ms())
            self._publish()

    def _publish(self) -> None:
        self.coordinator.publish(replace(self.state, clipboard=self._sync.content))

    async def async_set(self, text: str) -> None:
        """Set the device's clipboard.

        Raises ServiceValidationError for a text that is too long, HomeAssistantError when the
        device cannot be reached.
        """
        if len(text) > clipboard.MAX_CONTENT:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="clipboard_too_long",
                translation_placeholders={"limit": str(clipboard.MAX_CONTENT)},
            )
        # Also when it should have it: a phone does not tell of every change.
        await self.coordinator.async_send(clipboard.changed(text))
        self._sync.changed(text, _now_ms())
        self._publish()

    @property
    @override
    def actions(self) -> Mapping[str, ActionHandler]:
        return {
            "get_clipboard": self._async_get_action,
            "set_clipboard": self._async_set_action,
        }

    async def _async_get_action(self, _data: Mapping[str, Any]) -> ServiceResponse:
        if not self.device.is_connected:
            with translated_errors(self.device.name):
                raise DisconnectedError("the device is not connected")
        changed_at: str | None = None
        if timestamp_ms := self._sync.timestamp_ms:
            changed_at = datetime.fromtimestamp(timestamp_ms / 1000, UTC).isoformat()
        return {"text": self._sync.content, "changed_at": changed_at}

    async def _async_set_action(self, data: Mapping[str, Any]) -> ServiceResponse:
        await self.async_set(data["text"])
        return None


def _now_ms() -> int:
    return int(time.time() * 1000)
