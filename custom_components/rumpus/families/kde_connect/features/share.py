"""Sharing: texts, links and files, both ways."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.core import ServiceResponse, callback
from homeassistant.exceptions import ServiceValidationError

from ....const import DOMAIN
from ....entity import translated_errors
from ....protocols.errors import DisconnectedError, UnsupportedError
from ....protocols.kdeconnect.plugins import Message, clipboard, share
from ..const import EVENT_SHARE, SHARED
from ..feature import ActionHandler, Feature
from ..options import Option
from .share_in import MIB, Incoming, tell
from .share_out import Outgoing
from .share_progress import TransferMeter

if TYPE_CHECKING:
    from ..coordinator import KdeConnectCoordinator

SHARE_TYPES: Final = ("text", "url", "file", "files", "failed")
"""The types of events; "files" is the end of a batch."""
FAILURES: Final = (
    "canceled",
    "disk_full",
    "failed",
    "folder_unusable",
    "incomplete",
    "interrupted",
    "not_allowed",
    "not_trusted",
    "too_large",
    "too_many",
    "unsafe_link",
)
"""Why something that was shared has not arrived."""
HARMLESS_SCHEMES: Final = share.WEB_SCHEMES | {"geo", "mailto", "sms", "tel"}
"""The schemes of links that are handed on in either direction."""


class ShareFeature(Feature):
    """Takes what the device shares, and shares with it.

    Texts and links only go into the event on the bus: they are private. Files are fetched if
    the user allows it.
    """

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Start with nothing under way."""
        super().__init__(coordinator)
        meter = TransferMeter(coordinator)
        self._incoming = Incoming(coordinator, meter)
        self._outgoing = Outgoing(coordinator, meter)

    @override
    async def async_stop(self) -> None:
        await self._incoming.async_stop()
        await self._outgoing.async_stop()

    @callback
    @override
    def unpaired(self) -> None:
        self._incoming.cancel()
        self._outgoing.cancel()

    @callback
    @override
    def received(self, message: Message) -> None:
        match message:
            case share.SharedText(text):
                self._share("text", text)
            case share.SharedUrl(url):
                if message.scheme in HARMLESS_SCHEMES:
                    self._share("url", url)
                else:
                    tell(self.coordinator, "failed", {"reason": "unsafe_link"})
            case share.SharedFile():
                if self._allows(Option.RECEIVE_FILES):
                    self._incoming.offered(message)
                else:
                    # Not even what it is called.
                    tell(self.coordinator, "failed", {"reason": "not_allowed"})
            case share.ShareUpdate() if self._allows(Option.RECEIVE_FILES):
                self._incoming.updated(message)
            case clipboard.ClipboardFile() if self._allows(
                Option.RECEIVE_FILES
            ) and self._allows(Option.CLIPBOARD):
                self._incoming.offered(message)

    def _allows(self, option: Option) -> bool:
        return self.coordinator.options.allows(option)

    def _share(self, kind: str, content: str) -> None:
        self.coordinator.fire(SHARED, kind)
        self.coordinator.fire_bus(EVENT_SHARE, {"type": kind, kind: content})

    @property
    @override
    def actions(self) -> Mapping[str, ActionHandler]:
        return {"share": self._async_share, "cancel_share": self._async_cancel}

    async def _async_cancel(self, _data: Mapping[str, Any]) -> ServiceResponse:
        self._incoming.cancel()
        self._outgoing.cancel()
        return None

    async def _async_share(self, data: Mapping[str, Any]) -> ServiceResponse:
        """Share what exactly one of `text`, `url` and `files` says."""
        text, url, files = data.get("text"), data.get("url"), data.get("files")
        if sum(bool(kind) for kind in (text, url, files)) != 1:
            raise _wrong("share_which")
        if text:
            if len(text) > share.MAX_SHARED_TEXT:
                raise _wrong("share_text_too_long", limit=str(share.MAX_SHARED_TEXT))
            await self.coordinator.async_send(share.text(text))
        elif url:
            await self.coordinator.async_send(share.url(_checked_url(url)))
        else:
            self._require()
            await self._outgoing.async_send(
                files or (),
                self.coordinator.options.max_file_size * MIB,
                open_it=data["open"],
            )
        return None

    def _require(self) -> None:
        """Refuse what cannot work before files are fetched from afar."""
        with translated_errors(self.device.name):
            if not self.device.is_connected:
                raise DisconnectedError("the device is not connected")
            if not self.device.supports(share.TYPE):
                raise UnsupportedError("the device takes no files")

    @override
    def diagnostics(self) -> dict[str, object]:
        return {
            "transfer": self.state.transfer,
            "files_waiting": self._incoming.waiting,
        }


def _checked_url(url: str) -> str:
    link = share.SharedUrl(url.strip())
    if link.scheme not in HARMLESS_SCHEMES or len(link.url) > share.MAX_SHARED_URL:
        raise _wrong("share_url")
    return link.url


def _wrong(translation_key: str, **placeholders: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders=placeholders,
    )
