"""The clipboard, which the device and Home Assistant have in common."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
import time
from typing import TYPE_CHECKING, Any, ClassVar, override

from homeassistant.core import ServiceResponse, callback
from homeassistant.exceptions import ServiceValidationError

from ....const import DOMAIN
from ....entity import translated_errors
from ....protocols.errors import DisconnectedError
from ....protocols.kdeconnect.plugins import Message, clipboard
from ..feature import ActionHandler, Feature
from ..options import Option

if TYPE_CHECKING:
    from ..coordinator import KdeConnectCoordinator


class ClipboardFeature(Feature):
    """Knows the device's clipboard, and sets it.

    What was copied last counts when the device comes back. Nothing of it is stored.
    """

    option: ClassVar[Option | None] = Option.CLIPBOARD

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Start without knowing."""
        super().__init__(coordinator)
        self._sync = clipboard.ClipboardSync()

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
