"""A daemon's view of another device."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
import json
from pathlib import Path
from typing import Final

from .bus import Bus, BusError
from .container import HOME
from .waiting import PATIENCE, until

NAME: Final = "org.kde.kdeconnect"
PATH: Final = "/modules/kdeconnect"
DEVICE: Final = f"{NAME}.device"
_NOTIFICATION: Final = f"{DEVICE}.notifications.notification"
# Folders of its home for files that are sent and received.
OUTBOX: Final = "outbox"
INBOX: Final = "Downloads"


class Device:
    """What a daemon knows of another device, and what it can do with it."""

    def __init__(
        self, name: str, bus: Bus, config: Path, device_id: str, *, is_old: bool
    ) -> None:
        """See ``KdeConnectDaemon.device``; ``is_old`` is before protocol 8."""
        self.name = name
        self.bus = bus
        self.device_id = device_id
        self.path = f"{PATH}/devices/{device_id}"
        self._config = config
        self._old = is_old

    async def is_reachable(self) -> bool:
        """Whether there is a link."""
        return await self._flag("isReachable")

    async def is_paired(self) -> bool:
        """Whether it is paired."""
        return await self._flag("isTrusted" if self._old else "isPaired")

    async def has_asked(self) -> bool:
        """Whether the other device asks for pairing."""
        return await self._flag(
            "hasPairingRequests" if self._old else "isPairRequestedByPeer"
        )

    async def verification_key(self) -> str:
        """Return the key that its user would compare, eight digits in upper case."""
        [key] = await self.call("verificationKey")
        text = key.decode() if isinstance(key, bytes) else str(key)
        return text[:8].upper()

    async def request_pairing(self) -> None:
        """Ask for pairing."""
        await self.call("requestPair" if self._old else "requestPairing")

    async def accept(self) -> None:
        """Accept what the other device asks for."""
        await self.call("acceptPairing")

    async def reject(self) -> None:
        """Refuse what the other device asks for, or take the own request back."""
        await self.call("rejectPairing" if self._old else "cancelPairing")

    async def unpair(self) -> None:
        """Forget the pairing and tell the other device."""
        await self.call("unpair")

    async def ping(self, text: str = "") -> None:
        """Send a ping, with a text or without."""
        if text:
            await self.call_plugin("ping", "sendPing", "s", text)
        else:
            await self.call_plugin("ping", "sendPing")

    async def share_files(self, names: Iterable[str]) -> None:
        """Send files of the outbox, as one batch."""
        urls = [f"file://{HOME}/{OUTBOX}/{name}" for name in names]
        await self.call_plugin("share", "shareUrls", "as", urls)

    async def share_link(self, link: str) -> None:
        """Send a link."""
        await self.call_plugin("share", "shareUrl", "s", link)

    async def share_text(self, text: str) -> None:
        """Send a text."""
        await self.call_plugin("share", "shareText", "s", text)

    async def dismiss_notifications(self) -> None:
        """Dismiss every notification of the other device that it lists."""
        [names] = await self.call_plugin("notifications", "activeNotifications")
        for name in names if isinstance(names, list) else ():
            path, interface = f"{self.path}/notifications/{name}", _NOTIFICATION
            await self.bus.call(NAME, path, interface, "dismiss")

    async def plugins(self) -> list[str]:
        """Return the names of the plugins that are loaded."""
        [names] = await self.call("loadedPlugins")
        return [str(name) for name in names] if isinstance(names, list) else []

    async def set_commands(self, commands: Mapping[str, tuple[str, str]]) -> None:
        """Replace the commands that it offers: key -> (name, command line)."""
        value = json.dumps(
            {
                key: {"name": name, "command": line}
                for key, (name, line) in commands.items()
            }
        )
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        await self.configure("runcommand", f'commands="@ByteArray({escaped})"')

    async def configure(self, plugin: str, *lines: str) -> None:
        """Write the settings of a plugin, and have it read them: it does when loaded."""
        folder = self._config / self.device_id / f"kdeconnect_{plugin}"
        folder.mkdir(parents=True, exist_ok=True)
        text = "\n".join(["[General]", *lines, ""])
        (folder / "config").write_text(text, encoding="utf-8")
        await self.enable(plugin, enabled=False)
        await self.enable(plugin)

    async def enable(self, plugin: str, *, enabled: bool = True) -> None:
        """Switch a plugin on or off for this device."""
        await self.call("setPluginEnabled", "sb", f"kdeconnect_{plugin}", enabled)

    async def wait_reachable(self, patience: float = PATIENCE) -> None:
        """Wait for a link."""
        await self._wait(self.is_reachable, "is connected to", patience)

    async def wait_gone(self, patience: float = PATIENCE) -> None:
        """Wait until there is no link."""

        async def gone() -> bool:
            return not await self.is_reachable()

        await self._wait(gone, "loses", patience)

    async def wait_paired(self, patience: float = PATIENCE) -> None:
        """Wait until it is paired."""
        await self._wait(self.is_paired, "is paired with", patience)

    async def wait_unpaired(self, patience: float = PATIENCE) -> None:
        """Wait until it is not paired any more."""

        async def unpaired() -> bool:
            return not await self.is_paired()

        await self._wait(unpaired, "is no longer paired with", patience)

    async def wait_asked(self, patience: float = PATIENCE) -> None:
        """Wait until the other device asks for pairing."""
        await self._wait(self.has_asked, "is asked for pairing by", patience)

    async def call(
        self, member: str, signature: str = "", *body: object
    ) -> list[object]:
        """Call a method of the device's object."""
        return await self.bus.call(NAME, self.path, DEVICE, member, signature, *body)

    async def call_plugin(
        self, plugin: str, member: str, signature: str = "", *body: object
    ) -> list[object]:
        """Call a method of a plugin's object."""
        path, interface = f"{self.path}/{plugin}", f"{DEVICE}.{plugin}"
        return await self.bus.call(NAME, path, interface, member, signature, *body)

    async def plugin_property(self, plugin: str, name: str) -> object:
        """Return a property of a plugin's object."""
        path, interface = f"{self.path}/{plugin}", f"{DEVICE}.{plugin}"
        return await self.bus.get(NAME, path, interface, name)

    async def set_plugin_property(
        self, plugin: str, name: str, signature: str, value: object
    ) -> None:
        """Set a property of a plugin's object."""
        path, interface = f"{self.path}/{plugin}", f"{DEVICE}.{plugin}"
        await self.bus.set(NAME, path, interface, name, signature, value)

    async def _flag(self, name: str) -> bool:
        """Return a property; a device without an object has none of them."""
        try:
            return await self.bus.get(NAME, self.path, DEVICE, name) is True
        except BusError:
            return False

    async def _wait(
        self, look: Callable[[], Awaitable[bool]], what: str, patience: float
    ) -> None:
        await until(look, f"{self.name} {what} {self.device_id[:8]}", patience)
